// What MotherDuck's Postgres endpoint does not take, and what of a statement must be read or changed before DuckDB sees
// it: remote files, MD_RUN, parameters where they are not allowed. It works on tokens, so what stands in a string, a
// quoted identifier or a comment is never mistaken for a statement. That no local file can be reached does not rest on
// this: DuckDB's own settings see to it (databases.js).

import { EndpointError, refused } from './errors.js';
import { splitStatements } from './lexer.js';

/** Table functions that read files; their first argument names them. */
const FILE_FUNCTIONS = new Set([
  'read_csv', 'read_csv_auto', 'sniff_csv', 'read_parquet', 'parquet_scan', 'parquet_metadata', 'parquet_schema',
  'parquet_file_metadata', 'parquet_kv_metadata', 'parquet_bloom_probe', 'parquet_full_metadata', 'read_json',
  'read_json_auto', 'read_json_objects', 'read_json_objects_auto', 'read_ndjson', 'read_ndjson_auto',
  'read_ndjson_objects', 'read_text', 'read_blob', 'glob', 'read_duckdb', 'read_xlsx', 'st_read', 'delta_scan',
  'iceberg_scan', 'sqlite_scan', 'postgres_scan', 'mysql_scan', 'arrow_scan', 'arrow_scan_dumb', 'seq_scan', 'pandas_scan',
]);

/** Functions that would change settings, or run SQL that nobody has looked at. */
const FORBIDDEN_FUNCTIONS = new Set([
  'json_execute_serialized_sql', 'enable_logging', 'disable_logging', 'truncate_duckdb_logs', 'duckdb_logs_parsed',
  'enable_profiling', 'disable_profiling', 'set_config', 'force_checkpoint', 'getvariable', 'enable_peg_parser',
  'disable_peg_parser', 'check_peg_parser',
]);

const PRAGMAS = new Set([
  'database_list', 'database_size', 'table_info', 'show', 'show_tables', 'show_tables_expanded', 'show_databases',
  'functions', 'collations', 'storage_info', 'metadata_info', 'version', 'platform', 'user_agent', 'import_database',
]);

/** Words that may stand before a parenthesis without being a function's name. */
const NOT_A_FUNCTION = new Set(
  ('select from where join on using values in and or not as over filter by then else when case exists any all some union ' +
    'except intersect limit offset having qualify set into with lateral recursive materialized distinct returning ' +
    'between like ilike is key unique primary check references group order partition within exclude rename ' +
    'explain analyze copy to describe summarize show begin table').split(' '),
);

/** Words after which a string, or a quoted identifier, names a relation. */
const BEFORE_RELATION = new Set(['from', 'join', 'describe', 'desc', 'summarize', 'using', 'pivot', 'unpivot', 'table', 'show']);

const CLAUSES = new Set(
  'select from where group having order limit offset qualify window on using values set returning union except intersect into when'.split(' '),
);

/** Functions whose arguments have a FROM of their own. */
const FROM_INSIDE = new Set(['extract', 'substring', 'trim', 'overlay', 'position']);

const TEXT_TYPES = new Set(['varchar', 'text', 'string', 'char', 'character', 'bpchar', 'nvarchar', 'json']);

const REMOTE = /^(https?|az|azure|abfss?):\/\//i;
const OTHER_REMOTE = /^(s3|s3a|s3n|gcs|gs|r2|hf|ftp|hdfs):\/\//i;
export const isRemote = (text) => REMOTE.test(text);

const isWord = (token, ...values) => token?.kind === 'word' && (values.length === 0 || values.includes(token.value));
const isPunct = (token, value) => token?.kind === 'punct' && token.value === value;
const isName = (token) => token?.kind === 'word' || token?.kind === 'quoted';
const nameOf = (token) => token.value.toLowerCase();

const hint = 'It is not available over the Postgres endpoint';

/**
 * Looks at one statement. Throws where it is refused; otherwise says what it is:
 * `verb`, its command `tag`, `edits` to make in its text, `remote` files to read first, where `relations` are named (the
 * places of their first tokens), and `database` where the
 * statement is about whole databases, which the endpoint carries out itself.
 */
