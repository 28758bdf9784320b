// Every DuckDB type as a result, in text and in binary, and as a parameter in both.

import assert from 'node:assert/strict';
import { before, after, test } from 'node:test';
import { Raw, columnsOf, failure, fieldsOf, start, texts, valuesOf, wire } from './support.js';

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

// [expression, OID, text as PostgreSQL writes it, binary in hex or null where the binary form is the text]
const SCALARS = [
  ['true', 16, 't', '01'],
  ['false', 16, 'f', '00'],
  ["(-128)::TINYINT", 21, '-128', 'ff80'],
  ['127::TINYINT', 21, '127', '007f'],
  ['255::UTINYINT', 21, '255', '00ff'],
  ['(-32768)::SMALLINT', 21, '-32768', '8000'],
  ['65535::USMALLINT', 23, '65535', '0000ffff'],
  ['(-2147483648)::INTEGER', 23, '-2147483648', '80000000'],
  ['2147483647::INTEGER', 23, '2147483647', '7fffffff'],
  ['4294967295::UINTEGER', 20, '4294967295', '00000000ffffffff'],
  ['(-9223372036854775808)::BIGINT', 20, '-9223372036854775808', '8000000000000000'],
  ['9223372036854775807::BIGINT', 20, '9223372036854775807', '7fffffffffffffff'],
  ['9007199254740992::BIGINT', 20, '9007199254740992', '0020000000000000'],
  ['(-9007199254740993)::BIGINT', 20, '-9007199254740993', 'ffdfffffffffffff'],
  ['0::BIGINT', 20, '0', '0000000000000000'],
  ['10000000000::BIGINT', 20, '10000000000', '00000002540be400'],
  ['18446744073709551615::UBIGINT', 1700, '18446744073709551615', '00050004000000000734' + '1a5802e103bb064f'],
  ['(-170141183460469231731687303715884105728)::HUGEINT', 1700, '-170141183460469231731687303715884105728', undefined],
  ['170141183460469231731687303715884105727::HUGEINT', 1700, '170141183460469231731687303715884105727', undefined],
  ['340282366920938463463374607431768211455::UHUGEINT', 1700, '340282366920938463463374607431768211455', undefined],
  ['0::HUGEINT', 1700, '0', '0000000000000000'],
  ["'123456789012345678901234567890123456789012345'::BIGNUM", 1700, '123456789012345678901234567890123456789012345', undefined],
  ['(-5)::BIGNUM', 1700, '-5', '00010000400000000005'],
  ['1.50::DECIMAL(4,2)', 1700, '1.50', '0002000000000002' + '00011388'],
  ['(-0.05)::DECIMAL(4,2)', 1700, '-0.05', '0001ffff40000002' + '01f4'],
  ['12345.678::DECIMAL(9,3)', 1700, '12345.678', '0003000100000003' + '0001' + '0929' + '1a7c'],
  ['(-123456789012.345678)::DECIMAL(18,6)', 1700, '-123456789012.345678', undefined],
  ['999999999999999999::DECIMAL(18,0)', 1700, '999999999999999999', undefined],
  ['0.000000000000000001::DECIMAL(18,18)', 1700, '0.000000000000000001', undefined],
  ['99999999999999999999999999999999999999::DECIMAL(38,0)', 1700, '9'.repeat(38), undefined],
  ["'-0.99999999999999999999999999999999999999'::DECIMAL(38,38)", 1700, `-0.${'9'.repeat(38)}`, undefined],
  ['0::DECIMAL(5,2)', 1700, '0.00', '0000000000000002'],
  ['1.5::FLOAT', 700, '1.5', '3fc00000'],
  ['0.1::FLOAT', 700, '0.1', '3dcccccd'],
  ['1e6::FLOAT', 700, '1e+06', undefined],
  ['3.4028235e38::FLOAT', 700, '3.4028235e+38', '7f7fffff'],
  ["'nan'::FLOAT", 700, 'NaN', undefined],
  ["'-inf'::FLOAT", 700, '-Infinity', 'ff800000'],
  ['0.1::DOUBLE', 701, '0.1', '3fb999999999999a'],
  ["'-0'::DOUBLE", 701, '-0', '8000000000000000'],
  ['1e15::DOUBLE', 701, '1e+15', undefined],
  ['123456789012345::DOUBLE', 701, '123456789012345', undefined],
  ['0.0001::DOUBLE', 701, '0.0001', undefined],
  ['0.00001::DOUBLE', 701, '1e-05', undefined],
  ['1.7976931348623157e308::DOUBLE', 701, '1.7976931348623157e+308', '7fefffffffffffff'],
  ['5e-324::DOUBLE', 701, '5e-324', '0000000000000001'],
  ["'nan'::DOUBLE", 701, 'NaN', undefined],
  ["'inf'::DOUBLE", 701, 'Infinity', '7ff0000000000000'],
  ["''", 25, '', ''],
  ["'twelve bytes'", 25, 'twelve bytes', null],
  ["'thirteen long'", 25, 'thirteen long', null],
  ["'Zürich 東京 🦆'", 25, 'Zürich 東京 🦆', null],
  ["''::BLOB", 17, '\\x', ''],
  ["'\\x00\\xFFabc'::BLOB", 17, '\\x00ff616263', '00ff616263'],
  ["DATE '2024-02-29'", 1082, '2024-02-29', '00002279'],
  ["DATE '0001-01-01'", 1082, '0001-01-01', 'fff4dbf9'],
  ["DATE '9999-12-31'", 1082, '9999-12-31', '002c95d3'],
  ["DATE '10000-01-01'", 1082, '10000-01-01', undefined],
  ["DATE '0044-03-15 (BC)'", 1082, '0044-03-15 BC', undefined],
  ["'infinity'::DATE", 1082, 'infinity', '7fffffff'],
  ["'-infinity'::DATE", 1082, '-infinity', '80000000'],
  ["TIME '00:00:00'", 1083, '00:00:00', '0000000000000000'],
  ["TIME '23:59:59.999999'", 1083, '23:59:59.999999', '000000141dd75fff'],
  ["TIME '24:00:00'", 1083, '24:00:00', '000000141dd76000'],
  ["TIME '01:02:03.5'", 1083, '01:02:03.5', undefined],
  ["TIMETZ '01:02:03+05:30'", 1266, '01:02:03+05:30', '00000000dde878c0' + 'ffffb2a8'],
  ["TIMETZ '01:02:03-08'", 1266, '01:02:03-08', '00000000dde878c0' + '00007080'],
  ["TIMESTAMP '2024-01-01 12:34:56.789'", 1114, '2024-01-01 12:34:56.789', undefined],
  ["TIMESTAMP '2000-01-01 00:00:00'", 1114, '2000-01-01 00:00:00', '0000000000000000'],
  ["TIMESTAMP '1969-12-31 23:59:59.999999'", 1114, '1969-12-31 23:59:59.999999', undefined],
  ["TIMESTAMP '0001-01-01 00:00:00'", 1114, '0001-01-01 00:00:00', undefined],
  ["TIMESTAMP '9999-12-31 23:59:59.999999'", 1114, '9999-12-31 23:59:59.999999', undefined],
  ["TIMESTAMP '0044-03-15 (BC) 01:02:03'", 1114, '0044-03-15 01:02:03 BC', undefined],
  ["'infinity'::TIMESTAMP", 1114, 'infinity', '7fffffffffffffff'],
  ["'-infinity'::TIMESTAMP", 1114, '-infinity', '8000000000000000'],
  ["TIMESTAMP_S '2024-01-01 00:00:01'", 1114, '2024-01-01 00:00:01', undefined],
  ["TIMESTAMP_MS '2024-01-01 00:00:00.123'", 1114, '2024-01-01 00:00:00.123', undefined],
  ["TIMESTAMP_NS '2024-01-01 00:00:00.123456789'", 1114, '2024-01-01 00:00:00.123456789', undefined],
  ["TIMESTAMP_NS '1969-12-31 23:59:59.999999999'", 1114, '1969-12-31 23:59:59.999999999', undefined],
  ["TIMESTAMPTZ '2024-01-01 12:34:56.789+02'", 1184, '2024-01-01 10:34:56.789+00', undefined],
  ["TIMESTAMPTZ '2000-01-01 00:00:00+00'", 1184, '2000-01-01 00:00:00+00', '0000000000000000'],
  ["INTERVAL '1 year 2 months 3 days 04:05:06.7'", 1186, '1 year 2 mons 3 days 04:05:06.7', '000000036c966ee0' + '00000003' + '0000000e'],
  ["INTERVAL '0 days'", 1186, '00:00:00', '0'.repeat(32)],
  ["INTERVAL '-1 month'", 1186, '-1 mons', undefined],
  ["INTERVAL '-1 hour'", 1186, '-01:00:00', undefined],
  ["INTERVAL '-13 months 5 days -1 second'", 1186, '-1 years -1 mons +5 days -00:00:01', undefined],
  ["INTERVAL '100 hours'", 1186, '100:00:00', undefined],
  ["UUID '12345678-9abc-def0-1234-56789abcdef0'", 2950, '12345678-9abc-def0-1234-56789abcdef0', '123456789abcdef0123456789abcdef0'],
  ["UUID 'ffffffff-ffff-ffff-ffff-ffffffffffff'", 2950, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'f'.repeat(32)],
  ["'two words'::ENUM('one', 'two words')", 25, 'two words', null],
  ["'{\"a\": [1, null]}'::JSON", 114, '{"a": [1, null]}', null],
  ["'10101'::BIT", 1560, '10101', '00000005a8'],
  ["'101010101'::BIT", 1560, '101010101', '00000009' + 'aa80'],
];

