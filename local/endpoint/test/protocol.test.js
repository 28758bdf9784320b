// The simple and the extended query protocol, message by message.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Raw, columnsOf, failure, fieldsOf, start, texts, types, valuesOf, wire } from './support.js';

let endpoint;
before(async () => {
  endpoint = await start();
});
after(() => endpoint.stop());

const connect = async (t, options) => {
  const raw = await Raw.connect(options?.endpoint ?? endpoint, options);
  t.after(() => raw.end());
  raw.ask = async (...frames) => {
    raw.send(...frames);
    return raw.until('Z');
  };
  return raw;
};
const client = async (t, options) => {
  const made = await endpoint.client(options);
  t.after(() => made.end());
  return made;
};
const tagsOf = (messages) => messages.filter((m) => m.type === 'C').map((m) => m.body.toString('utf8', 0, m.body.length - 1));
const errorOf = (messages) => fieldsOf(messages.find((m) => m.type === 'E'));
const rowsOf = (messages) => messages.filter((m) => m.type === 'D').map((m) => valuesOf(m).map((v) => v?.toString() ?? null));

test('a simple query may hold several statements; after an error the rest is not run', async (t) => {
  const raw = await connect(t);
  assert.equal(types(await raw.ask(wire.query("SELECT 1; ; SELECT 2 -- ; SELECT 3\n; SELECT ';'"))), 'TDCTDCTDCZ');
  const messages = await raw.ask(wire.query('CREATE TABLE several (a INT); SELECT nope; DROP TABLE several'));
  assert.equal(types(messages), 'TCEZ');
  assert.deepEqual(rowsOf(await raw.ask(wire.query('SELECT count(*) FROM several'))), [['0']]);
  for (const nothing of ['', '  ', ';', ' ; /* none */ ; -- none']) assert.equal(types(await raw.ask(wire.query(nothing))), 'IZ', JSON.stringify(nothing));
});

test('every statement answers with a result set, and no command tag has a count', async (t) => {
  const raw = await connect(t);
  const cases = [
    ['CREATE TABLE results (a INT PRIMARY KEY, b VARCHAR)', 'Count', [], 'CREATE TABLE'],
    ["INSERT INTO results VALUES (1, 'x'), (2, 'y'), (3, NULL)", 'Count', [['3']], 'INSERT'],
    ["UPDATE results SET b = 'z' WHERE a > 1", 'Count', [['2']], 'UPDATE'],
    ['DELETE FROM results WHERE a = 3', 'Count', [['1']], 'DELETE'],
    ["MERGE INTO results USING (VALUES (1, 'm'), (9, 'n')) s(a, b) ON results.a = s.a WHEN MATCHED THEN UPDATE WHEN NOT MATCHED THEN INSERT BY NAME", 'Count', [['2']], 'MERGE'],
    ['CREATE OR REPLACE TABLE copied AS SELECT * FROM results', 'Count', [['3']], 'CREATE TABLE'],
    ['CREATE VIEW shown AS SELECT 1', 'Count', [], 'CREATE VIEW'],
    ['DROP VIEW shown', 'Success', [], 'DROP VIEW'],
    ['BEGIN TRANSACTION', 'Success', [], 'BEGIN'],
    ['COMMIT', 'Success', [], 'COMMIT'],
    ['BEGIN', 'Success', [], 'BEGIN'],
    ['ROLLBACK', 'Success', [], 'ROLLBACK'],
    ['CREATE DATABASE made', 'Success', [], 'CREATE DATABASE'],
    ['DROP DATABASE made', 'Success', [], 'DROP DATABASE'],
    ["SET TimeZone = 'UTC'", 'Success', [], 'SET'],
    ['USE my_db', 'Success', [], 'USE'],
    ['INSERT INTO results VALUES (4, NULL) RETURNING a', 'a', [['4']], 'INSERT'],
    ['SELECT count(*) AS n FROM results', 'n', [['4']], 'SELECT'],
  ];
  for (const [sql, column, rows, tag] of cases) {
    const extended = [wire.parse('', sql), wire.bind('', ''), wire.describe('P'), wire.execute(), wire.sync()];
    // Half of them each way: both have the same answers.
    for (const frames of /^(SET|USE|SELECT)/.test(sql) ? [[wire.query(sql)], extended] : cases.findIndex(([s]) => s === sql) % 2 ? [extended] : [[wire.query(sql)]]) {
      const messages = await raw.ask(...frames);
      assert.deepEqual(columnsOf(messages.find((m) => m.type === 'T')).map((c) => c.name), [column], sql);
      assert.deepEqual(rowsOf(messages), rows, sql);
      assert.deepEqual(tagsOf(messages), [tag], sql);
    }
  }
  const count = await raw.ask(wire.parse('', "INSERT INTO results VALUES ($1, $2)"), wire.describe('S'), wire.bind('', '', ['10', 'ten']), wire.execute(), wire.sync());
  assert.equal(types(count), '1tT2DCZ');
  assert.equal(columnsOf(count.find((m) => m.type === 'T'))[0].oid, 20);
  assert.deepEqual(rowsOf(count), [['1']]);
});