export function examine({ sql, tokens }) {
  if (tokens.length > 0 && tokens[tokens.length - 1].kind === 'unterminated') return { ...plain(sql, tokens), unfinished: true };
  const found = plain(sql, tokens);
  checkStatement(tokens, sql, found);
  scan(tokens, sql, found);
  if (found.remote.length > 0 && found.stored) {
    throw refused(`a ${found.stored} over a remote file cannot be kept by the local endpoint, which reads remote files a statement at a time. Load it into a table: CREATE TABLE ... AS SELECT ... FROM read_...(...)`);
  }
  return found;
}

const plain = (sql, tokens) => ({ sql, tokens, verb: isWord(tokens[0]) ? tokens[0].value : '', tag: tagOf(tokens), edits: [], remote: [], relations: [], database: null, stored: null });

function tagOf(tokens) {
  const words = tokens.slice(0, 8).filter((t) => t.kind === 'word').map((t) => t.value);
  const [verb = 'select'] = words;
  if (['from', 'with', 'values', 'table', 'describe', 'desc', 'summarize', 'pivot', 'unpivot'].includes(verb)) return 'SELECT';
  if (verb === 'end') return 'COMMIT';
  if (verb === 'abort') return 'ROLLBACK';
  if (verb === 'start') return 'BEGIN';
  if (['create', 'drop', 'alter', 'comment'].includes(verb)) {
    const kind = words.slice(1).find((word) => !['or', 'replace', 'temp', 'temporary', 'persistent', 'recursive', 'on'].includes(word));
    return kind && verb !== 'comment' ? `${verb.toUpperCase()} ${kind.toUpperCase()}` : verb.toUpperCase();
  }
  return verb.toUpperCase();
}

/** The rules that follow from a statement's first words. */
function checkStatement(tokens, sql, found) {
  let at = 0;
  const verb = isWord(tokens[0]) ? tokens[0].value : '';
  switch (verb) {
    case 'install':
    case 'load':
      throw refused(`${verb.toUpperCase()} is not supported: extensions are managed by MotherDuck. ${hint}`);
    case 'force':
      if (isWord(tokens[1], 'install')) throw refused(`FORCE INSTALL is not supported: extensions are managed by MotherDuck. ${hint}`);
      return;
    case 'update':
      if (isWord(tokens[1], 'extensions')) throw refused(`UPDATE EXTENSIONS is not supported: extensions are managed by MotherDuck. ${hint}`);
      return;
    case 'export':
    case 'import':
      throw refused(`${verb.toUpperCase()} DATABASE is not supported: it works on local files. Use a DuckDB client instead`);
    case 'copy':
      return checkCopy(tokens, found);
    case 'attach':
      return checkAttach(tokens, found);
    case 'detach':
      throw refused('DETACH is not supported: the databases belong to the account. Use DROP DATABASE to remove one');
    case 'set':
    case 'reset':
      return checkSet(tokens, verb);
    case 'pragma':
      return checkPragma(tokens);
    case 'use':
      if (isName(tokens[1]) && ['temp', 'system', 'pg_temp'].includes(nameOf(tokens[1]))) {
        throw refused(`USE ${nameOf(tokens[1])} is not supported: temporary objects are not available over the Postgres endpoint`);
      }
      return;
    case 'create':
      return checkCreate(tokens, sql, found);
    case 'drop':
      return checkDrop(tokens, found);
    case 'alter':
      if (isWord(tokens[1], 'database')) throw refused('ALTER DATABASE is not supported by the local endpoint. Create a database with the name that you want');
      return;
    case 'show':
      if (isWord(tokens[1], 'all') && isWord(tokens[2], 'databases')) {
        found.edits.push({ start: tokens[1].start, end: tokens[1].end, text: '' });
      }
      return;
    case 'explain':
      at = 1;
      if (isWord(tokens[at], 'analyze')) at++;
      if (isPunct(tokens[at], '(')) at = closing(tokens, at) + 1;
      return checkStatement(tokens.slice(at), sql, { ...found, database: null });
    case 'prepare': {
      const as = tokens.findIndex((token) => isWord(token, 'as'));
      if (as > 0) {
        const inner = { ...found, database: null };
        checkStatement(tokens.slice(as + 1), sql, inner);
        found.stored = 'prepared statement';
      }
      return;
    }
  }
}

function closing(tokens, open) {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (isPunct(tokens[i], '(')) depth++;
    else if (isPunct(tokens[i], ')') && --depth === 0) return i;
  }
  return tokens.length;
}