const binaries = async (expressions) => {
  const raw = await Raw.connect(endpoint);
  raw.send(wire.parse('', `SELECT ${expressions.join(', ')}`), wire.bind('', '', [], { results: [1] }), wire.describe('P'), wire.execute(), wire.sync());
  const messages = await raw.until('Z');
  raw.end();
  const failed = messages.find((message) => message.type === 'E');
  if (failed) throw new Error(fieldsOf(failed).M);
  return { columns: columnsOf(messages.find((m) => m.type === 'T')), values: valuesOf(messages.find((m) => m.type === 'D')) };
};

test('scalars have their OID and the text that PostgreSQL writes', async () => {
  const result = await client.query({ text: `SELECT ${SCALARS.map(([sql], i) => `${sql} AS c${i}`).join(', ')}`, rowMode: 'array', types: { getTypeParser: () => (value) => value } });
  SCALARS.forEach(([sql, oid, text], i) => {
    assert.equal(result.rows[0][i], text, sql);
    assert.equal(result.fields[i].dataTypeID, oid, sql);
  });
});

test('scalars have PostgreSQL\'s binary form', async () => {
  const { columns, values } = await binaries(SCALARS.map(([sql]) => sql));
  SCALARS.forEach(([sql, oid, text, hex], i) => {
    assert.equal(columns[i].format, 1);
    if (hex === null) assert.equal(values[i].toString(), text, sql);
    else if (hex !== undefined) assert.equal(values[i].toString('hex'), hex, sql);
  });
});