test('with compatibility-mode=metabase tags have counts and commands no rows', async (t) => {
  const raw = await connect(t, { parameters: { user: 'u', database: 'md:', options: '--compatibility-mode=metabase' } });
  const cases = [
    ['CREATE TABLE metabase (a INT)', 'CREATE TABLE'], ['INSERT INTO metabase VALUES (1), (2), (3)', 'INSERT 0 3'], ['UPDATE metabase SET a = a + 1', 'UPDATE 3'],
    ['DELETE FROM metabase WHERE a = 2', 'DELETE 1'], ['BEGIN', 'BEGIN'], ['ROLLBACK', 'ROLLBACK'], ['DROP TABLE metabase', 'DROP TABLE'],
  ];
  for (const [sql, tag] of cases) {
    const messages = await raw.ask(wire.query(sql));
    assert.equal(types(messages), 'CZ', sql);
    assert.deepEqual(tagsOf(messages), [tag]);
  }
  const select = await raw.ask(wire.query('SELECT * FROM range(7)'));
  assert.deepEqual(tagsOf(select), ['SELECT 7']);
  const extended = await raw.ask(wire.parse('', 'CREATE TABLE metabase (a INT)'), wire.bind('', ''), wire.describe('P'), wire.execute(), wire.sync());
  assert.equal(types(extended), '12nCZ');
});

test('statements and portals have names; the unnamed ones are replaced', async (t) => {
  const raw = await connect(t);
  const messages = await raw.ask(
    wire.parse('a', 'SELECT CAST($1 AS VARCHAR) AS v'), wire.parse('b', 'SELECT 2'), wire.describe('S', 'a'), wire.bind('p', 'a', ['x']), wire.bind('q', 'b'), wire.describe('P', 'p'),
    wire.execute('q'), wire.execute('p'), wire.sync(),
  );
  assert.equal(types(messages), '11tT22TDCDCZ');
  assert.deepEqual(rowsOf(messages), [['2'], ['x']]);
  assert.match(errorOf(await raw.ask(wire.parse('a', 'SELECT 3'), wire.sync())).M, /already exists/);
  assert.equal(types(await raw.ask(wire.parse('', 'SELECT 1'), wire.parse('', 'SELECT 2'), wire.bind('', ''), wire.bind('', ''), wire.execute(), wire.sync())), '1122DCZ');
  assert.match(errorOf(await raw.ask(wire.bind('p', 'none'), wire.sync())).M, /"none" does not exist/);
  assert.match(errorOf(await raw.ask(wire.execute('p'), wire.sync())).M, /portal "p" does not exist/, 'a portal ends with its transaction');
  assert.match(errorOf(await raw.ask(wire.bind('p', 'b'), wire.bind('p', 'b'), wire.sync())).M, /portal "p" already exists/);
  assert.equal(types(await raw.ask(wire.close('S', 'a'), wire.close('S', 'never'), wire.close('P', 'never'), wire.sync())), '333Z');
  assert.match(errorOf(await raw.ask(wire.describe('S', 'a'), wire.sync())).M, /"a" does not exist/);
  assert.match(errorOf(await raw.ask(wire.describe('P', 'a'), wire.sync())).M, /portal "a" does not exist/);
});

test('after an error everything is skipped until Sync', async (t) => {
  const raw = await connect(t);
  const messages = await raw.ask(wire.parse('', 'SELECT nope'), wire.bind('', ''), wire.query('SELECT 1'), wire.parse('', 'SELECT 1'), wire.execute(), wire.sync());
  assert.equal(types(messages), 'EZ');
  assert.equal(types(await raw.ask(wire.parse('', 'SELECT 1'), wire.bind('', ''), wire.execute(), wire.sync())), '12DCZ');
});

