#!/usr/bin/env bash
# The habits of node-postgres and of postgres.js. Their packages are in the folder that NODE_CLIENTS names.
set -euo pipefail
cd "$NODE_CLIENTS"
cat >clients.mjs <<'JS'
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import pg from 'pg';
import postgres from 'postgres';

let failed = 0;
const habit = async (client, name, work) => {
  try {
    console.log(['PASS', client, name, (await work()) ?? ''].join('\t'));
  } catch (error) {
    failed++;
    console.log(['FAIL', client, name, String(error).replace(/\s+/g, ' ').slice(0, 400)].join('\t'));
  }
};
const refused = async (work, words) => {
  const error = await work().then(() => assert.fail(`it was not refused; expected ${words}`), (e) => e);
  assert.match(error.message, words);
  return `refused: ${error.message.split('\n')[0].slice(0, 150)}`;
};
const PAGE = "SELECT title, score FROM sample_data.hn.hacker_news WHERE type = 'story' ORDER BY score DESC LIMIT 5";
const { PGHOST: host, PGPORT: port, PGPASSWORD: password } = process.env;
const ssl = { ca: readFileSync(process.env.PGSSLROOTCERT, 'utf8'), rejectUnauthorized: true };

const pool = new pg.Pool({ host, port: Number(port), user: 'postgres', password, database: 'md:', ssl, max: 4 });
const client = await pool.connect();
const N = 'node-postgres';
await habit(N, 'example', async () => assert.equal((await client.query(PAGE)).rows.length, 5));
await habit(N, 'parameters', async () => {
  const sql = 'SELECT title FROM sample_data.hn.hacker_news WHERE type = $1 AND score > $2 ORDER BY score DESC LIMIT $3';
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => pool.query(sql, ['story', i, 3])));
  assert.ok(results.every((result) => result.rows.length === 3));
  assert.deepEqual((await client.query({ name: 'named', text: 'SELECT $1::INT + 1 AS a', values: [41] })).rows, [{ a: 42 }]);
});
await habit(N, 'types', async () => {
  const { rows } = await client.query({ text: "SELECT 9007199254740993, 1.10::DECIMAL(10,2), TIMESTAMPTZ '2024-01-01 00:00:00+00', true, 'ß', [1, 2], NULL", rowMode: 'array' });
  assert.deepEqual(rows[0], ['9007199254740993', '1.10', new Date('2024-01-01T00:00:00Z'), true, 'ß', [1, 2], null]);
});
await habit(N, 'commit', async () => {
  await client.query('BEGIN');
  await client.query('CREATE OR REPLACE TABLE node_t (a INT, b VARCHAR)');
  assert.equal((await client.query('INSERT INTO node_t VALUES ($1, $2), ($3, $4)', [1, 'one', 2, 'two'])).rowCount, 2);
  await client.query('COMMIT');
  assert.deepEqual((await pool.query('SELECT count(*)::INT AS n FROM node_t')).rows, [{ n: 2 }]);
});
await habit(N, 'rollback', async () => {
  await client.query('BEGIN');
  assert.equal((await client.query('DELETE FROM node_t')).rowCount, 2);
  await client.query('ROLLBACK');
  assert.deepEqual((await pool.query('SELECT count(*)::INT AS n FROM node_t')).rows, [{ n: 2 }]);
});
await habit(N, 'error', async () => {
  await client.query('BEGIN');
  await refused(() => client.query('SELECT * FROM nope'), /Table with name nope does not exist/);
  await refused(() => client.query('SELECT 1'), /aborted/);
  await client.query('ROLLBACK');
  assert.equal((await client.query('SELECT 7 AS a')).rows[0].a, 7);
});
await habit(N, 'refusal', () => refused(() => client.query('CREATE TEMP TABLE x (a INT)'), /CREATE TEMP is not supported/));
client.release();
await pool.end();

const P = 'postgres.js';
const sql = postgres({ host, port: Number(port), username: 'postgres', password, database: 'md:', ssl, max: 3, onnotice: () => {} });
await habit(P, 'example', async () => assert.equal((await sql.unsafe(PAGE)).length, 5));
await habit(P, 'parameters', async () => {
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => sql`SELECT title FROM sample_data.hn.hacker_news WHERE type = ${'story'} AND score > ${i} ORDER BY score DESC LIMIT 3`));
  assert.ok(results.every((rows) => rows.length === 3));
});
await habit(P, 'types', async () => {
  const [row] = await sql`SELECT 9007199254740993 AS a, 1.10::DECIMAL(10,2) AS b, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS c, true AS d, 'ß' AS e, [1, 2] AS f, NULL AS g`;
  assert.deepEqual({ ...row }, { a: '9007199254740993', b: '1.10', c: new Date('2024-01-01T00:00:00Z'), d: true, e: 'ß', f: [1, 2], g: null });
});
await habit(P, 'commit', async () => {
  await sql.begin(async (tx) => {
    await tx`CREATE OR REPLACE TABLE postgresjs_t (a INT, b VARCHAR)`;
    await tx`INSERT INTO postgresjs_t VALUES (1, 'one'), (2, 'two')`;
  });
  assert.equal((await sql`SELECT count(*)::INT AS n FROM postgresjs_t`)[0].n, 2);
});
await habit(P, 'rollback', async () => {
  await refused(() => sql.begin(async (tx) => {
    await tx`DELETE FROM postgresjs_t`;
    throw new Error('mine');
  }), /mine/);
  assert.equal((await sql`SELECT count(*)::INT AS n FROM postgresjs_t`)[0].n, 2);
});
await habit(P, 'error', async () => {
  await refused(() => sql`SELECT * FROM nope`, /Table with name nope does not exist/);
  assert.equal((await sql`SELECT 7 AS a`)[0].a, 7);
});
await habit(P, 'refusal', () => refused(() => sql`CREATE TEMP TABLE x (a INT)`, /CREATE TEMP is not supported/));
await habit(P, 'bulk', async () => {
  await sql`INSERT INTO postgresjs_t ${sql(Array.from({ length: 100 }, (_, i) => ({ a: i, b: `row ${i}` })))}`;
  assert.equal((await sql`SELECT count(*)::INT AS n FROM postgresjs_t WHERE b LIKE 'row %'`)[0].n, 100);
});
await sql.end({ timeout: 5 });
process.exit(failed ? 1 : 0);
JS
node clients.mjs