test('a binary value that goes back as a parameter is the same value', async () => {
  const { values, columns } = await binaries(SCALARS.map(([sql]) => sql));
  const raw = await Raw.connect(endpoint);
  for (let i = 0; i < SCALARS.length; i++) {
    const [sql, oid] = SCALARS[i];
    // PostgreSQL's binary timestamps have no nanoseconds.
    if (sql.startsWith('TIMESTAMP_NS')) continue;
    const type = `typeof(${sql})`;
    raw.send(wire.query(`SELECT ${type}`));
    const name = valuesOf((await raw.until('Z')).find((m) => m.type === 'D'))[0].toString();
    const target = name.startsWith('ENUM') ? 'VARCHAR' : name;
    const cast = target === 'BLOB' ? 'CAST($1 AS VARCHAR)::BLOB' : `CAST(CAST($1 AS VARCHAR) AS ${target})`;
    const same = target.match(/FLOAT|DOUBLE/) ? `(${cast} = ${sql}) OR isnan(${sql})` : `${cast} = ${sql}`;
    // A BLOB that is bound as bytes stays bytes: compare it in the one place where its type is known.
    const text = target === 'BLOB' ? `SELECT (${sql}) = $1` : `SELECT ${same}`;
    raw.send(wire.parse('', text, [columns[i].oid]), wire.bind('', '', [values[i]], { formats: [1] }), wire.execute(), wire.sync());
    const messages = await raw.until('Z');
    const failed = messages.find((m) => m.type === 'E');
    assert.equal(failed && fieldsOf(failed).M, undefined, sql);
    assert.equal(valuesOf(messages.find((m) => m.type === 'D'))[0].toString(), 't', `${sql} (${oid})`);
  }
  raw.end();
});