test('pipelined statements are answered in order', async (t) => {
  const raw = await connect(t);
  const one = (i) => [wire.parse('', `SELECT ${i}`), wire.bind('', ''), wire.execute(), wire.sync()];
  raw.send(...Array.from({ length: 200 }, (_, i) => one(i)).flat());
  for (let i = 0; i < 200; i++) assert.deepEqual(rowsOf(await raw.until('Z')), [[String(i)]]);
});

test('Flush sends what there is', async (t) => {
  const raw = await connect(t);
  raw.send(wire.parse('', 'SELECT 1'), wire.flush());
  assert.equal((await raw.next()).type, '1');
  raw.send(wire.bind('', ''), wire.describe('P'), wire.execute(), wire.flush());
  assert.equal(types(await raw.until('C')), '2TDC');
  raw.send(wire.sync());
  assert.equal(types(await raw.until('Z')), 'Z');
});

test('a row limit suspends a portal, which can be resumed', async (t) => {
  const raw = await connect(t);
  const sql = 'SELECT i FROM range(5000) t(i)';
  const messages = await raw.ask(wire.parse('', sql), wire.bind('', ''), wire.execute('', 3), wire.execute('', 2), wire.execute('', 4990), wire.execute('', 5), wire.execute('', 5), wire.sync());
  assert.equal(types(messages).replace(/D+/g, 'D'), '12DsDsDsDsCZ');
  assert.deepEqual(rowsOf(messages).map(([v]) => Number(v)), Array.from({ length: 5000 }, (_, i) => i));
  // Within a transaction a portal outlives Sync, and others may run between.
  await raw.ask(wire.query('BEGIN TRANSACTION'));
  const first = await raw.ask(wire.parse('s', sql), wire.bind('p', 's'), wire.execute('p', 10), wire.sync());
  assert.equal(types(first), `12${'D'.repeat(10)}sZ`);
  assert.deepEqual(rowsOf(await raw.ask(wire.parse('', 'SELECT 77'), wire.bind('', ''), wire.execute(), wire.sync())), [['77']]);
  const rest = await raw.ask(wire.execute('p', 0), wire.sync());
  assert.equal(rowsOf(rest).length, 4990);
  assert.deepEqual(rowsOf(rest)[0], ['10']);
  await raw.ask(wire.query('COMMIT'));
  assert.match(errorOf(await raw.ask(wire.execute('p', 0), wire.sync())).M, /does not exist/);
  // Two portals that stream at once, outside of a transaction.
  const both = await raw.ask(
    wire.parse('x', sql), wire.bind('p1', 'x'), wire.bind('p2', 'x'), wire.execute('p1', 1), wire.execute('p2', 2), wire.execute('p1', 1), wire.execute('p2', 0), wire.execute('p1', 0), wire.sync(),
  );
  assert.equal(rowsOf(both).length, 10000);
  // One that is left in the middle leaves nothing behind.
  await raw.ask(wire.bind('p1', 'x'), wire.execute('p1', 1), wire.sync());
  assert.equal(types(await raw.ask(wire.query('CREATE TABLE after_portal (a INT)'))), 'TCZ');
  assert.equal(types(await raw.ask(wire.query('DROP TABLE after_portal'))), 'TCZ');
});

test('ReadyForQuery says idle, or the truth where that was asked for', async (t) => {
  const truthful = await start(['--ready-status', 'truthful'], { t });
  for (const [where, expected] of [[endpoint, 'III'], [truthful, 'TEI']]) {
    const raw = await connect(t, { endpoint: where });
    let seen = '';
    for (const sql of ['BEGIN TRANSACTION', 'SELECT nope', 'ROLLBACK']) seen += (await raw.ask(wire.query(sql))).at(-1).body.toString();
    assert.equal(seen, expected);
  }
});

