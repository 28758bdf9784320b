// The statements of MotherDuck's own pages about its Postgres endpoint, with node-postgres and with psql: what works
// there works here, and what does not work there does not.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { failure, start, temporaryDirectory, texts } from './support.js';

let endpoint;
let server;
let weather;
before(async () => {
  endpoint = await start();
  server = http.createServer((_, response) => response.end('city,temp_lo,temp_hi,prcp,date\nSan Francisco,46,50,0.25,1994-11-27\nHayward,37,54,,1994-11-29\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  weather = `http://127.0.0.1:${server.address().port}/weather.csv`;
});
after(async () => {
  await endpoint.stop();
  server.close();
});

const STORIES = "SELECT title, score FROM sample_data.hn.hacker_news WHERE type = 'story' ORDER BY score DESC LIMIT 5";

test('node-postgres: the example of the page, a pool, and parameters', async () => {
  const client = await endpoint.client();
  const { rows } = await client.query("SELECT title, score FROM sample_data.hn.hacker_news WHERE type='story' LIMIT 10");
  assert.equal(rows.length, 10);
  assert.ok(rows.every((row) => typeof row.title === 'string'));
  await client.end();
  const pool = new pg.Pool({ ...endpoint.config(), max: 4, connectionTimeoutMillis: 5000, idleTimeoutMillis: 30000 });
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query('SELECT title, score FROM sample_data.hn.hacker_news WHERE type = $1 AND score > $2 ORDER BY score DESC LIMIT $3', ['story', i, 3])));
  assert.ok(results.every((result) => result.rows.length === 3));
  await pool.end();
  const uri = new pg.Client({ connectionString: `postgresql://postgres:local@localhost:${endpoint.port}/md:`, ssl: { ca: endpoint.ca } });
  await uri.connect();
  assert.deepEqual(await texts(uri, 'SELECT current_database()'), [['my_db']]);
  await uri.end();
});

test('loading on the server, and rows from memory with multi-values INSERT', async (t) => {
  const client = await endpoint.client();
  t.after(() => client.end());
  await client.query(`
        CREATE OR REPLACE TABLE my_db.main.weather_events AS
        SELECT *
        FROM read_csv(
            '${weather}',
            HEADER = true,
            AUTO_DETECT = true,
            MD_RUN = REMOTE
        )
        `);
  assert.deepEqual(await texts(client, 'SELECT city, temp_hi, date FROM weather_events ORDER BY 1'), [['Hayward', '54', '1994-11-29'], ['San Francisco', '50', '1994-11-27']]);
  const result = await client.query({ text: 'INSERT INTO weather_events (city, temp_lo) VALUES ($1, $2), ($3, $4)', values: ['Zürich', 1, 'Basel', 2], rowMode: 'array' });
  assert.deepEqual(result.rows.map(String), ['2']);
  for (const sql of ["COPY weather_events FROM '/local/file.csv'", 'COPY weather_events FROM STDIN', `SELECT * FROM read_csv('${weather}', MD_RUN = LOCAL)`, 'SET threads = 4', 'CREATE TEMP TABLE t (a INT)', "ATTACH ':memory:'", "EXPORT DATABASE 'x'", 'INSTALL httpfs']) {
    assert.match((await failure(client, sql)).message, /^Permission Error: /, sql);
  }
});

// psql

const psql = (connection, commands, env = {}) =>
  new Promise((resolve, reject) => {
    const child = execFile('psql', ['-X', '-A', '-t', ...commands.flatMap((command) => ['-c', command]), connection], { env: { ...process.env, PGPASSWORD: 'local', PGCONNECT_TIMEOUT: '10', ...env } }, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') reject(error);
      else resolve({ code: error?.code ?? 0, stdout, stderr });
    });
    child.stdin.end();
  });

