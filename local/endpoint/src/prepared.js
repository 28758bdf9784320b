// A statement made ready: looked at by the policy, its remote files fetched, and prepared by DuckDB.

import { STATEMENT } from './engine.js';
import { EndpointError, fromEngine, refused } from './errors.js';
import { applyEdits } from './policy.js';
import { narrow } from './scope.js';
import { BOOLEAN, OID, isUnresolved } from './types.js';
import { Zone } from './datetime.js';
import { messages } from './wire.js';

const SUCCESS = [{ name: 'Success', type: BOOLEAN }];

/** What a session with a read-only token may run. */
const READS = new Set([STATEMENT.SELECT, STATEMENT.EXPLAIN, STATEMENT.TRANSACTION, STATEMENT.PRAGMA, STATEMENT.CALL, STATEMENT.SET, STATEMENT.VARIABLE_SET, STATEMENT.RELATION, STATEMENT.LOGICAL_PLAN]);

const WRITES = new Set(['insert', 'update', 'delete', 'merge', 'create', 'drop', 'alter', 'copy', 'truncate']);

export class Prepared {
  constructor(session, found) {
    this.session = session;
    this.found = found;
    this.declared = [];
    this.parameterOids = [];
    this.columns = [];
    this.releases = [];
    this.remote = [];
    this.used = 0;
    this.statement = null;
  }

  static empty() {
    const prepared = new Prepared(null, { verb: '', tag: '' });
    prepared.isEmpty = true;
    return prepared;
  }

  get endsTransaction() {
    return this.isEmpty || this.found.verb === 'rollback' || this.found.verb === 'abort';
  }

  /** Whether it answers with rows even in a session that asked for PostgreSQL's habits. */
  get visibleColumns() {
    return this.session?.compatible && this.isCommand ? [] : this.columns;
  }

  /** `Count` and `Success`, which DuckDB answers where PostgreSQL has only a command tag. */
  get isCommand() {
    return this.columns.length === 1 && (this.columns[0].name === 'Count' || this.columns[0].name === 'Success') && this.type !== STATEMENT.SELECT;
  }

  async open(extended) {
    const { session, found } = this;
    this.extended = extended;
    if (found.database) {
      if (session.readOnly && found.database.action !== 'attach') throw readOnly(found.tag);
      this.columns = SUCCESS;
      return;
    }
    if (!found.unfinished) found.edits.push(...narrow(found, await session.scope()));
    await this.fetchRemote();
    await this.prepareText(applyEdits(found.sql, this.edits));
    const { statement } = this;
    this.type = statement.type;
    this.checkReadOnly();
    this.columns = statement.columns;
    const open = this.columns.some((column) => isUnresolved(column.type));
    if (open && extended) {
      throw new EndpointError('Invalid Input Error: cannot prepare a statement with ambiguous result column types. Cast its parameters: CAST($1 AS VARCHAR)');
    }
    if (open) this.columns = [];
    this.parameterOids = Array.from({ length: statement.parameterCount }, (_, i) => {
      const type = statement.parameterType(i + 1);
      return type === null || isUnresolved(type) ? OID.text : type.oid;
    });
  }

  /**
   * DuckDB makes several statements of some texts (PIVOT, COPY FROM DATABASE); all but the last run at once, as they do
   * in its own clients, some of them in a transaction that they begin and end themselves.
   */
  async prepareText(sql) {
    const { session, found } = this;
    const { connection } = session;
    const steps = await connection.extract(sql);
    if (steps.length > 1) {
      if (this.extended) throw new EndpointError('Invalid Input Error: Cannot prepare multiple statements at once!');
      if (session.readOnly && found.tokens.some((token) => token.kind === 'word' && WRITES.has(token.value))) throw readOnly(found.tag);
    }
    const last = steps.pop();
    try {
      for (const step of steps) {
        const statement = await step();
        try {
          await statement.run();
        } finally {
          statement.destroy();
        }
      }
      this.statement = await last();
    } catch (error) {
      if (steps.length > 0 && session.transaction === 'I') await connection.run('ROLLBACK').catch(() => {});
      throw error;
    }
  }