test('a text value that goes back as a parameter is the same value', async () => {
  for (const [sql] of SCALARS) {
    const [[text, name]] = await texts(client, `SELECT (${sql})::VARCHAR, typeof(${sql})`);
    const [[back]] = await texts(client, `SELECT CAST(CAST(CAST($1 AS VARCHAR) AS ${name}) AS VARCHAR)`, [text]);
    assert.equal(back, text, sql);
  }
});

test('NULL is NULL in every type, both ways', async () => {
  const names = ['BOOLEAN', 'TINYINT', 'BIGINT', 'HUGEINT', 'DECIMAL(38,5)', 'DOUBLE', 'VARCHAR', 'BLOB', 'DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMPTZ', 'INTERVAL', 'UUID', 'BIT', 'JSON', 'INTEGER[]', 'INTEGER[3]', 'STRUCT(a INTEGER)', 'MAP(VARCHAR, INTEGER)', "ENUM('a')"];
  const [row] = await texts(client, `SELECT ${names.map((name) => `CAST(CAST($1 AS VARCHAR) AS ${name})`).join(', ')}`, [null]);
  assert.deepEqual(row, names.map(() => null));
  const { values } = await binaries(names.map((name) => `NULL::${name}`));
  assert.deepEqual(values, names.map(() => null));
  const [[none]] = await texts(client, 'SELECT NULL');
  assert.equal(none, null);
});

test('NULLs among values, over many chunks', async () => {
  const rows = await texts(client, "SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'a value longer than twelve ' || i END, CASE WHEN i % 2 = 0 THEN i::VARCHAR END FROM range(10000) t(i) ORDER BY i");
  assert.equal(rows.length, 10000);
  rows.forEach(([i, long, short], at) => {
    assert.equal(i, String(at));
    assert.equal(long, at % 3 === 0 ? null : `a value longer than twelve ${at}`);
    assert.equal(short, at % 2 === 0 ? String(at) : null);
  });
});

const NESTED = [
  String.raw`['a','b c','',NULL,'null',' x','x ','a,b','[x','x]','(y','{z','a:b','a=b','q"r','it''s','back\slash','a,\b','é','-']`,
  String.raw`{'a b': 1, 'c': 'x, y', 'd''e': NULL, 'f\g': [1,2]}`,
  "MAP {'k 1': 'v=1', 'b': NULL, '': ''}", '[[1,2],NULL,[]]', "[{'a': 1, 'b': 'x y'}, NULL]", "row(1, 'a b', NULL)",
  'union_value(num := 5)', "[union_value(s := 'a,b')]", "[1.0::DOUBLE, 'nan', 'inf', '-inf', 1e20, 1e-7, 1e15, 1e16, -0.0, 0.0001]",
  '[1.0::FLOAT, 0.1::FLOAT, 1e10::FLOAT, 1e-5::FLOAT, 0.0001::FLOAT]', '[true, false, NULL]',
  String.raw`['\xAA\x27'::BLOB, 'a b'::BLOB, ''::BLOB, '[a]'::BLOB]`,
  "[INTERVAL '1 year 2 months 3 days 04:05:06.7', INTERVAL '-1 month', INTERVAL '0 days', INTERVAL '-14 months']",
  "[DATE '2024-01-01', DATE '0044-03-15 (BC)', 'infinity'::DATE]", "[TIMESTAMP '2024-01-01 00:00:00.123', TIMESTAMP '0044-03-15 (BC) 01:02:03']",
  "[TIMESTAMPTZ '2024-01-01 00:00:00.123+02']", "[TIMETZ '01:02:03.5+05:30']", "[UUID '00000000-0000-0000-0000-000000000001']",
  "['101'::BIT]", '[1.50::DECIMAL(5,2)]', "['a'::ENUM('a','b c'), 'b c']", `['{"a": 1}'::JSON, 'null'::JSON]`, `{'a': '{"b": 1}'::JSON}`,
  "[TIMESTAMP_NS '2024-01-01 00:00:00.123456789']", 'array_value(1,2,3)', '[123456789012345678901234567890::BIGNUM]', "{'a': {'b': [MAP {1: 2}]}}",
];

