// A statement under way with its parameters: where its rows come from, and how many have been sent.

import { STATEMENT } from './engine.js';
import { EndpointError, SQLSTATE } from './errors.js';
import { RowWriter } from './encode.js';
import { PIECE } from './output.js';
import { messages } from './wire.js';

/** Rows written between two looks at the output's size: wide rows must not pile up. */
const ROWS_AT_ONCE = 64;

const interrupted = () => new EndpointError('INTERRUPT Error: Interrupted!', SQLSTATE.cancelled);

export class Portal {
  constructor(session, prepared, parameters, formats) {
    Object.assign(this, { session, prepared, parameters, formats });
    this.state = 'new';
    this.sent = 0;
    this.chunk = null;
    this.row = 0;
    this.buffered = null;
    this.releases = [];
  }

  /** Runs it, or runs it on: up to `limit` rows, or all of them for 0. */
  async run(limit, describe) {
    const { session, prepared } = this;
    const { out } = session;
    if (prepared.isEmpty) {
      messages.emptyQuery(out);
      return;
    }
    session.checkTransaction(prepared);
    try {
      if (this.state === 'new') {
        await session.settle(this);
        await this.start(describe);
      }
      if (this.state === 'open' && !(await this.sendRows(limit))) {
        messages.portalSuspended(out);
        return;
      }
    } catch (error) {
      await this.ahead?.catch(() => {});
      this.finish();
      // A COMMIT that fails has rolled back.
      if (prepared.found.verb === 'commit' || prepared.found.verb === 'end') session.transaction = 'I';
      throw prepared.clean(error);
    }
    messages.commandComplete(out, this.tag());
  }

  async start(describe) {
    const { session, prepared } = this;
    this.state = 'open';
    if (await prepared.runOurselves()) {
      if (describe && prepared.visibleColumns.length > 0) messages.rowDescription(session.out, prepared.visibleColumns, []);
      this.state = 'done';
      return;
    }
    await prepared.bind(this.parameters);
    // The remote files that were fetched for this execution go when it is over.
    this.releases.push(...prepared.releases.splice(0));
    // Within a transaction, and where a statement writes, an error must come before the first row: only outside of one
    // can a read that broke off be run again to learn why.
    this.streaming = prepared.type === STATEMENT.SELECT && session.transaction === 'I';
    this.result = await (this.streaming ? prepared.statement.stream() : prepared.statement.run());
    if (this.streaming) session.active = this;
    await prepared.after();
    const { columns } = this.result;
    if (describe) prepared.columns = columns;
    else if (!sameColumns(columns, prepared.columns)) throw new EndpointError('Invalid Input Error: the result types of this prepared statement have changed. Prepare it again');
    const visible = prepared.visibleColumns;
    this.writer = new RowWriter(columns, this.formats, session, prepared.remote);
    if (describe && visible.length > 0) messages.rowDescription(session.out, visible, []);
    this.silent = visible.length === 0;
  }

  /** Sends rows; false where the limit was reached and there may be more. */
  async sendRows(limit) {
    const { session, writer } = this;
    const { out } = session;
    let left = limit === 0 ? Infinity : limit;
    for (;;) {
      // As in PostgreSQL: whether these were the last rows, the next Execute tells.
      if (left === 0) return false;
      if (!this.vectors || this.row >= this.chunk.size) {
        this.chunk = await this.next();
        if (session.cancelled) throw interrupted();
        if (this.chunk === null) {
          this.finish();
          return true;
        }
        this.row = 0;
        this.vectors = writer.load(this.chunk);
        if (this.silent) {
          this.count(this.chunk);
          this.row = this.chunk.size;
          continue;
        }
      }
      const { vectors } = this;
      const end = Math.min(this.chunk.size, this.row + left, this.row + ROWS_AT_ONCE);
      left -= end - this.row;
      this.sent += end - this.row;
      for (let row = this.row; row < end; row++) writer.write(out, vectors, row);
      this.row = end;
      if (out.at > PIECE) {
        await session.flush();
        if (session.ended || session.cancelled) throw interrupted();
      }
    }
  }

  /** The one number of a `Count` result that is not shown but told in the command tag. */
  count(chunk) {
    if (this.prepared.columns[0].name === 'Count') this.sent = Number(this.vectors[0].view.getBigInt64(0, true));
    void chunk;
  }

  async next() {
    if (this.buffered) return this.buffered.shift() ?? null;
    if (!this.result) return null;
    // DuckDB makes the next chunk while this one is written.
    const chunk = await (this.ahead ?? this.result.fetch());
    this.ahead = null;
    if (chunk !== null) {
      this.ahead = this.result.fetch();
      this.ahead.catch(() => {});
    } else if (this.streaming && this.result.broken) {
      await this.explain();
    }
    return chunk;
  }

  /** A stream broke off, and the client library does not say why: the same read, run to its end, throws the reason. */
  async explain() {
    const { session, prepared } = this;
    if (session.cancelled) throw interrupted();
    await prepared.statement.run();
    throw new EndpointError('Error: the statement failed after its first rows, and did not fail again to tell why');
  }

  /** Takes what is left of a stream into memory, because the connection is needed for something else. */
  async buffer() {
    const rest = [];
    for (let chunk; (chunk = await this.next()) !== null; ) rest.push(chunk);
    this.buffered = rest;
    this.session.active = null;
  }

  tag() {
    const { session, prepared } = this;
    const { tag } = prepared.found;
    if (!session.compatible) return tag;
    if (prepared.isCommand) {
      if (prepared.type === STATEMENT.INSERT) return `INSERT 0 ${this.sent}`;
      if (prepared.type === STATEMENT.UPDATE) return `UPDATE ${this.sent}`;
      if (prepared.type === STATEMENT.DELETE) return `DELETE ${this.sent}`;
      if (prepared.type === STATEMENT.MERGE_INTO) return `MERGE ${this.sent}`;
      return tag;
    }
    return `SELECT ${this.sent}`;
  }

  finish() {
    this.state = 'done';
    this.result = null;
    this.vectors = null;
    this.chunk = null;
    this.buffered = null;
    if (this.session.active === this) this.session.active = null;
  }

  async close() {
    const { session } = this;
    const open = session.active === this;
    // Nothing may use the connection while the next chunk is still being made.
    await this.ahead?.catch(() => {});
    this.finish();
    await Promise.all(this.releases.splice(0).map((release) => release()));
    // A stream that is left ends with the next statement: its transaction must not stay open until then.
    if (open && !session.ended) await session.connection.run('SELECT 1').catch(() => {});
  }
}

function sameColumns(actual, described) {
  return actual.length === described.length && actual.every((column, i) => column.type.oid === described[i].type.oid);
}
