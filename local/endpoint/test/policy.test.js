// What the endpoint refuses and what it must not refuse, line by line of MotherDuck's reference page.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { examine } from '../src/policy.js';
import { splitStatements, tokenize } from '../src/lexer.js';
import { failure, start, temporaryDirectory, texts } from './support.js';

let endpoint;
let client;
before(async () => {
  endpoint = await start();
  client = await endpoint.client();
});
after(async () => {
  await client.end();
  await endpoint.stop();
});

// [statement, what the message says]
const REFUSED = [
  ["COPY t FROM '/local/file.csv'", /COPY \.\.\. FROM a local file/],
  ["COPY t TO '/tmp/out.csv'", /COPY \.\.\. TO a local file/],
  ["COPY (SELECT 1) TO 'out.parquet' (FORMAT parquet)", /COPY/],
  ["COPY (SELECT 1) TO 'https://localhost/x.csv'", /COPY/],
  ['COPY t FROM STDIN', /COPY \.\.\. FROM STDIN/],
  ['COPY t (a, b) FROM STDIN WITH (FORMAT csv)', /COPY \.\.\. FROM STDIN/],
  ['COPY t TO STDOUT', /COPY \.\.\. TO STDOUT/],
  ["EXPORT DATABASE '/tmp/x'", /EXPORT DATABASE/],
  ["EXPORT DATABASE my_db TO '/tmp/x' (FORMAT parquet)", /EXPORT DATABASE/],
  ["IMPORT DATABASE '/tmp/x'", /IMPORT DATABASE/],
  ["ATTACH ':memory:'", /ATTACH/],
  ["ATTACH ':memory:' AS other", /ATTACH/],
  ["ATTACH '/path/to/file.duckdb'", /ATTACH/],
  ["ATTACH IF NOT EXISTS '/path/to/file.duckdb' AS f (READ_ONLY)", /ATTACH/],
  ["ATTACH 'file.db' (TYPE sqlite)", /ATTACH/],
  ["ATTACH 'md:_share/x/00000000-0000-0000-0000-000000000000'", /shares/],
  ['DETACH my_db', /DETACH/],
  ["CREATE DATABASE x FROM '/path/to/file.duckdb'", /CREATE DATABASE \.\.\. FROM a path/],
  ["CREATE OR REPLACE DATABASE x FROM 'file.duckdb'", /CREATE DATABASE \.\.\. FROM a path/],
  ["SELECT * FROM read_csv('https://localhost/x.csv', MD_RUN = LOCAL)", /MD_RUN = LOCAL/],
  ["SELECT * FROM read_parquet('https://localhost/x', md_run := 'local')", /MD_RUN = LOCAL/],
  ["SELECT * FROM read_json(MD_RUN=LOCAL, 'https://localhost/x')", /MD_RUN = LOCAL/],
  ["SELECT * FROM read_csv('https://localhost/x.csv', MD_RUN = ELSEWHERE)", /MD_RUN must be/],
  ['INSTALL httpfs', /INSTALL/],
  ['FORCE INSTALL httpfs', /INSTALL/],
  ["INSTALL 'httpfs' FROM core", /INSTALL/],
  ['LOAD httpfs', /LOAD/],
  ["LOAD '/tmp/x.duckdb_extension'", /LOAD/],
  ['UPDATE EXTENSIONS', /UPDATE EXTENSIONS/],
  ['UPDATE EXTENSIONS (httpfs)', /UPDATE EXTENSIONS/],
  ['CREATE SECRET (TYPE s3)', /CREATE SECRET/],
  ['CREATE PERSISTENT SECRET s (TYPE azure)', /CREATE SECRET/],
  ['CREATE OR REPLACE SECRET s IN MOTHERDUCK (TYPE s3)', /CREATE SECRET/],
  ['CREATE TEMPORARY SECRET s (TYPE s3)', /CREATE TEMP/],
  ['DROP SECRET s', /DROP SECRET/],
  ['DROP PERSISTENT SECRET s', /DROP SECRET/],
  ['CREATE RESULT r AS SELECT 1', /CREATE RESULT/],
  ['SET threads = 4', /SET threads/],
  ['SET SESSION threads TO 4', /SET threads/],
  ["SET memory_limit = '1GB'", /SET memory_limit/],
  ["SET search_path = 'main'", /SET search_path/],
  ["SET schema = 'main'", /SET schema/],
  ['SET VARIABLE x = 1', /SET variable/],
  ["SET GLOBAL TimeZone = 'UTC'", /SET TimeZone/i],
  ['SET enable_external_access = true', /SET enable_external_access/],
  ["SET client_encoding TO 'UTF8'", /SET client_encoding/],
  ["SET application_name = 'x'", /SET application_name/],
  ['RESET threads', /RESET threads/],
  ['RESET ALL', /RESET all/],
  ['PRAGMA threads = 4', /PRAGMA threads/],
  ['PRAGMA enable_profiling', /PRAGMA enable_profiling/],
  ["PRAGMA import_database('/tmp')", /PRAGMA import_database/],
  ['PRAGMA memory_limit=\'1GB\'', /PRAGMA memory_limit/],
  ['CREATE TEMP TABLE t (a INT)', /CREATE TEMP/],
  ['CREATE TEMPORARY TABLE t AS SELECT 1', /CREATE TEMP/],
  ['CREATE OR REPLACE TEMP TABLE t AS SELECT 1', /CREATE TEMP/],
  ['CREATE OR REPLACE TEMP VIEW v AS SELECT 1', /CREATE TEMP/],
  ['CREATE LOCAL TEMPORARY TABLE t (a INT)', /CREATE TEMP/],
  ['CREATE TEMP MACRO m() AS 1', /CREATE TEMP/],
  ['CREATE TEMP SEQUENCE s', /CREATE TEMP/],
  ['CREATE TABLE temp.t (a INT)', /temporary/],
  ['CREATE TABLE IF NOT EXISTS temp.main.t (a INT)', /temporary/],
  ['CREATE TABLE "temp".t (a INT)', /temporary/],
  ['USE temp', /USE temp/],
  ['CREATE INDEX i ON t (a)', /CREATE INDEX/],
  ['CREATE UNIQUE INDEX i ON t (a)', /CREATE INDEX/],
  ['CREATE SEQUENCE s', /CREATE SEQUENCE/],
  ['CREATE PROCEDURE p() AS 1', /CREATE PROCEDURE/],
  ['ALTER DATABASE my_db SET ALIAS TO other', /ALTER DATABASE/],
  ["SELECT * FROM read_csv('/etc/passwd')", /read_csv of a local path/],
  ["SELECT * FROM read_csv_auto('x.csv')", /local path/],
  ["SELECT * FROM read_text('/etc/passwd')", /local path/],
  ["SELECT * FROM read_blob(['/etc/passwd'])", /local path/],
  ["SELECT * FROM read_parquet(['https://localhost/a.parquet', '../b.parquet'])", /local path/],
  ["SELECT * FROM read_csv('file:///etc/passwd')", /local path/],
  ["SELECT * FROM glob('/etc/*')", /local path/],
  ["SELECT * FROM sniff_csv('/etc/passwd')", /local path/],
  ["SELECT * FROM read_json('~/x.json')", /local path/],
  ["SELECT * FROM read_text('/etc/' || 'passwd')", /string literals/],
  ["SELECT * FROM read_text(concat('/etc/', 'passwd'))", /string literals/],
  ["SELECT * FROM read_text(E'/etc/passwd')", /string literals/],
  ["SELECT * FROM read_text(getvariable('x'))", /string literals|getvariable/],
  ["SELECT * FROM parquet_scan('x.parquet')", /local path/],
  ["SELECT * FROM parquet_schema('x.parquet')", /local path/],
  ["SELECT * FROM read_csv('s3://bucket/x.csv')", /http:\/\/, https:\/\/, az:\/\/ and azure:\/\/ only/],
  ["SELECT * FROM '/etc/passwd.csv'", /local path/],
  ["SELECT * FROM 'data.parquet' AS d", /local path/],
  ["FROM 'data.csv'", /local path/],
  ["SELECT * FROM t, 'data.csv'", /local path/],
  ["SELECT 1 FROM (SELECT 1) a JOIN 'data.json' b ON true", /local path/],
  ["SUMMARIZE 'data.csv'", /local path/],
  ["DESCRIBE 'data.csv'", /local path/],
  ["SELECT * FROM query('SELECT * FROM read_csv(''/etc/passwd'')')", /local path/],
  ["SELECT * FROM query('SELECT * FROM ' || 'x')", /one string literal/],
  ["SELECT * FROM query('INSTALL httpfs')", /INSTALL/],
  ["SELECT * FROM json_execute_serialized_sql('{}')", /json_execute_serialized_sql/],
  ['CALL enable_logging()', /enable_logging/],
  ['SELECT pg_typeof(1)', /pg_\* functions/],
  ['SELECT "pg_typeof"(1)', /pg_\* functions/],
  ['SELECT pg_catalog.pg_typeof(1)', /pg_/],
  ['SELECT pg_get_userbyid(1)', /pg_\* functions/],
  ['SELECT * FROM pg_catalog.pg_class', /pg_catalog/],
  ['SELECT * FROM "pg_catalog"."pg_tables"', /pg_catalog/],
  ['SELECT * FROM pg_class', /pg_class/],
  ['SELECT * FROM pg_type t JOIN pg_enum e ON true', /pg_type/],
  ['SELECT 1 FROM (SELECT 1) a, pg_database', /pg_database/],
  ["CREATE VIEW v AS SELECT * FROM read_csv('https://localhost/x.csv')", /cannot be kept/],
  ["CREATE MACRO m() AS TABLE SELECT * FROM 'https://localhost/x.parquet'", /cannot be kept/],
  ["CREATE MACRO m(p) AS TABLE SELECT * FROM read_csv(p)", /string literals/],
  ["PREPARE p AS SELECT * FROM read_csv('/etc/passwd')", /local path/],
  ["EXPLAIN SELECT * FROM read_csv('/etc/passwd')", /local path/],
  ["EXPLAIN ANALYZE COPY t TO '/tmp/x'", /COPY/],
  ['EXPLAIN CREATE TEMP TABLE t (a INT)', /CREATE TEMP/],
  ['PREPARE p AS CREATE TEMP TABLE t (a INT)', /CREATE TEMP/],
  ["WITH x AS (SELECT * FROM read_text('/etc/passwd')) SELECT * FROM x", /local path/],
  ["INSERT INTO t SELECT * FROM 'x.csv'", /local path/],
  ["CREATE TABLE t AS FROM 'x.csv'", /local path/],
  ["MERGE INTO t USING 'x.csv' s ON t.a = s.a WHEN MATCHED THEN DELETE", /local path/],
];