function checkCopy(tokens, found) {
  if (isWord(tokens[1], 'from') && isWord(tokens[2], 'database')) return;
  let depth = 0;
  for (let i = 1; i < tokens.length; i++) {
    if (isPunct(tokens[i], '(')) depth++;
    if (isPunct(tokens[i], ')')) depth--;
    if (depth !== 0 || !isWord(tokens[i], 'from', 'to')) continue;
    const target = tokens[i + 1];
    if (isWord(target, 'stdin', 'stdout')) {
      throw refused(`COPY ... ${tokens[i].value.toUpperCase()} ${target.value.toUpperCase()} is not supported over the Postgres endpoint. Use INSERT with several rows of VALUES, or read a remote file on the server: INSERT INTO ... SELECT ... FROM read_csv('https://...')`);
    }
    if (tokens[i].value === 'from' && target?.kind === 'string' && isRemote(target.value)) {
      found.remote.push({ start: target.start, end: target.end, urls: [target.value], form: 'single', reader: 'read_csv' });
      return;
    }
    break;
  }
  const direction = tokens.find((token) => isWord(token, 'from', 'to'))?.value === 'to' ? 'TO' : 'FROM';
  throw refused(`COPY ... ${direction} a local file is not supported over the Postgres endpoint: the server has no access to your files. ${direction === 'FROM' ? 'Put the file where the server can read it and use read_csv, read_parquet or read_json with its URL' : 'Read the rows with SELECT and write the file yourself'}`);
}