test('nested values are text in DuckDB\'s own form', async () => {
  for (const sql of NESTED) {
    const [[ours, duckdb]] = await texts(client, `SELECT (${sql}), (${sql})::VARCHAR`);
    assert.equal(ours, duckdb, sql);
  }
});

test('lists have array OIDs and a text that PostgreSQL would quote otherwise', async () => {
  const result = await client.query({ text: "SELECT [1, 2] AS a, ['x y', NULL] AS b, [[1.5]] AS c, [DATE '2024-01-01'] AS d, [{'a': 1}] AS e, array_value(1, 2) AS f", rowMode: 'array', types: { getTypeParser: () => (value) => value } });
  assert.deepEqual(result.fields.map((field) => field.dataTypeID), [1007, 1009, 1231, 1182, 1009, 1007]);
  assert.deepEqual(result.rows[0], ['[1, 2]', '[x y, NULL]', '[[1.5]]', '[2024-01-01]', "[{'a': 1}]", '[1, 2]']);
});

test('with compatibility-mode=metabase lists have braces, their elements unquoted', async (t) => {
  const metabase = await endpoint.client({ options: '--compatibility-mode=metabase' });
  t.after(() => metabase.end());
  const [row] = await texts(metabase, "SELECT [1, NULL], ['x y', 'a,b', 'null'], [[1],[2,3]], [true], []::INTEGER[], {'a': 1}");
  assert.deepEqual(row, ['{1,NULL}', '{x y,a,b,null}', '{{1},{2,3}}', '{t}', '{}', "{'a': 1}"]);
});

test('lists in binary are PostgreSQL arrays; a ragged one has no such form', async () => {
  const { values } = await binaries(['[1, NULL]', '[[1,2],[3,4]]', '[]::INTEGER[]', "['é']"]);
  assert.equal(values[0].toString('hex'), '00000001' + '00000001' + '00000017' + '00000002' + '00000001' + '00000004' + '00000001' + 'ffffffff');
  assert.equal(values[1].toString('hex').slice(0, 56), '00000002' + '00000000' + '00000017' + '00000002' + '00000001' + '00000002' + '00000001');
  assert.equal(values[2].toString('hex'), '00000000' + '00000000' + '00000017');
  await assert.rejects(binaries(['[[1],[2,3]]']), /no binary array form/);
  // The error came in the middle of a row: the session goes on with whole messages.
  const raw = await Raw.connect(endpoint);
  raw.send(wire.parse('', 'SELECT [[1],[2,3]]'), wire.bind('', '', [], { results: [1] }), wire.execute(), wire.sync());
  assert.deepEqual((await raw.until('Z')).map((m) => m.type), ['1', '2', 'E', 'Z']);
  raw.send(wire.query('SELECT 1'));
  assert.deepEqual((await raw.until('Z')).map((m) => m.type), ['T', 'D', 'C', 'Z']);
  raw.end();
});

test('a binary array is a parameter too', async () => {
  const { values } = await binaries(["['a b', NULL, 'it''s', '', '\\']", '[[1,2],[3,4]]']);
  const raw = await Raw.connect(endpoint);
  raw.send(
    wire.parse('', "SELECT CAST(CAST($1 AS VARCHAR) AS VARCHAR[]) = ['a b', NULL, 'it''s', '', '\\'], CAST(CAST($2 AS VARCHAR) AS INTEGER[][]) = [[1,2],[3,4]]", [1009, 1007]),
    wire.bind('', '', values, { formats: [1] }), wire.execute(), wire.sync(),
  );
  const messages = await raw.until('Z');
  assert.equal(messages.find((m) => m.type === 'E') && fieldsOf(messages.find((m) => m.type === 'E')).M, undefined);
  assert.deepEqual(valuesOf(messages.find((m) => m.type === 'D')).map(String), ['t', 't']);
  raw.end();
});

test('type modifiers tell the precision of numbers', async () => {
  const { columns } = await binaries(['1.5::DECIMAL(10,2)', '1::DECIMAL(38,0)', '1::UBIGINT', '1::HUGEINT', "'a'"]);
  assert.deepEqual(columns.map((c) => c.typmod), [(10 << 16) + 2 + 4, (38 << 16) + 4, (20 << 16) + 4, -1, -1]);
});

