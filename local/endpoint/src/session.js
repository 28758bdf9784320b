// One client's session after its login: the simple and the extended query protocol over one DuckDB connection.

import { examine } from './policy.js';
import { splitStatements } from './lexer.js';
import { EndpointError, FatalError, SQLSTATE, fromEngine } from './errors.js';
import { Fields, messages } from './wire.js';
import { Output, PIECE } from './output.js';
import { Zone } from './datetime.js';
import { decodeParameter } from './parameters.js';
import { Prepared } from './prepared.js';
import { Portal } from './portal.js';

/** Above this many bytes waiting, input is no longer read ahead. */
const READ_AHEAD = 1024 * 1024;

const aborted = () => new EndpointError('TransactionContext Error: Current transaction is aborted (please ROLLBACK)');

export class Session {
  constructor({ id, socket, reader, connection, database, options, readOnly, endpoint }) {
    Object.assign(this, { id, socket, reader, connection, database, readOnly, endpoint });
    this.compatible = options.compatibilityMode === 'metabase';
    this.single = options.attachMode === 'single';
    this.postgresArrays = this.compatible;
    this.zone = new Zone('UTC');
    this.out = new Output();
    this.statements = new Map();
    this.portals = new Map();
    this.transaction = 'I';
    this.skipping = false;
    this.running = false;
    this.ended = false;
    this.active = null;
  }