test('transactions are DuckDB\'s: no nesting, no isolation levels, aborted after any error until ROLLBACK', async (t) => {
  const c = await client(t);
  assert.match((await failure(c, 'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED')).message, /^Parser Error: syntax error at or near "ISOLATION"/);
  assert.equal((await failure(c, 'DISCARD ALL')).code, '42601');
  assert.match((await failure(c, 'SAVEPOINT a')).message, /^Parser Error/);
  assert.match((await failure(c, 'COMMIT')).message, /no transaction is active/);
  for (const wrong of ['SELECT nope', 'selct', "SELECT 'x'::INT", 'BEGIN TRANSACTION', 'INSTALL httpfs', 'SELECT $1']) {
    await c.query('BEGIN TRANSACTION');
    await c.query('CREATE OR REPLACE TABLE aborted AS SELECT 1 AS a');
    await failure(c, wrong, wrong.includes('$') ? ['x'] : undefined);
    assert.match((await failure(c, 'SELECT 1')).message, /^TransactionContext Error: Current transaction is aborted/, wrong);
    assert.match((await failure(c, 'COMMIT')).message, /aborted/, wrong);
    assert.match((await failure(c, 'SELECT CAST($1 AS VARCHAR)', ['x'])).message, /aborted/, wrong);
    await c.query('ROLLBACK');
    assert.match((await failure(c, 'SELECT * FROM aborted')).message, /^Catalog Error: Table with name aborted does not exist!/, wrong);
  }
  await c.query('BEGIN TRANSACTION');
  await c.query('CREATE TABLE committed AS SELECT 1 AS a');
  const other = await client(t);
  assert.match((await failure(other, 'SELECT * FROM committed')).message, /does not exist/);
  await c.query('COMMIT');
  assert.deepEqual(await texts(other, 'SELECT a FROM committed'), [['1']]);
  // One transaction writes to one database.
  await c.query('CREATE DATABASE second_db');
  await c.query('BEGIN TRANSACTION');
  await c.query('INSERT INTO committed VALUES (2)');
  assert.match((await failure(c, 'CREATE TABLE second_db.main.t (a INT)')).message, /single transaction|only write to|multiple databases|a single/i);
  await c.query('ROLLBACK');
  await c.query('DROP DATABASE second_db');
  // A conflict between sessions.
  await c.query('BEGIN TRANSACTION');
  await c.query('UPDATE committed SET a = 5');
  assert.match((await failure(other, 'UPDATE committed SET a = 6')).message, /^TransactionContext Error: Conflict/);
  await c.query('COMMIT');
});

test('an untyped parameter that settles a result column is refused when the statement is prepared', async (t) => {
  const raw = await connect(t);
  for (const sql of ['SELECT $1', 'SELECT $1 + 1', 'SELECT [$1]', "SELECT {'a': $1}", 'SELECT 1 UNION ALL SELECT $1', 'SELECT CASE WHEN true THEN $1 ELSE $2 END', 'SELECT * FROM (SELECT $1 AS a)', 'SELECT max($1)']) {
    const messages = await raw.ask(wire.parse('', sql), wire.sync());
    assert.equal(types(messages), 'EZ', sql);
    assert.match(errorOf(messages).M, /ambiguous result column types/, sql);
    // Declared types are ignored.
    assert.match(errorOf(await raw.ask(wire.parse('', sql, [23, 23]), wire.sync())).M, /ambiguous result column types/, sql);
  }
  for (const sql of ['SELECT CAST($1 AS VARCHAR)', 'SELECT $1::TEXT', 'SELECT 1 WHERE 1 = $1', 'SELECT 1 LIMIT $1', 'SELECT COALESCE($1, 1)', 'SELECT CAST(CAST($1 AS VARCHAR) AS DATE)', 'SELECT upper($1)']) {
    assert.equal(types(await raw.ask(wire.parse('', sql), wire.sync())), '1Z', sql);
  }
});

test('a parameter cast straight to another type than text is refused', async (t) => {
  const raw = await connect(t);
  for (const sql of ['SELECT $1::DATE', 'SELECT CAST($1 AS DATE)', 'SELECT try_cast($1 AS date)', 'SELECT ($1)::INTEGER', 'SELECT CAST(($1) AS TIMESTAMP)', 'SELECT /* x */ $1 /* y */ :: /* z */ DATE', 'SELECT $1::VARCHAR[]', 'SELECT 1 WHERE DATE \'2024-01-01\' > $1::DATE', 'SELECT cast ( $1 as "date")', 'SELECT ?::DATE', 'SELECT $day::DATE']) {
    assert.match(errorOf(await raw.ask(wire.parse('', sql), wire.sync())).M, /a bound string cannot be cast to/, sql);
  }
  for (const sql of ['SELECT $1::VARCHAR::DATE', "SELECT CAST('2024-01-01' AS DATE), $1::VARCHAR", 'SELECT CAST($1 AS JSON)', "SELECT '$1::DATE', $1::TEXT", 'SELECT CAST(upper($1) AS DATE)']) {
    assert.equal(types(await raw.ask(wire.parse('', sql), wire.sync())), '1Z', sql);
  }
});