/** The same statement as its author might hide it. */
const disguises = [
  (sql) => sql,
  (sql) => `/* a comment */ ${sql}`,
  (sql) => `-- a comment\n${sql}`,
  (sql) => `/* nested /* comments */ */\n\t ${sql.replace(/(?<=^\w+) /, ' /* between */ ')}`,
  (sql) => `\u00a0\u2003\f\v ${sql}`,
  (sql) => sql.replace(/^\w+/, (verb) => verb.toLowerCase()),
  (sql) => sql.replace(/^\w+/, (verb) => [...verb].map((c, i) => (i % 2 ? c.toLowerCase() : c.toUpperCase())).join('')),
  (sql) => `; ;${sql};`,
];

test('what MotherDuck refuses is refused, however it is written', async () => {
  for (const [sql, message] of REFUSED) {
    for (const disguise of disguises) {
      const error = await failure(client, disguise(sql));
      assert.match(error.message, message, disguise(sql));
      assert.equal(error.code, 'XX000', disguise(sql));
    }
  }
});

test('it is refused when it is prepared, too', async () => {
  for (const [sql, message] of REFUSED) assert.match((await failure(client, { text: sql, values: [], name: '' }.text, [])).message, message, sql);
});

test('what only contains such words is not refused', async () => {
  await client.query('CREATE OR REPLACE TABLE words (copy VARCHAR, load INT, "install" INT, "set" INT, "temp" INT, attach INT, export INT, pg_type INT)');
  await client.query("INSERT INTO words VALUES ('COPY t FROM STDIN', 1, 2, 3, 4, 5, 6, 7)");
  for (const sql of [
    "SELECT 'INSTALL httpfs'", "SELECT 'LOAD x; COPY t FROM ''/etc/passwd'''", 'SELECT 1 AS "INSTALL"', "SELECT $$SET threads = 4; pg_typeof(1)$$", "SELECT $a$ $$ read_csv('/etc/passwd') $$ $a$",
    'SELECT 1 -- INSTALL httpfs', 'SELECT 1 /* COPY t FROM STDIN */', "SELECT 'read_csv(''/etc/passwd'')'", 'SELECT copy, load, "install", "set", "temp", attach, export, pg_type FROM words',
    'SELECT words.pg_type, w.load FROM words, words AS w', "SELECT E'it\\'s; INSTALL httpfs'", "SELECT * FROM words WHERE copy = 'COPY t FROM STDIN'", 'SELECT "read_csv" FROM (SELECT 1 AS "read_csv")',
    "SELECT read_csv FROM (SELECT 'read_csv' AS read_csv)", "SELECT 'x.csv' AS file FROM words", "SELECT extract(year FROM DATE '2024-01-01'), substring('abc' FROM 2), trim(both 'x' FROM 'x.csv')", "SELECT 'a', '/etc/passwd', 'x.csv'",
    "SELECT 1 WHERE 'a.csv' IS DISTINCT FROM 'b.csv'", "SELECT * FROM (VALUES ('x.csv'), ('/etc/passwd'))", "SELECT * FROM words WHERE copy IN ('x.csv', 'y.csv')", 'SELECT temp.a FROM (SELECT 1 AS a) AS temp',
    "UPDATE words SET copy = 'x.csv'", 'SELECT set.a FROM (SELECT 1 AS a) "set"', "SELECT 'pg_typeof(1)'", 'SELECT 1 AS pg_catalog', "SELECT * FROM words ORDER BY copy || 'x.csv'", "SELECT list_transform(['a.csv'], x -> x)",
    "SELECT count(*) FROM range(3) t(i), range(2) s(j)", "SELECT * FROM query('SELECT 1')", "SELECT * FROM query_table('words')", 'COMMENT ON TABLE words IS \'INSTALL\'', 'SELECT "SET" FROM words', "SELECT U&'d'",
  ]) {
    try {
      await client.query(sql);
    } catch (error) {
      assert.match(error.message, /^Parser Error|^Binder Error: .*U&|^Catalog Error: Type with name/, `${sql}: ${error.message}`);
      assert.ok(sql.includes('U&') || sql.includes('set.a'), `${sql}: ${error.message}`);
    }
  }
});