  /** Serves until the client leaves. */
  async run() {
    const { socket } = this;
    let wake = null;
    this.wake = () => {
      wake?.();
      wake = null;
    };
    socket.on('data', (bytes) => {
      this.reader.push(bytes);
      if (wake) this.wake();
      else if (this.reader.length > READ_AHEAD) socket.pause();
    });
    socket.on('drain', () => this.drained?.());
    const end = () => {
      this.ended = true;
      this.cancel();
      this.drained?.();
      this.wake();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
    try {
      await this.flush();
      while (!this.ended) {
        const message = this.reader.next();
        if (message === null) {
          socket.resume();
          await new Promise((resolve) => (wake = resolve));
          continue;
        }
        if (message.type === 'X') break;
        await this.handle(message);
        if (this.out.at > PIECE) await this.flush();
      }
    } catch (error) {
      const fatal = error instanceof EndpointError ? error : new FatalError(`internal error: ${error?.message}`);
      if (!(error instanceof EndpointError)) this.endpoint.log(`session ${this.id}: ${error?.stack}`);
      fatal.fatal = true;
      messages.error(this.out, fatal);
      await this.flush().catch(() => {});
    } finally {
      await this.dispose();
      socket.end();
    }
  }

  async dispose() {
    this.ended = true;
    for (const portal of [...this.portals.values()]) await this.closePortal(portal).catch(() => {});
    for (const statement of this.statements.values()) await statement.close();
    this.connection.close();
  }

  /** Sends what is written and waits while the client does not keep up. */
  async flush() {
    if (this.out.at === 0) return;
    const bytes = this.out.take();
    if (this.ended || this.socket.destroyed) return;
    if (!this.socket.write(bytes, () => this.out.recycle(bytes))) {
      await new Promise((resolve) => {
        this.drained = resolve;
        if (this.ended || !this.socket.writableNeedDrain) resolve();
      });
      this.drained = null;
    }
  }

  async handle({ type, body }) {
    if (this.skipping && type !== 'S') return;
    const fields = new Fields(body);
    switch (type) {
      case 'Q':
        return this.simpleQuery(fields);
      case 'P':
        return this.extended(() => this.parse(fields));
      case 'B':
        return this.extended(() => this.bind(fields));
      case 'D':
        return this.extended(() => this.describe(fields));
      case 'E':
        return this.extended(() => this.execute(fields));
      case 'C':
        return this.extended(() => this.close(fields));
      case 'H':
        fields.end();
        return this.flush();
      case 'S':
        fields.end();
        return this.sync();
      case 'd':
      case 'c':
      case 'f':
        // Leftovers of a COPY that was refused: PostgreSQL ignores them outside of a copy too.
        return;
      case 'F':
        throw new FatalError('function calls are not supported');
      default:
        throw new FatalError(`unknown message type ${JSON.stringify(type)}`);
    }
  }

  /** A message of the extended protocol: after an error everything is skipped until Sync. */
  async extended(work) {
    try {
      await work();
    } catch (error) {
      if (error.fatal) throw error;
      this.report(error);
      this.skipping = true;
    }
  }

  report(error) {
    let told = fromEngine(error);
    if (this.cancelled) told = new EndpointError('INTERRUPT Error: Interrupted!', SQLSTATE.cancelled);
    if (this.transaction !== 'I') this.transaction = 'E';
    messages.error(this.out, told);
  }

  async ready() {
    // A portal lives as long as its transaction.
    if (this.transaction === 'I') for (const portal of [...this.portals.values()]) await this.closePortal(portal);
    this.cancelled = false;
    messages.ready(this.out, this.endpoint.options.readyStatus === 'truthful' ? this.transaction : 'I');
    await this.flush();
  }

  async sync() {
    this.skipping = false;
    await this.ready();
  }

  // Simple query

  async simpleQuery(fields) {
    const sql = fields.cstring();
    fields.end();
    await this.dropUnnamed();
    try {
      const statements = splitStatements(sql);
      if (statements.length === 0) messages.emptyQuery(this.out);
      for (const statement of statements) await this.guard(() => this.simpleStatement(statement));
    } catch (error) {
      if (error.fatal) throw error;
      this.report(error);
    }
    await this.ready();
  }

  async simpleStatement(statement) {
    const prepared = await this.prepare(statement, false);
    try {
      const portal = new Portal(this, prepared, [], []);
      try {
        await portal.run(0, true);
      } finally {
        await portal.close();
      }
    } finally {
      await prepared.close();
    }
  }

  async dropUnnamed() {
    const portal = this.portals.get('');
    if (portal) await this.closePortal(portal);
    const statement = this.statements.get('');
    this.statements.delete('');
    await statement?.close();
  }

  // Extended query

  async parse(fields) {
    const name = fields.cstring();
    const sql = fields.cstring();
    const declared = Array.from({ length: fields.uint16() }, () => fields.int32());
    fields.end();
    if (name !== '' && this.statements.has(name)) throw new EndpointError(`prepared statement "${name}" already exists`);
    if (name === '') {
      const old = this.statements.get('');
      this.statements.delete('');
      await old?.close();
    }
    const statements = splitStatements(sql);
    if (statements.length > 1) {
      throw new EndpointError('Parser Error: cannot prepare multiple statements at once', SQLSTATE.unparsable);
    }
    const prepared = statements.length === 0 ? Prepared.empty() : await this.guard(() => this.prepare(statements[0], true));
    prepared.declared = declared;
    this.statements.set(name, prepared);
    messages.parseComplete(this.out);
  }

  async bind(fields) {
    const portalName = fields.cstring();
    const statementName = fields.cstring();
    const formats = Array.from({ length: fields.uint16() }, () => fields.int16());
    const values = Array.from({ length: fields.uint16() }, () => {
      const length = fields.int32();
      return length === -1 ? null : fields.bytes(length);
    });
    const resultFormats = Array.from({ length: fields.uint16() }, () => fields.int16());
    fields.end();
    const prepared = this.statements.get(statementName);
    if (!prepared) throw new EndpointError(`prepared statement "${statementName}" does not exist`);
    if (this.transaction === 'E' && !prepared.endsTransaction) throw aborted();
    for (const format of [...formats, ...resultFormats]) {
      if (format !== 0 && format !== 1) throw new EndpointError(`format code ${format} is neither 0 (text) nor 1 (binary)`);
    }
    if (values.length !== prepared.parameterOids.length) {
      throw new EndpointError(`Invalid Input Error: bind message supplies ${values.length} parameters, but prepared statement "${statementName}" requires ${prepared.parameterOids.length}`);
    }
    if (formats.length > 1 && formats.length !== values.length) {
      throw new EndpointError(`bind message has ${formats.length} parameter formats but ${values.length} parameters`);
    }
    const columns = prepared.visibleColumns;
    if (resultFormats.length > 1 && resultFormats.length !== columns.length) {
      throw new EndpointError(`bind message has ${resultFormats.length} result formats but query has ${columns.length} columns`);
    }
    const existing = this.portals.get(portalName);
    if (existing) {
      if (portalName !== '') throw new EndpointError(`portal "${portalName}" already exists`);
      await this.closePortal(existing);
    }
    const parameters = values.map((bytes, i) =>
      decodeParameter(bytes, formats.length > 1 ? formats[i] : (formats[0] ?? 0), prepared.declared[i] ?? 0, prepared.parameterOids[i], i + 1),
    );
    const portal = new Portal(this, prepared, parameters, columns.map((_, i) => (resultFormats.length > 1 ? resultFormats[i] : (resultFormats[0] ?? 0))));
    portal.name = portalName;
    this.portals.set(portalName, portal);
    messages.bindComplete(this.out);
  }

  describe(fields) {
    const kind = fields.char();
    const name = fields.cstring();
    fields.end();
    if (kind === 'S') {
      const prepared = this.statements.get(name);
      if (!prepared) throw new EndpointError(`prepared statement "${name}" does not exist`);
      messages.parameterDescription(this.out, prepared.parameterOids.map((oid, i) => prepared.declared[i] || oid));
      this.describeRows(prepared.visibleColumns, []);
    } else if (kind === 'P') {
      const portal = this.portals.get(name);
      if (!portal) throw new EndpointError(`portal "${name}" does not exist`);
      this.describeRows(portal.prepared.visibleColumns, portal.formats);
    } else {
      throw new FatalError(`a Describe of unknown kind ${JSON.stringify(kind)}`);
    }
  }

  describeRows(columns, formats) {
    if (columns.length === 0) messages.noData(this.out);
    else messages.rowDescription(this.out, columns, formats);
  }

  async execute(fields) {
    const name = fields.cstring();
    const limit = fields.int32();
    fields.end();
    const portal = this.portals.get(name);
    if (!portal) throw new EndpointError(`portal "${name}" does not exist`);
    await this.guard(() => portal.run(Math.max(0, limit), false));
  }

  async close(fields) {
    const kind = fields.char();
    const name = fields.cstring();
    fields.end();
    if (kind === 'P') {
      const portal = this.portals.get(name);
      if (portal) await this.closePortal(portal);
    } else if (kind === 'S') {
      const prepared = this.statements.get(name);
      this.statements.delete(name);
      if (prepared) {
        for (const portal of [...this.portals.values()]) if (portal.prepared === prepared) await this.closePortal(portal);
        await prepared.close();
      }
    } else {
      throw new FatalError(`a Close of unknown kind ${JSON.stringify(kind)}`);
    }
    messages.closeComplete(this.out);
  }

  async closePortal(portal) {
    this.portals.delete(portal.name);
    await portal.close();
  }

  // What both share

  /** What this session sees of the account. */
  async scope() {
    const { database, single } = this;
    const others = single ? (await this.endpoint.databases.list()).map((name) => name.toLowerCase()).filter((name) => name !== database.toLowerCase()) : [];
    return { database, single, others: new Set(others) };
  }

  async prepare(statement, extended) {
    const found = examine(statement);
    const prepared = new Prepared(this, found);
    if (this.transaction === 'E' && !prepared.endsTransaction) throw aborted();
    await this.settle(null);
    try {
      await prepared.open(extended);
      return prepared;
    } catch (error) {
      const told = prepared.clean(error);
      await prepared.close();
      throw told;
    }
  }

  /** Before the connection is used again, a portal that streams from it takes what is left of its rows. */
  async settle(next) {
    if (this.active && this.active !== next) await this.active.buffer();
  }

  checkTransaction(prepared) {
    if (this.transaction === 'E' && !prepared.endsTransaction) throw aborted();
  }

  /** Runs work that a cancel request may interrupt. */
  async guard(work) {
    this.running = true;
    this.abort = new AbortController();
    try {
      if (this.cancelled) throw new EndpointError('INTERRUPT Error: Interrupted!', SQLSTATE.cancelled);
      return await work();
    } finally {
      this.running = false;
      clearInterval(this.interrupting);
    }
  }

  /** From a cancel request, or because the client has gone. Without a running statement there is nothing to do. */
  cancel() {
    if (!this.running || this.cancelled) return;
    this.cancelled = true;
    this.abort.abort();
    this.connection.interrupt();
    // The statement may not have reached DuckDB yet, where an interrupt would be forgotten.
    this.interrupting = setInterval(() => this.connection.interrupt(), 10);
  }

  /** The server is stopping. */
  stop() {
    this.cancel();
    this.socket.destroy();
  }
}