test('parameters of a table function are refused', async (t) => {
  const raw = await connect(t);
  for (const sql of ["SELECT * FROM range($1)", "SELECT * FROM read_csv($1)", "FROM read_parquet(['https://localhost/x', $1])", "SELECT * FROM read_json('https://localhost/x', columns = $1)", 'SELECT * FROM generate_series(1, $1)', 'SELECT * FROM sample_data.hn.hacker_news h, range($1) r', 'SELECT * FROM unnest($1)', 'SELECT * FROM range(CAST($1 AS INTEGER) + 1)', 'CALL range($1)', 'SELECT 1 FROM (SELECT 1) a JOIN range($1) b ON true', 'SELECT 1 FROM (SELECT 1) a JOIN (SELECT 2) c ON (true), range($1) b', 'SELECT (SELECT count(*) FROM range($1))', 'FROM/**/range/**/($1)', 'SELECT * FROM main.range($1)']) {
    assert.match(errorOf(await raw.ask(wire.parse('', sql), wire.sync())).M, /table function's arguments/, sql);
  }
  for (const sql of ["SELECT * FROM range(3) t(i) WHERE i < $1", "SELECT unnest(from_json(CAST($1 AS VARCHAR), '[\"INTEGER\"]'))", "SELECT extract(year FROM CAST(CAST($1 AS VARCHAR) AS DATE))", "SELECT 1 WHERE 1 IS DISTINCT FROM length(CAST($1 AS VARCHAR))", "SELECT trim(both 'x' FROM upper($1))", 'SELECT * FROM (SELECT CAST($1 AS VARCHAR))', 'SELECT * FROM (VALUES (CAST($1 AS VARCHAR)))', 'SELECT count(*) FROM range(3) t(i) WHERE i IN ($1, $2)']) {
    const messages = await raw.ask(wire.parse('', sql), wire.sync());
    assert.equal(types(messages), '1Z', `${sql}: ${messages[0].type === 'E' ? errorOf(messages).M : ''}`);
  }
});

test('errors are DuckDB\'s own words, with the few SQLSTATEs there are', async (t) => {
  const c = await client(t);
  await c.query('CREATE TABLE errors (a INT PRIMARY KEY, b INT NOT NULL)');
  await c.query('INSERT INTO errors VALUES (1, 1)');
  for (const [sql, message, code = 'XX000'] of [
    ['SELECT * FROM t', /^Catalog Error: Table with name t does not exist!/],
    ['SELECT nope FROM errors', /^Binder Error: Referenced column "nope" not found in FROM clause!/],
    ["SELECT 'x'::INT", /^Conversion Error: Could not convert string 'x' to INT32/],
    ['INSERT INTO errors VALUES (1, 2)', /^Constraint Error: Duplicate key "a: 1" violates primary key constraint/],
    ['INSERT INTO errors VALUES (2, NULL)', /^Constraint Error: NOT NULL constraint failed: errors.b/],
    ['selct 1', /^Parser Error: syntax error at or near "selct"/, '42601'],
    ["SELECT 'open", /^Parser Error/, '42601'],
    ['SELECT "open', /^Parser Error/, '42601'],
    ['SELECT /* open', /^Parser Error/, '42601'],
    ['SELECT 9223372036854775807 + 1::BIGINT', /^Out of Range Error/],
    ['SELECT $1', /Values were not provided/],
    ["SELECT CAST(CASE WHEN i = 400000 THEN 'x' ELSE '1' END AS INT) FROM range(500000) t(i)", /^Conversion Error: Could not convert string 'x' to INT32/],
  ]) {
    const error = await failure(c, sql);
    assert.match(error.message, message, sql);
    assert.equal(error.code, code, sql);
    assert.equal(error.severity, 'ERROR');
  }
  assert.deepEqual(await texts(c, 'SELECT 1'), [['1']]);
});

test('an error in the middle of a result is told, never taken for its end', async (t) => {
  const raw = await connect(t);
  const sql = "SELECT CAST(CASE WHEN i = 400000 THEN 'x' ELSE '1' END AS INT) FROM range(500000) t(i)";
  for (const frames of [[wire.query(sql)], [wire.parse('', sql), wire.bind('', ''), wire.execute(), wire.sync()]]) {
    const messages = await raw.ask(...frames);
    assert.match(types(messages), /D+EZ$/);
    assert.match(errorOf(messages).M, /Conversion Error/);
  }
  await raw.ask(wire.query('BEGIN TRANSACTION'));
  assert.match(errorOf(await raw.ask(wire.query(sql))).M, /Conversion Error/);
  await raw.ask(wire.query('ROLLBACK'));
});

test('a bind that does not fit its statement is an error', async (t) => {
  const raw = await connect(t);
  await raw.ask(wire.parse('s', 'SELECT CAST($1 AS VARCHAR), CAST($2 AS VARCHAR)'), wire.sync());
  for (const [frame, message] of [
    [wire.bind('', 's', ['a']), /supplies 1 parameters, but prepared statement "s" requires 2/],
    [wire.bind('', 's', ['a', 'b', 'c']), /supplies 3/],
    [wire.bind('', 's', ['a', 'b'], { formats: [2] }), /format code 2/],
    [wire.bind('', 's', ['a', 'b'], { formats: [0, 0, 0] }), /3 parameter formats but 2 parameters/],
    [wire.bind('', 's', ['a', 'b'], { results: [0, 0, 0] }), /3 result formats but query has 2 columns/],
    [wire.bind('', 's', [Buffer.from([0xff]), 'b']), /parameter \$1 cannot be read/],
    [wire.bind('', 's', [Buffer.from('a\0b'), 'b']), /parameter \$1 cannot be read/],
  ]) {
    assert.match(errorOf(await raw.ask(frame, wire.sync())).M, message);
  }
  assert.match(errorOf(await raw.ask(wire.parse('', 'SELECT 1; SELECT 2'), wire.sync())).M, /multiple statements/);
});

test('a prepared statement whose result has changed says so; a re-created table is picked up', async (t) => {
  const raw = await connect(t);
  await raw.ask(wire.query('CREATE TABLE changing AS SELECT 1 AS a'));
  await raw.ask(wire.parse('c', 'SELECT * FROM changing'), wire.sync());
  await raw.ask(wire.query('INSERT INTO changing VALUES (2)'));
  assert.equal(rowsOf(await raw.ask(wire.bind('', 'c'), wire.execute(), wire.sync())).length, 2);
  await raw.ask(wire.query('CREATE OR REPLACE TABLE changing AS SELECT 3 AS a'));
  assert.deepEqual(rowsOf(await raw.ask(wire.bind('', 'c'), wire.execute(), wire.sync())), [['3']]);
  await raw.ask(wire.query("CREATE OR REPLACE TABLE changing AS SELECT 'x' AS a, 2 AS b"));
  assert.match(errorOf(await raw.ask(wire.bind('', 'c'), wire.execute(), wire.sync())).M, /changed/);
});

test('many columns, long names and parameters', async (t) => {
  const c = await client(t);
  const result = await c.query({ text: `SELECT ${Array.from({ length: 1500 }, (_, i) => `${i} AS "column ${i} é"`).join(', ')}`, rowMode: 'array' });
  assert.equal(result.fields.length, 1500);
  assert.equal(result.fields[1499].name, 'column 1499 é');
  assert.equal(result.rows[0][1499], 1499);
  const values = Array.from({ length: 3000 }, (_, i) => String(i));
  const [[sum]] = await texts(c, `SELECT sum(v::INT) FROM (VALUES ${values.map((_, i) => `(CAST($${i + 1} AS VARCHAR))`).join(', ')}) t(v)`, values);
  assert.equal(Number(sum), (2999 * 3000) / 2);
});

test('function calls, leftovers of a copy, and unknown messages', async (t) => {
  const raw = await connect(t);
  const { frame } = await import('./support.js');
  assert.equal(types(await raw.ask(frame('d', 'data'), frame('c'), frame('f', 'no\0'), wire.query('SELECT 1'))), 'TDCZ');
  raw.send(frame('y', 'what'));
  assert.equal(fieldsOf((await raw.until('E'))[0]).S, 'FATAL');
  assert.equal(await raw.next(), null);
});