test('what works on MotherDuck works here', async () => {
  for (const sql of [
    'SHOW TABLES', 'SHOW ALL TABLES', 'SHOW DATABASES', 'SHOW ALL DATABASES', 'DESCRIBE words', 'DESCRIBE SELECT 1', 'SUMMARIZE words', 'USE sample_data', 'USE sample_data.hn', 'USE my_db', 'USE my_db.main', "SET TimeZone = 'UTC'", "SET TIME ZONE 'UTC'", 'RESET TimeZone',
    'PRAGMA table_info(words)', 'PRAGMA database_list', 'PRAGMA version', 'EXPLAIN SELECT 1', 'EXPLAIN ANALYZE SELECT 1', 'PIVOT words ON load USING count(*)', 'CREATE OR REPLACE TABLE pivoted AS PIVOT words ON load USING count(*)', 'FROM words', 'VALUES (1)', 'TABLE words',
    'CREATE SCHEMA IF NOT EXISTS extra', 'CREATE OR REPLACE VIEW extra.v AS SELECT 1 AS a', 'CREATE OR REPLACE MACRO extra.plus(x) AS x + 1', 'SELECT extra.plus(1)', "CREATE TYPE extra.mood AS ENUM ('ok')", 'ALTER TABLE words ADD COLUMN more INT', 'ALTER TABLE words RENAME COLUMN more TO less', 'DROP SCHEMA extra CASCADE',
    'SELECT * FROM duckdb_tables()', 'SELECT * FROM duckdb_databases()', 'SELECT * FROM duckdb_columns()', 'SELECT * FROM information_schema.tables', 'SELECT * FROM information_schema.columns', 'SELECT * FROM information_schema.schemata', 'CHECKPOINT', 'ANALYZE', 'VACUUM', "ATTACH 'md:my_db'", "ATTACH 'md:'",
    'CREATE DATABASE IF NOT EXISTS extra_db', 'CREATE DATABASE IF NOT EXISTS extra_db', 'CREATE TABLE extra_db.t AS SELECT 1 AS a', 'CREATE OR REPLACE DATABASE clone_db FROM extra_db', 'SELECT a FROM clone_db.t', 'COPY FROM DATABASE extra_db TO my_db', 'DROP DATABASE IF EXISTS extra_db', 'DROP DATABASE IF EXISTS extra_db', 'DROP DATABASE clone_db',
    "SELECT title, score FROM sample_data.hn.hacker_news WHERE type = 'story' ORDER BY score DESC LIMIT 5", 'SELECT current_database(), current_schema(), version(), now()', 'WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 5) SELECT sum(i) FROM r', 'TRUNCATE words', 'DROP TABLE words',
  ]) {
    try {
      await client.query(sql);
    } catch (error) {
      assert.fail(`${sql}: ${error.message}`);
    }
  }
});