function checkAttach(tokens, found) {
  const target = tokens.find((token) => token.kind === 'string');
  if (target && /^md:/i.test(target.value)) {
    const name = target.value.slice(3).split('?')[0];
    if (/^_share\//i.test(name)) throw refused("ATTACH 'md:_share/...' is not supported by the local endpoint, which has no shares other than sample_data");
    found.database = { action: 'attach', name };
    return;
  }
  throw refused("ATTACH of a local file, of memory or of another system is not supported over the Postgres endpoint. Use CREATE DATABASE for a database of MotherDuck's own");
}

function checkSet(tokens, verb) {
  let at = 1;
  let scope = '';
  if (isWord(tokens[at], 'session', 'local', 'global')) scope = tokens[at++].value;
  const zone =
    (isWord(tokens[at], 'time') && isWord(tokens[at + 1], 'zone')) || (isName(tokens[at]) && nameOf(tokens[at]) === 'timezone');
  if (zone && scope !== 'global') return;
  const what = isName(tokens[at]) ? ` ${tokens[at].value}` : '';
  throw refused(`${verb.toUpperCase()}${what} is not supported over the Postgres endpoint: MotherDuck runs in SaaS mode, where configuration is locked. Only the session's time zone can be set (SET TimeZone = '...')`);
}

function checkPragma(tokens) {
  const name = isName(tokens[1]) ? nameOf(tokens[1]) : '';
  if (!PRAGMAS.has(name) || name === 'import_database' || isPunct(tokens[2], '=')) {
    throw refused(`PRAGMA ${name} is not supported over the Postgres endpoint: MotherDuck runs in SaaS mode, where configuration is locked`);
  }
}

function checkCreate(tokens, sql, found) {
  let at = 1;
  while (isWord(tokens[at], 'or', 'replace', 'local', 'global', 'unlogged', 'recursive')) at++;
  if (isWord(tokens[at], 'temp', 'temporary') && !isPunct(tokens[at + 1], '(')) {
    throw refused('CREATE TEMP is not supported over the Postgres endpoint. Use a table of your own and drop it, or a common table expression (WITH ... AS)');
  }
  const persistent = isWord(tokens[at], 'persistent');
  if (persistent) at++;
  const kind = isWord(tokens[at]) ? tokens[at].value : '';
  switch (kind) {
    case 'temp':
    case 'temporary':
      throw refused('CREATE TEMP is not supported over the Postgres endpoint');
    case 'secret':
      throw refused('CREATE SECRET is not supported over the Postgres endpoint. Create the secret with a DuckDB client or in the MotherDuck UI');
    case 'result':
      throw refused('CREATE RESULT is not supported over the Postgres endpoint. Use CREATE TABLE ... AS');
    case 'unique':
    case 'index':
      throw refused('CREATE INDEX is not supported over the Postgres endpoint. Declare a PRIMARY KEY or UNIQUE constraint with the table where you need one');
    case 'sequence':
      throw refused('CREATE SEQUENCE is not supported over the Postgres endpoint. Make keys in the query, for example with row_number() or uuid()');
    case 'procedure':
      throw refused('CREATE PROCEDURE is not supported over the Postgres endpoint: DuckDB has no stored procedures');
    case 'view':
    case 'macro':
    case 'function':
      found.stored = kind;
      break;
    case 'database':
      return createDatabase(tokens, at, found);
  }
  let name = at + 1;
  if (isWord(tokens[name], 'if')) name += 3;
  if (isName(tokens[name]) && ['temp', 'pg_temp'].includes(nameOf(tokens[name])) && isPunct(tokens[name + 1], '.')) {
    throw refused('temporary objects are not supported over the Postgres endpoint');
  }
}

function createDatabase(tokens, at, found) {
  const orReplace = isWord(tokens[1], 'or');
  at++;
  const ifNotExists = isWord(tokens[at], 'if');
  if (ifNotExists) at += 3;
  const name = tokens[at++];
  if (!isName(name)) return;
  let source = null;
  if (isWord(tokens[at], 'from')) {
    const from = tokens[at + 1];
    if (from?.kind === 'string') {
      throw refused("CREATE DATABASE ... FROM a path is not supported over the Postgres endpoint: the server has no access to your files. Use CREATE DATABASE and load the tables, or a DuckDB client");
    }
    if (!isName(from)) return;
    source = from.value;
    at += 2;
  }
  if (at < tokens.length) return;
  found.database = { action: 'create', name: name.value, ifNotExists, orReplace, source };
}

function checkDrop(tokens, found) {
  const kind = isWord(tokens[1]) ? tokens[1].value : '';
  if (kind === 'secret' || (isWord(tokens[1], 'persistent', 'temporary', 'temp') && isWord(tokens[2], 'secret'))) {
    throw refused('DROP SECRET is not supported over the Postgres endpoint');
  }
  if (kind !== 'database') return;
  let at = 2;
  const ifExists = isWord(tokens[at], 'if');
  if (ifExists) at += 2;
  const name = tokens[at++];
  if (!isName(name)) return;
  if (isWord(tokens[at], 'cascade', 'restrict')) at++;
  if (at < tokens.length) return;
  found.database = { action: 'drop', name: name.value, ifExists };
}

/** The rules for what may stand anywhere in a statement. */
function scan(tokens, sql, found) {
  let frame = { name: null, clause: found.verb === 'copy' ? '' : null, tableArguments: false };
  const stack = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    const before = tokens[i - 1];
    if (isPunct(token, '(') || isPunct(token, '[') || isPunct(token, '{')) {
      stack.push(frame);
      const call = token.value === '(' && isName(before) && !(before.kind === 'word' && NOT_A_FUNCTION.has(before.value)) ? nameOf(before) : null;
      const inFrom = call !== null && inRelation(tokens, i - 1, frame);
      const file = call !== null && FILE_FUNCTIONS.has(call);
      frame = { name: call, clause: null, tableArguments: frame.tableArguments || inFrom || file || (call !== null && found.verb === 'call') };
      if (call !== null) checkCall(tokens, i, call, file, inFrom, found);
      continue;
    }
    if (isPunct(token, ')') || isPunct(token, ']') || isPunct(token, '}')) {
      frame = stack.pop() ?? frame;
      continue;
    }
    if (token.kind === 'word' && CLAUSES.has(token.value) && !isPunct(before, '.')) {
      // IS DISTINCT FROM, and the FROM inside of extract(...) and its like, begin no clause.
      const comparison = token.value === 'from' && isWord(before, 'distinct') && isWord(tokens[i - 2], 'is', 'not');
      if (!comparison && !(FROM_INSIDE.has(frame.name) && frame.clause === null)) frame.clause = token.value === 'using' ? frame.clause : token.value;
      continue;
    }
    if (isWord(token, 'join')) {
      frame.clause = 'from';
      continue;
    }
    if (isPunct(token, ',') && frame.clause === 'on') frame.clause = 'from';
    if (isName(token) && !isPunct(before, '.') && inRelation(tokens, i, frame)) found.relations.push(i);
    if (token.kind === 'param') checkParameter(tokens, i, frame);
    else if ((token.kind === 'string' || token.kind === 'quoted') && inRelation(tokens, i, frame)) checkRelation(token, tokens[i + 1], found);
    if (isName(token) && nameOf(token) === 'pg_catalog' && isPunct(tokens[i + 1], '.')) throw postgresOnly('pg_catalog');
    if (isName(token) && PG_TABLES.has(nameOf(token)) && (inRelation(tokens, i, frame) || (isPunct(before, '.') && inRelation(tokens, i - 2, frame)))) {
      throw postgresOnly(nameOf(token));
    }
  }
}