test('strings of 10 MB go both ways', async () => {
  const long = 'duck🦆 '.repeat(1_200_000);
  const [[back, length]] = await texts(client, 'SELECT CAST($1 AS VARCHAR), strlen(CAST($1 AS VARCHAR))', [long]);
  assert.equal(Number(length), Buffer.byteLength(long));
  assert.ok(back === long);
  const [[made]] = await texts(client, "SELECT repeat('x', 10000000)");
  assert.ok(made === 'x'.repeat(10_000_000));
});

test('a BLOB parameter is bytes where DuckDB expects a BLOB', async () => {
  await client.query('CREATE OR REPLACE TABLE blobs (b BLOB)');
  const bytes = Buffer.from([0, 1, 92, 39, 255]);
  await client.query('INSERT INTO blobs VALUES ($1)', [bytes]);
  await client.query('INSERT INTO blobs VALUES ($1)', ['\\x00015c27ff']);
  const { rows } = await client.query('SELECT b FROM blobs');
  assert.deepEqual(rows.map((row) => row.b), [bytes, bytes]);
});

test('the session\'s time zone shows in TIMESTAMPTZ', async (t) => {
  const zoned = await endpoint.client();
  t.after(() => zoned.end());
  await zoned.query("SET TimeZone = 'America/New_York'");
  const moments = ["'2024-01-15 12:00:00+00'", "'2024-07-15 12:00:00+00'", "'2024-03-10 06:59:59+00'", "'2024-03-10 07:00:00+00'", "'1900-01-01 00:00:00+00'", "'infinity'"];
  for (const moment of moments) {
    const [[ours, duckdb]] = await texts(zoned, `SELECT ${moment}::TIMESTAMPTZ, ${moment}::TIMESTAMPTZ::VARCHAR`);
    assert.equal(ours, duckdb);
  }
  await zoned.query('SET TIME ZONE \'Asia/Kolkata\'');
  assert.deepEqual(await texts(zoned, "SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'"), [['2024-01-01 05:30:00+05:30']]);
  await zoned.query('RESET TimeZone');
  assert.deepEqual(await texts(zoned, "SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'"), [['2024-01-01 00:00:00+00']]);
});

test('a type that cannot be sent is an error, not an empty value', async () => {
  const error = await failure(client, "SELECT 'x'::VARIANT AS v");
  assert.match(error.message, /column "v" is a VARIANT/);
});

test('a binary parameter that is malformed is refused', async () => {
  const raw = await Raw.connect(endpoint);
  for (const [oid, hex] of [[23, '00'], [20, '0000'], [1700, '0001'], [2950, '00'], [1007, '00000001'], [1007, '0000000100000000000000177fffffff00000001'], [1560, '000000ff00'], [25, 'ff']]) {
    raw.send(wire.parse('', 'SELECT CAST($1 AS VARCHAR)', [oid]), wire.bind('', '', [Buffer.from(hex, 'hex')], { formats: [1] }), wire.sync());
    const messages = await raw.until('Z');
    const error = fieldsOf(messages.find((m) => m.type === 'E'));
    assert.match(error.M, /parameter \$1 cannot be read/, `${oid} ${hex}`);
    assert.equal(error.C, 'XX000');
  }
  raw.end();
});

test('all of DuckDB\'s own test types can be read, their nested ones exactly as DuckDB writes them', async () => {
  const columns = await texts(client, 'SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM test_all_types())');
  assert.ok(columns.length > 50);
  const raw = await Raw.connect(endpoint);
  for (const [name, type] of columns) {
    for (const format of [0, 1]) {
      raw.send(wire.parse('', `SELECT "${name}" FROM test_all_types()`), wire.bind('', '', [], { results: [format] }), wire.execute(), wire.sync());
      const messages = await raw.until('Z');
      const failed = messages.find((message) => message.type === 'E');
      // Ragged lists of lists have no binary form in PostgreSQL.
      if (failed) assert.match(fieldsOf(failed).M, /no binary array form/, name);
      else assert.equal(messages.filter((message) => message.type === 'D').length, 3, name);
    }
    if (!/\[|STRUCT|MAP|UNION/.test(type)) continue;
    for (const [ours, duckdb] of await texts(client, `SELECT "${name}", "${name}"::VARCHAR FROM test_all_types()`)) assert.equal(ours, duckdb, name);
  }
  raw.end();
});