test('databases are made and dropped with clear errors', async () => {
  for (const [sql, message] of [
    ['CREATE DATABASE my_db', /already exists/], ['CREATE DATABASE system', /cannot have the name/], ['DROP DATABASE nope', /"nope" does not exist/], ['DROP DATABASE sample_data', /share/], ['DROP DATABASE my_db', /current database|default database/],
    ['CREATE DATABASE x FROM nope', /"nope" does not exist/], ["ATTACH 'md:nope'", /"nope" does not exist/], ['CREATE TABLE sample_data.hn.t (a INT)', /read-only/], ['USE nope', /Catalog Error|Binder Error/],
  ]) assert.match((await failure(client, sql)).message, message, sql);
});

test('information_schema tells of the connected database only; duckdb_tables() of all', async (t) => {
  const other = await endpoint.client({ database: 'sample_data' });
  t.after(() => other.end());
  await client.query('CREATE OR REPLACE TABLE mine (a INT PRIMARY KEY)');
  const names = async (c, sql) => (await texts(c, sql)).map(([name]) => name);
  assert.deepEqual(await names(other, 'SELECT table_name FROM information_schema.tables ORDER BY 1'), ['hacker_news', 'taxi']);
  assert.deepEqual(await names(other, 'SELECT tables.table_name FROM INFORMATION_SCHEMA."tables" WHERE tables.table_schema = \'hn\''), ['hacker_news']);
  assert.deepEqual(await names(other, 'SELECT t.table_name FROM sample_data.information_schema.tables t JOIN information_schema.columns AS c ON c.table_name = t.table_name WHERE c.column_name = \'VendorID\''), ['taxi']);
  assert.deepEqual(await names(other, 'SELECT DISTINCT catalog_name FROM information_schema.schemata'), ['sample_data']);
  assert.deepEqual(await names(client, "SELECT table_name FROM information_schema.tables WHERE table_name IN ('mine', 'taxi')"), ['mine']);
  assert.deepEqual(await names(client, "SELECT table_name FROM information_schema.key_column_usage WHERE table_name = 'mine'"), ['mine']);
  assert.deepEqual(await names(client, "SELECT table_name FROM duckdb_tables() WHERE table_name IN ('mine', 'taxi') ORDER BY 1"), ['mine', 'taxi']);
  assert.deepEqual(await names(client, "SELECT table_name FROM information_schema.tables WHERE table_name = (SELECT min(table_name) FROM information_schema.tables WHERE table_name = 'mine')"), ['mine']);
  await other.query('USE my_db');
  assert.deepEqual(await names(other, "SELECT table_name FROM information_schema.tables WHERE table_name IN ('mine', 'taxi')"), ['mine']);
});