  checkReadOnly() {
    if (!this.session.readOnly) return;
    const { tokens, verb, tag } = this.found;
    // DuckDB counts CHECKPOINT among the pragmas.
    if (!READS.has(this.type) || verb === 'checkpoint' || verb === 'force') throw readOnly(tag);
    if (verb === 'explain' && tokens.some((token) => token.kind === 'word' && WRITES.has(token.value))) throw readOnly(tag);
  }

  async fetchRemote() {
    const { session, found } = this;
    this.edits = [...found.edits];
    for (const item of found.remote) {
      const { files, release } = await session.endpoint.remote.acquire(item.urls, session.abort.signal);
      this.releases.push(release);
      this.remote.push(...files);
      const literals = files.map((file) => `'${file.path.replaceAll("'", "''")}'`);
      if (item.form === 'single' && files.length > 1) throw new EndpointError(`IO Error: '${item.urls[0]}' names more than one file`);
      let text = literals.length === 1 && item.form !== 'list' ? literals[0] : `[${literals.join(', ')}]`;
      if (item.form === 'relation' && literals.length > 1) text = `${item.reader}(${text})`;
      this.edits.push({ start: item.start, end: item.end, text });
    }
  }

  /** Binds parameters for an execution; a statement that runs again reads its remote files again. */
  async bind(parameters) {
    if (this.used++ > 0 && this.found.remote.length > 0) {
      await this.closeStatement();
      await this.fetchRemote();
      await this.prepareText(applyEdits(this.found.sql, this.edits));
    }
    const { statement } = this;
    statement.clearBindings();
    parameters.forEach((value, i) => {
      if (value === null) statement.bindNull(i + 1);
      else if (typeof value === 'string') statement.bindText(i + 1, value);
      else statement.bindBytes(i + 1, value);
    });
  }

  /** Carries out a statement about whole databases, or gives null where DuckDB runs it. */
  async runOurselves() {
    const { session, found } = this;
    if (!found.database) return false;
    const { databases } = session.endpoint;
    const { action, name } = found.database;
    if (action === 'create') await databases.create(found.database);
    else if (action === 'drop') {
      if (name.toLowerCase() === session.database.toLowerCase()) throw new EndpointError(`Binder Error: Cannot drop database "${name}" because it is the session's current database. Connect to another or USE another first`);
      await databases.drop(found.database);
    } else if (name !== '' && !(await databases.find(name))) throw new EndpointError(`Catalog Error: Database "${name}" does not exist`);
    return true;
  }

  /** What a statement changes in its session. */
  async after() {
    const { session, found } = this;
    switch (found.verb) {
      case 'begin':
      case 'start':
        session.transaction = 'T';
        break;
      case 'commit':
      case 'end':
      case 'rollback':
      case 'abort':
        session.transaction = 'I';
        break;
      case 'use': {
        const [[name]] = await session.connection.rows('SELECT current_database()');
        session.database = name;
        break;
      }
      case 'set':
      case 'reset': {
        const [[zone]] = await session.connection.rows("SELECT current_setting('TimeZone')");
        session.zone = new Zone(zone);
        messages.parameterStatus(session.out, 'TimeZone', zone);
        break;
      }
    }
  }

  /** An error as the client should see it: with the URLs that it wrote, not where their files are cached. */
  clean(error) {
    const told = fromEngine(error);
    if (this.remote.length === 0) return told;
    let { message } = told;
    for (const { url, path } of this.remote) message = message.replaceAll(path, url);
    // DuckDB repeats the statement's text, which is not the client's any more.
    message = message.replace(/\n\nLINE \d+:[\s\S]*$/, '');
    return new EndpointError(message, told.code);
  }

  async closeStatement() {
    this.statement?.destroy();
    this.statement = null;
    this.remote = [];
    await Promise.all(this.releases.splice(0).map((release) => release()));
  }

  async close() {
    await this.closeStatement();
  }
}

const readOnly = (what) => refused(`${what} is not allowed: this session has a read-only token`);

