// What of the account a session sees: information_schema tells of the connected database only, and with
// --attach_mode=single there is no other database at all. DuckDB has one catalog for all sessions, so the statements that
// ask about it are narrowed before DuckDB sees them.

import { EndpointError } from './errors.js';

/** The views of information_schema, and the column that names the database. */
const INFORMATION_SCHEMA = {
  tables: 'table_catalog', columns: 'table_catalog', views: 'table_catalog', schemata: 'catalog_name', key_column_usage: 'constraint_catalog', table_constraints: 'constraint_catalog',
  constraint_column_usage: 'constraint_catalog', constraint_table_usage: 'constraint_catalog', referential_constraints: 'constraint_catalog', check_constraints: 'constraint_catalog',
};

const CATALOG_FUNCTIONS = new Set(['duckdb_databases', 'duckdb_schemas', 'duckdb_tables', 'duckdb_views', 'duckdb_columns', 'duckdb_constraints', 'duckdb_indexes', 'duckdb_sequences', 'duckdb_functions', 'duckdb_types']);

/** Words that may follow a relation and are not its alias. */
const NOT_AN_ALIAS = new Set(
  ('where join inner left right full outer cross natural asof positional semi anti on using group order limit offset having union intersect except window qualify ' +
    'tablesample sample set when pivot unpivot fetch returning for from select then').split(' '),
);

const isPunct = (token, value) => token?.kind === 'punct' && token.value === value;
const isWord = (token, ...values) => token?.kind === 'word' && values.includes(token.value);
const isName = (token) => token?.kind === 'word' || token?.kind === 'quoted';
const nameOf = (token) => token.value.toLowerCase();

const hasAlias = (token) => isWord(token, 'as') || token?.kind === 'quoted' || (token?.kind === 'word' && !NOT_AN_ALIAS.has(token.value));

/** The edits that narrow a statement to what its session sees; throws where it names a database that is not there. */
export function narrow({ tokens, relations, verb }, { database, single, others }) {
  const edits = [];
  const here = `'${database.replaceAll("'", "''")}'`;
  const replace = (from, to, text) => edits.push({ start: tokens[from].start, end: tokens[to].end, text });
  const alias = (token, name) => (hasAlias(token) ? '' : ` AS ${name}`);

  for (const at of relations) {
    let i = at;
    // database.information_schema.tables is as good as information_schema.tables.
    if (isPunct(tokens[i + 1], '.') && isPunct(tokens[i + 3], '.') && isName(tokens[i + 2]) && nameOf(tokens[i + 2]) === 'information_schema') i += 2;
    if (nameOf(tokens[i]) === 'information_schema' && isPunct(tokens[i + 1], '.') && isName(tokens[i + 2])) {
      const view = nameOf(tokens[i + 2]);
      const column = INFORMATION_SCHEMA[view];
      if (column) replace(at, i + 2, `(SELECT * FROM system.information_schema.${view} WHERE ${column} = current_database())${alias(tokens[i + 3], view)}`);
    } else if (single && CATALOG_FUNCTIONS.has(nameOf(tokens[at])) && isPunct(tokens[at + 1], '(') && isPunct(tokens[at + 2], ')')) {
      const name = nameOf(tokens[at]);
      replace(at, at + 2, `(SELECT * FROM ${name}() WHERE database_name IN (${here}, 'system'))${alias(tokens[at + 3], name)}`);
    }
  }
  if (!single) return edits;

  if (verb === 'show' && tokens.some((token) => isWord(token, 'databases'))) {
    return [{ start: 0, end: tokens[tokens.length - 1].end, text: `SELECT ${here} AS database_name` }];
  }
  if (verb === 'show' && isWord(tokens[1], 'all') && isWord(tokens[2], 'tables')) {
    return [{ start: 0, end: tokens[tokens.length - 1].end, text: `FROM (SHOW ALL TABLES) WHERE database = ${here}` }];
  }
  const elsewhere = (i) => isName(tokens[i]) && others.has(nameOf(tokens[i]));
  for (let i = 0; i < tokens.length; i++) {
    if (!elsewhere(i) || isPunct(tokens[i - 1], '.')) continue;
    const named = isPunct(tokens[i + 1], '.') && (relations.includes(i) || isWord(tokens[i - 1], 'into', 'update', 'table', 'view', 'schema', 'exists', 'macro', 'type', 'describe', 'desc', 'summarize', 'show'));
    if (named || (verb === 'use' && i === 1)) throw new EndpointError(`Binder Error: Catalog "${tokens[i].value}" does not exist! (the session has attach_mode=single)`);
  }
  return edits;
}