const installed = await psql('host=localhost port=1', ['']).then(() => true, () => false);
const withPsql = (name, work) => test(name, { skip: installed ? false : 'psql is not installed' }, work);
const verified = (more = '') => `host=localhost port=${endpoint.port} dbname=md: user=postgres sslmode=verify-full sslrootcert=${endpoint.caFile} ${more}`;

withPsql('psql: the example of the page, verified against the CA file', async () => {
  const { code, stdout, stderr } = await psql(verified(), [STORIES, 'SELECT current_database()', 'CREATE TABLE from_psql AS SELECT 42 AS a', 'FROM from_psql', 'DROP TABLE from_psql', 'DESCRIBE sample_data.nyc.taxi']);
  assert.equal(code, 0, stderr);
  assert.match(stdout.split('\n')[0], /^.+\|\d+$/);
  assert.match(stdout, /^my_db$/m);
  assert.match(stdout, /^42$/m);
  assert.match(stdout, /^VendorID\|BIGINT/m);
});

withPsql('psql: as a URI, with require, with a database of its own', async () => {
  const uri = await psql(`postgresql://postgres:local@localhost:${endpoint.port}/md:?sslmode=verify-full&sslrootcert=${endpoint.caFile}`, ['SELECT 1'], { PGPASSWORD: '' });
  assert.equal(uri.stdout, '1\n', uri.stderr);
  const required = await psql(`host=localhost port=${endpoint.port} dbname=sample_data user=dbt sslmode=require`, ['SELECT current_database()']);
  assert.equal(required.stdout, 'sample_data\n', required.stderr);
});

withPsql('psql: PGOPTIONS', async () => {
  const { stdout, stderr } = await psql(verified(), ['SHOW DATABASES'], { PGOPTIONS: '--attach_mode=single --session_name=pg-using-options' });
  assert.equal(stdout, 'my_db\n', stderr);
  assert.match(endpoint.log(), /\(pg-using-options\)/);
});

withPsql('psql: sslmode=disable does not get in, nor does a wrong token or an unknown CA', async (t) => {
  const plain = await psql(`host=localhost port=${endpoint.port} dbname=md: user=postgres sslmode=disable`, ['SELECT 1']);
  assert.equal(plain.code, 2);
  assert.match(plain.stderr, /TLS only/);
  const wrong = await psql(verified(), ['SELECT 1'], { PGPASSWORD: 'wrong' });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /not a token/);
  for (const kind of ['expired', 'wrong-host', 'unknown-ca']) {
    const bad = await start(['--certificate', kind], { t });
    const refused = await psql(`host=localhost port=${bad.port} dbname=md: user=postgres sslmode=verify-full sslrootcert=${bad.caFile}`, ['SELECT 1']);
    assert.equal(refused.code, 2, kind);
    assert.match(refused.stderr, /certificate/, kind);
  }
});

withPsql('psql: \\copy and errors; the session goes on after them', async (t) => {
  const file = path.join(temporaryDirectory(t), 'rows.csv');
  writeFileSync(file, '1\n2\n');
  const copied = await psql(verified(), ['CREATE OR REPLACE TABLE copied (a INT)', `\\copy copied FROM '${file}' CSV`]);
  assert.match(copied.stderr, /COPY \.\.\. FROM STDIN is not supported/);
  const out = await psql(verified(), [`\\copy copied TO '${file}.out' CSV`]);
  assert.match(out.stderr, /COPY \.\.\. TO STDOUT is not supported/);
  const mixed = await psql(verified(), ['SELECT * FROM nope', 'SELECT 7']);
  assert.match(mixed.stderr, /Catalog Error: Table with name nope does not exist!/);
  assert.match(mixed.stdout, /^7$/m);
  const catalog = await psql(verified(), ['\\d']);
  assert.match(catalog.stderr, /pg_/);
});

withPsql('psql: thousands of wide rows', async () => {
  const { stdout, stderr } = await psql(verified(), ['SELECT * FROM sample_data.hn.hacker_news ORDER BY id LIMIT 3000']);
  assert.equal(stdout.trim().split('\n').length, 3000, stderr);
});