const PG_TABLES = new Set(
  ('pg_am pg_attrdef pg_attribute pg_class pg_constraint pg_database pg_depend pg_description pg_enum pg_index pg_indexes ' +
    'pg_namespace pg_prepared_statements pg_proc pg_roles pg_sequence pg_sequences pg_settings pg_stat_activity pg_tables ' +
    'pg_tablespace pg_type pg_user pg_views').split(' '),
);

const postgresOnly = (what) =>
  refused(`${what} is not supported: pg_* functions and the pg_catalog are PostgreSQL's own, and the Postgres endpoint runs DuckDB SQL. Use information_schema, duckdb_tables(), duckdb_columns() or DESCRIBE`);

/** Whether the token at `i` stands where a relation does. */
function inRelation(tokens, i, frame) {
  // For a qualified name, look before its first part.
  while (isPunct(tokens[i - 1], '.') && isName(tokens[i - 2])) i -= 2;
  const before = tokens[i - 1];
  if (isWord(before, 'lateral')) return true;
  if (isWord(before, 'from')) return frame.clause === 'from';
  if (before?.kind === 'word' && BEFORE_RELATION.has(before.value)) return before.value !== 'table' || i === 1;
  return isPunct(before, ',') && frame.clause === 'from';
}

function checkCall(tokens, open, name, file, inFrom, found) {
  if (name.startsWith('pg_')) throw postgresOnly(`${name}()`);
  if (FORBIDDEN_FUNCTIONS.has(name)) throw refused(`${name}() is not supported over the Postgres endpoint`);
  if ((name === 'query' || name === 'query_table') && inFrom) return checkQueryCall(tokens, open, name);
  if (file) fileCall(tokens, open, name, found);
}

/** `FROM query('...')` runs its text: the same rules hold inside, and nothing in it can be rewritten. */
function checkQueryCall(tokens, open, name) {
  const end = closing(tokens, open);
  const args = tokens.slice(open + 1, end);
  if (name === 'query_table') return;
  if (args.length !== 1 || args[0].kind !== 'string') throw refused('query() takes one string literal here');
  for (const statement of splitStatements(args[0].value)) {
    const inner = examine(statement);
    if (inner.remote.length > 0 || inner.edits.length > 0 || inner.database) throw refused('a remote read inside of query() is not supported by the local endpoint. Write it as a statement of its own');
  }
}

/** A call of a function that reads files: its files, and MD_RUN. */
function fileCall(tokens, open, name, found) {
  const end = closing(tokens, open);
  const args = [];
  let start = open + 1;
  let depth = 0;
  for (let i = open + 1; i <= end; i++) {
    const token = tokens[i];
    if (i === end || (depth === 0 && isPunct(token, ','))) {
      if (i > start) args.push({ from: start, to: i, list: tokens.slice(start, i) });
      start = i + 1;
    } else if (isPunct(token, '(') || isPunct(token, '[') || isPunct(token, '{')) depth++;
    else if (isPunct(token, ')') || isPunct(token, ']') || isPunct(token, '}')) depth--;
  }
  let files = null;
  for (const arg of args) {
    const [first, second, value] = arg.list;
    const named = isName(first) && second?.kind === 'punct' && ['=', ':=', '=>'].includes(second.value);
    if (!named) {
      files ??= arg;
      continue;
    }
    if (nameOf(first) !== 'md_run') continue;
    const where = arg.list.length === 3 && (isName(value) || value.kind === 'string') ? value.value.toLowerCase() : '';
    if (where === 'local') throw refused(`MD_RUN = LOCAL is not supported over the Postgres endpoint: the server has no access to your files. Use MD_RUN = REMOTE`);
    if (where !== 'remote' && where !== 'auto') throw new EndpointError('Binder Error: MD_RUN must be one of REMOTE, AUTO or LOCAL');
    // With the comma before it, or, where it comes first, the one after it.
    if (isPunct(tokens[arg.from - 1], ',')) found.edits.push({ start: tokens[arg.from - 1].start, end: value.end, text: '' });
    else found.edits.push({ start: first.start, end: isPunct(tokens[arg.to], ',') ? tokens[arg.to].end : value.end, text: '' });
  }
  if (!files) return;
  const list = files.list;
  if (list.some((token) => token.kind === 'param')) throw tableParameter();
  const single = list.length === 1 && list[0].kind === 'string' && !list[0].prefix;
  const many = isPunct(list[0], '[') && isPunct(list[list.length - 1], ']');
  const strings = many ? list.slice(1, -1) : list;
  const literal = single || (many && strings.every((token, i) => (i % 2 === 0 ? token.kind === 'string' && !token.prefix : isPunct(token, ','))));
  if (!literal) throw refused(`${name}() takes the URL of a remote file, or a list of them, as string literals`);
  const urls = strings.filter((token) => token.kind === 'string').map((token) => token.value);
  for (const url of urls) checkUrl(url, name);
  if (name === 'glob') throw refused('glob() is not supported by the local endpoint');
  if (urls.length > 0) found.remote.push({ start: list[0].start, end: list[list.length - 1].end, urls, form: many ? 'list' : 'argument', reader: name });
}

