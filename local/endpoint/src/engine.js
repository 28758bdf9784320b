// A thin layer over DuckDB's official client: connections, prepared statements, and results as chunks of vectors.
// It is the client's lower half (@duckdb/node-bindings) because rows are encoded straight from DuckDB's vectors.

import duckdb from '@duckdb/node-bindings';
import { describeType } from './types.js';

export const STATEMENT = duckdb.StatementType;

export class Engine {
  static async open(path, settings = {}) {
    const config = duckdb.create_config();
    for (const [name, value] of Object.entries(settings)) duckdb.set_config(config, name, String(value));
    return new Engine(await duckdb.open(path, config));
  }

  constructor(database) {
    this.database = database;
  }

  async connect() {
    return new Connection(await duckdb.connect(this.database));
  }

  close() {
    duckdb.close_sync(this.database);
  }
}

export class Connection {
  constructor(handle) {
    this.handle = handle;
  }

  interrupt() {
    duckdb.interrupt(this.handle);
  }

  close() {
    duckdb.disconnect_sync(this.handle);
  }

  async prepare(sql) {
    return new Statement(await duckdb.prepare(this.handle, sql));
  }

  /** What DuckDB makes of a text: most statements are one, but a PIVOT becomes several that run one after the other. */
  async extract(sql) {
    const { extracted_statements: extracted, statement_count: count } = await duckdb.extract_statements(this.handle, sql);
    if (count === 0) throw new Error(duckdb.extract_statements_error(extracted));
    return Array.from(
      { length: count },
      (_, i) => async () => new Statement(await duckdb.prepare_extracted_statement(this.handle, extracted, i)),
    );
  }

  /** Runs a statement of our own and gives its rows as arrays of strings (only for text and numbers). */
  async rows(sql) {
    const statement = await this.prepare(sql);
    try {
      const result = await statement.run();
      const rows = [];
      for (let chunk; (chunk = await result.fetch()); ) {
        const columns = result.columns.map((_, i) => readTexts(chunk, i));
        for (let row = 0; row < chunk.size; row++) rows.push(columns.map((column) => column[row]));
      }
      return rows;
    } finally {
      statement.destroy();
    }
  }

  async run(sql) {
    await duckdb.query(this.handle, sql);
  }

  /** The tables that a SELECT names, qualified as written, or null where the text is not a SELECT that parses. */
  tableNames(sql) {
    try {
      const list = duckdb.get_table_names(this.handle, sql, true);
      const size = duckdb.get_list_size(list);
      return Array.from({ length: size }, (_, i) => duckdb.get_varchar(duckdb.get_list_child(list, i)));
    } catch {
      return null;
    }
  }
}

function readTexts(chunk, index) {
  const vector = chunk.vector(index);
  const data = duckdb.vector_get_data(vector, chunk.size * 16);
  const validity = duckdb.vector_get_validity(vector, Math.ceil(chunk.size / 64) * 8);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: chunk.size }, (_, row) => {
    if (validity && !((validity[row >> 3] >> (row & 7)) & 1)) return null;
    const length = view.getUint32(row * 16, true);
    const bytes =
      length <= 12
        ? data.subarray(row * 16 + 4, row * 16 + 4 + length)
        : duckdb.get_data_from_pointer(data.buffer, data.byteOffset + row * 16 + 8, length);
    return Buffer.from(bytes).toString('utf8');
  });
}

export class Statement {
  constructor(handle) {
    this.handle = handle;
    this.type = duckdb.prepared_statement_type(handle);
    this.parameterCount = duckdb.nparams(handle);
  }

  /** The result's columns as known before execution; where a parameter leaves them open, DuckDB tells one unknown. */
  get columns() {
    return (this._columns ??= Array.from(
      { length: duckdb.prepared_statement_column_count(this.handle) },
      (_, i) => ({
        name: duckdb.prepared_statement_column_name(this.handle, i),
        type: describeType(duckdb.prepared_statement_column_logical_type(this.handle, i)),
      }),
    ));
  }

  /** The names of its parameters in the order in which they are bound. */
  get parameterNames() {
    return Array.from({ length: this.parameterCount }, (_, i) => duckdb.parameter_name(this.handle, i + 1));
  }

  /** What DuckDB takes a parameter for, or null where the statement leaves it open. */
  parameterType(index) {
    if (duckdb.param_type(this.handle, index) === duckdb.Type.INVALID) return null;
    return describeType(duckdb.param_logical_type(this.handle, index));
  }

  bindText(index, text) {
    duckdb.bind_varchar(this.handle, index, text);
  }

  bindBytes(index, bytes) {
    duckdb.bind_blob(this.handle, index, bytes);
  }

  bindNull(index) {
    duckdb.bind_null(this.handle, index);
  }

  clearBindings() {
    duckdb.clear_bindings(this.handle);
  }

  /** Runs it to its end; every error is thrown here. */
  async run() {
    return new Result(await duckdb.execute_prepared(this.handle));
  }

  /**
   * Runs it as a stream, which holds no more than DuckDB's own buffer. An error after the first rows is not thrown by
   * the client library: the stream just ends, and `Result.broken` is true.
   */
  async stream() {
    return new Result(await duckdb.execute_prepared_streaming(this.handle));
  }

  destroy() {
    if (this.handle) duckdb.destroy_prepare_sync(this.handle);
    this.handle = null;
  }
}

export class Result {
  constructor(handle) {
    this.handle = handle;
    this.columns = Array.from({ length: duckdb.column_count(handle) }, (_, i) => ({
      name: duckdb.column_name(handle, i),
      type: describeType(duckdb.column_logical_type(handle, i)),
    }));
  }

  get rowsChanged() {
    return duckdb.rows_changed(this.handle);
  }

  get broken() {
    return duckdb.result_return_type(this.handle) === duckdb.ResultType.INVALID;
  }

  async fetch() {
    const chunk = await duckdb.fetch_chunk(this.handle);
    if (!chunk) return null;
    const size = duckdb.data_chunk_get_size(chunk);
    return size === 0 ? null : new Chunk(chunk, size);
  }
}

export class Chunk {
  constructor(handle, size) {
    this.handle = handle;
    this.size = size;
  }

  vector(index) {
    return duckdb.data_chunk_get_vector(this.handle, index);
  }
}