test('with attach_mode=single there is no other database', async (t) => {
  const single = await endpoint.client({ options: '--attach_mode=single' });
  t.after(() => single.end());
  await single.query('CREATE OR REPLACE TABLE mine (a INT)');
  assert.deepEqual(await texts(single, 'SHOW DATABASES'), [['my_db']]);
  assert.deepEqual(await texts(single, "SELECT database_name FROM duckdb_databases() WHERE NOT internal"), [['my_db']]);
  assert.deepEqual(await texts(single, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'taxi'"), [['0']]);
  assert.deepEqual(await texts(single, "SELECT count(*) FROM duckdb_tables() AS t WHERE t.table_name = 'mine'"), [['1']]);
  assert.ok((await texts(single, 'SHOW ALL TABLES')).every(([database]) => database === 'my_db'));
  for (const sql of ['SELECT * FROM sample_data.hn.hacker_news', 'USE sample_data', 'SELECT 1 FROM mine, "Sample_Data".nyc.taxi', 'INSERT INTO sample_data.hn.hacker_news VALUES (1)', 'DESCRIBE sample_data.nyc.taxi', 'SELECT * FROM (SELECT * FROM sample_data.nyc.taxi) x']) {
    assert.match((await failure(single, sql)).message, /^Binder Error: Catalog "sample_data" does not exist/i, sql);
  }
  assert.deepEqual(await texts(single, 'SELECT sample_data.a FROM (SELECT 1 AS a) AS sample_data'), [['1']]);
});

test('no local file is reachable by any function, glob or scan, even where the policy were blind', async (t) => {
  // Straight to DuckDB as the endpoint sets it up, without the policy before it.
  const { Databases } = await import('../src/databases.js');
  const directory = temporaryDirectory(t);
  writeFileSync(path.join(directory, 'secret.csv'), 'a\n1\n');
  const { mkdirSync } = await import('node:fs');
  mkdirSync(path.join(directory, 'work'));
  const databases = await Databases.open({ dataDirectory: null, workDirectory: path.join(directory, 'work') });
  const connection = await databases.connect('my_db');
  const file = path.join(directory, 'secret.csv');
  for (const sql of [
    `SELECT * FROM read_csv('${file}')`, `SELECT * FROM '${file}'`, `SELECT * FROM "${file}"`, `SELECT * FROM read_text('${file}')`, `SELECT * FROM read_blob('${directory}/*')`, `SELECT * FROM glob('${directory}/*')`, `SELECT * FROM sniff_csv('${file}')`,
    `COPY (SELECT 1) TO '${directory}/out.csv'`, `EXPORT DATABASE '${directory}/out'`, `ATTACH '${directory}/out.db'`, 'INSTALL httpfs', 'LOAD httpfs', 'SET enable_external_access = true', "SET allowed_directories = ['/']", 'SET lock_configuration = false', 'SET threads = 1', 'RESET allowed_directories',
    `SELECT * FROM read_csv('${databases.cacheDirectory}/../../secret.csv')`, `SELECT * FROM read_json('${file}')`, `COPY t FROM '${file}'`, `SELECT * FROM parquet_metadata('${file}')`, "SELECT * FROM read_csv('https://localhost/x.csv')", `CREATE SECRET (TYPE s3)`, `PRAGMA import_database('${directory}')`, `SET log_query_path = '${directory}/log'`,
  ]) {
    await assert.rejects(connection.run(sql), /Permission Error|Invalid Input Error|Catalog Error|IO Error|Invalid Configuration Error|Binder Error/, sql);
  }
  assert.deepEqual(readdirSync(directory).sort(), ['secret.csv', 'work']);
  assert.ok(!existsSync(path.join(directory, 'out.csv')));
  connection.close();
  await databases.close();
});

test('MD_RUN = REMOTE and AUTO are stripped, wherever they stand', () => {
  for (const [sql, expected] of [
    ["SELECT * FROM read_csv('https://h/x', MD_RUN = REMOTE)", "SELECT * FROM read_csv('https://h/x')"],
    ["SELECT * FROM read_csv('https://h/x', HEADER = true, md_run := 'auto', delim = ',')", "SELECT * FROM read_csv('https://h/x', HEADER = true, delim = ',')"],
    ["SELECT * FROM read_csv(MD_RUN=REMOTE, 'https://h/x')", "SELECT * FROM read_csv( 'https://h/x')"],
  ]) {
    const [statement] = splitStatements(sql);
    const found = examine(statement);
    let text = sql;
    for (const edit of found.edits) text = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    assert.equal(text, expected);
    assert.deepEqual(found.remote[0].urls, ['https://h/x']);
  }
});

test('the lexer cuts text as DuckDB does', () => {
  const kinds = (sql) => tokenize(sql).map((token) => `${token.kind}:${token.value}`);
  assert.deepEqual(kinds('SELECT a.b, "c ""d""" FROM $1'), ['word:select', 'word:a', 'punct:.', 'word:b', 'punct:,', 'quoted:c "d"', 'word:from', 'param:1']);
  assert.deepEqual(kinds("'it''s' E'it\\'s' X'ab'"), ["string:it's", "string:it's", 'string:ab']);
  assert.deepEqual(kinds('$$a$$ $t$ $$ $t$ $1 $name ?'), ['string:a', 'string: $$ ', 'param:1', 'param:name', 'param:?']);
  assert.deepEqual(kinds('1.5e-3 0xFF 1_000 .5 a1$b'), ['number:1.5e-3', 'number:0xFF', 'number:1_000', 'number:.5', 'word:a1$b']);
  assert.deepEqual(kinds("x::int 'open"), ['word:x', 'punct:::', 'word:int', 'unterminated:quote']);
  assert.deepEqual(splitStatements("a ';' ; b -- ; c\n; /* ; */ ;").map((s) => s.sql), ["a ';'", 'b -- ; c']);
});