function checkUrl(url, name) {
  if (isRemote(url)) return;
  if (OTHER_REMOTE.test(url)) {
    throw refused(`the local endpoint reads http://, https://, az:// and azure:// only, not '${url}'`);
  }
  throw refused(`${name} of a local path ('${url}') is not supported over the Postgres endpoint: the server has no access to your files. Put the file where the server can read it and give its URL`);
}

function checkRelation(token, next, found) {
  if (isPunct(next, '.') || isPunct(next, '(')) return;
  if (isRemote(token.value)) {
    found.remote.push({ start: token.start, end: token.end, urls: [token.value], form: 'relation', reader: readerFor(token.value) });
  } else if (OTHER_REMOTE.test(token.value)) {
    checkUrl(token.value, 'a scan');
  } else if (token.kind === 'string' && /[/\\]|\.(csv|tsv|txt|parquet|json|jsonl|ndjson|db|duckdb|arrow|xlsx)(\.(gz|zst))?$/i.test(token.value)) {
    checkUrl(token.value, 'a scan');
  }
}

function readerFor(url) {
  const path = url.split(/[?#]/)[0].toLowerCase().replace(/\.(gz|zst)$/, '');
  if (path.endsWith('.parquet')) return 'read_parquet';
  return /\.(json|jsonl|ndjson)$/.test(path) ? 'read_json_auto' : 'read_csv_auto';
}

const tableParameter = () =>
  new EndpointError("Binder Error: a parameter in a table function's arguments is not supported over the Postgres endpoint. Write the value as a literal");

function checkParameter(tokens, i, frame) {
  if (frame.tableArguments) throw tableParameter();
  // ($1) is $1.
  let from = i;
  let to = i;
  while (isPunct(tokens[from - 1], '(') && isPunct(tokens[to + 1], ')') && !isWord(tokens[from - 2], 'cast', 'try_cast') && !isFunction(tokens[from - 2])) {
    from--;
    to++;
  }
  let type = null;
  if (isPunct(tokens[to + 1], '::')) type = to + 2;
  else if (isPunct(tokens[from - 1], '(') && isWord(tokens[from - 2], 'cast', 'try_cast') && isWord(tokens[to + 1], 'as')) type = to + 2;
  if (type === null || !isName(tokens[type])) return;
  const name = nameOf(tokens[type]);
  const array = isPunct(tokens[type + 1], '[') || (isPunct(tokens[type + 1], '(') && isPunct(tokens[closing(tokens, type + 1) + 1], '['));
  if (TEXT_TYPES.has(name) && !array) return;
  const written = tokens[i].value === '?' ? '?' : `$${tokens[i].value}`;
  throw new EndpointError(`Invalid Input Error: a bound string cannot be cast to ${name.toUpperCase()} over the Postgres endpoint. Write CAST(CAST(${written} AS VARCHAR) AS ${name.toUpperCase()})`);
}

const isFunction = (token) => isName(token) && !(token.kind === 'word' && NOT_A_FUNCTION.has(token.value));

/** The text with its edits made. */
export function applyEdits(sql, edits) {
  let text = sql;
  for (const edit of [...edits].sort((a, b) => b.start - a.start)) text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
  return text;
}
