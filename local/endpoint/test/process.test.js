// The endpoint as a program: its options, its exit codes, its files.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { COMMAND, failure, start, temporaryDirectory, texts } from './support.js';

async function run(args, env = {}) {
  const child = spawn(COMMAND[0], [...COMMAND.slice(1), ...args], { env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  const [code] = await once(child, 'exit');
  return { code, stdout, stderr };
}

test('--help tells every option', async () => {
  const { code, stdout } = await run(['--help']);
  assert.equal(code, 0);
  for (const option of ['host', 'port', 'data', 'ca-dir', 'token', 'read-only-token', 'token-file', 'ready-status', 'certificate', 'max-message', 'max-download', 'azure-connection-string', 'exit-with-stdin', 'quiet', 'help']) {
    assert.match(stdout, new RegExp(`--${option}\\b`));
  }
});

test('wrong options end with 2 and one clear line', async () => {
  for (const [args, message] of [
    [['--nope'], /unknown option "--nope"/], [['--port', 'x'], /--port must be a whole number/], [['--port'], /--port needs a value/], [['--port', '70000'], /--port/],
    [['--ready-status', 'maybe'], /--ready-status must be one of/], [['--certificate=old'], /--certificate must be one of/], [['extra'], /unknown option "extra"/], [['--token='], /--token must not be empty/],
  ]) {
    const { code, stderr, stdout } = await run(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
    assert.equal(stderr.trim().split('\n').length, 1);
    assert.equal(stdout, '');
  }
});

test('a port that is taken ends with 3 and one clear line', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const { code, stderr } = await run(['--port', String(port)]);
  server.close();
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`^motherduck-local-endpoint: port ${port} on 127.0.0.1 is taken[^\n]*\n$`));
});

test('it says where it listens on one line of JSON, and nothing else on standard output', async () => {
  const endpoint = await start();
  assert.equal(endpoint.event, 'ready');
  assert.equal(endpoint.host, '127.0.0.1');
  assert.ok(path.isAbsolute(endpoint.caFile));
  assert.deepEqual(endpoint.databases, ['my_db', 'sample_data']);
  assert.equal(await endpoint.stop(), 0);
  assert.ok(!existsSync(endpoint.caFile), 'without --data nothing is left behind');
});

test('it stops within a second, on SIGTERM, SIGINT and when standard input closes, even with work under way', async () => {
  for (const how of ['SIGTERM', 'SIGINT', 'stdin']) {
    const endpoint = await start(['--exit-with-stdin']);
    const client = await endpoint.client();
    const running = client.query('SELECT count(*) FROM range(100000000000) t(i) WHERE hash(i) % 7 = 3').catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    const started = Date.now();
    if (how === 'stdin') endpoint.child.stdin.end();
    else endpoint.child.kill(how);
    await endpoint.exited;
    assert.equal(endpoint.child.exitCode, 0, how);
    // A second is what is promised; a busy machine may take longer.
    assert.ok(Date.now() - started < 2000, `${how}: ${Date.now() - started} ms`);
    await running;
  }
});

test('with --data the databases and the certificate authority stay', async (t) => {
  const data = path.join(temporaryDirectory(t), 'not yet there');
  const first = await start(['--data', data]);
  let client = await first.client();
  await client.query('CREATE TABLE kept AS SELECT 42 AS a');
  await client.query('CREATE DATABASE "Another one"');
  await client.query('CREATE TABLE "Another one".main.t AS SELECT 1 AS b');
  await client.end();
  assert.equal(await first.stop(), 0);
  assert.ok(!readdirSync(path.join(data, 'databases')).some((file) => file.endsWith('.wal')), 'it ends with a checkpoint');
  const second = await start(['--data', data]);
  t.after(() => second.stop());
  assert.equal(second.ca, first.ca);
  assert.deepEqual(second.databases, ['Another one', 'my_db', 'sample_data']);
  client = await second.client();
  assert.deepEqual(await texts(client, 'SELECT a FROM kept'), [['42']]);
  assert.deepEqual(await texts(client, 'SELECT b FROM "Another one".t'), [['1']]);
  await client.query('DROP DATABASE "Another one"');
  assert.deepEqual(await texts(client, 'SHOW DATABASES'), [['my_db'], ['sample_data']]);
  assert.match((await failure(client, 'SELECT b FROM "Another one".t')).message, /Catalog Error|Binder Error/);
  await client.end();
  assert.equal(statSync(path.join(data, 'ca-with-key.pem')).mode & 0o077, 0, 'the key is not for others to read');
});

test('what was committed survives a kill', async (t) => {
  const data = temporaryDirectory(t);
  const first = await start(['--data', data]);
  const client = await first.client();
  await client.query('CREATE TABLE kept AS SELECT 42 AS a');
  first.child.kill('SIGKILL');
  await first.exited;
  const second = await start(['--data', data], { t });
  const again = await second.client();
  assert.deepEqual(await texts(again, 'SELECT a FROM kept'), [['42']]);
  await again.end();
});

test('two endpoints on one data folder: the second says that the first has it', async (t) => {
  const data = temporaryDirectory(t);
  await start(['--data', data], { t });
  const { code, stderr } = await run(['--port', '0', '--data', data]);
  assert.equal(code, 1);
  assert.match(stderr, /in use by another/);
});

test('several endpoints that start at once share one new certificate authority', async (t) => {
  const directory = path.join(temporaryDirectory(t), 'ca');
  const endpoints = await Promise.all(Array.from({ length: 5 }, () => start(['--ca-dir', directory], { t })));
  assert.equal(new Set(endpoints.map((endpoint) => endpoint.ca)).size, 1);
  for (const endpoint of endpoints) await (await endpoint.client({ ssl: { ca: endpoints[0].ca } })).end();
  assert.deepEqual(readdirSync(directory).sort(), ['ca-with-key.pem', 'ca.pem']);
});

test('an authority that is at its end, or broken, is made anew', async (t) => {
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'ca-with-key.pem');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const old = await x509.X509CertificateGenerator.createSelfSigned({ serialNumber: '01', name: 'CN=old', notBefore: new Date(0), notAfter: new Date(1e12), keys, signingAlgorithm: algorithm }, crypto);
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  for (const content of [`${key}\n${old.toString('pem')}\n`, 'not a certificate']) {
    writeFileSync(file, content);
    const endpoint = await start(['--ca-dir', directory]);
    await (await endpoint.client()).end();
    await endpoint.stop();
    assert.ok(new x509.X509Certificate(readFileSync(path.join(directory, 'ca.pem'), 'utf8')).notAfter > new Date());
  }
});

test('tokens come from the environment too', async (t) => {
  const endpoint = await start([], { t, env: { MOTHERDUCK_LOCAL_TOKEN: 'from-environment', MOTHERDUCK_LOCAL_READ_ONLY_TOKEN: 'reader' } });
  await (await endpoint.client({ password: 'from-environment' })).end();
  await (await endpoint.client({ password: 'reader' })).end();
  await assert.rejects(endpoint.client({ password: 'local' }), { code: '28P01' });
});

test('the sample data is there, the same at every start', async (t) => {
  const sums = [];
  for (let i = 0; i < 2; i++) {
    const endpoint = await start([], { t });
    const client = await endpoint.client();
    const [[stories, hn]] = await texts(client, 'SELECT count(*), sum(hash(hacker_news)) FROM sample_data.hn.hacker_news');
    const [[trips, taxi]] = await texts(client, 'SELECT count(*), sum(hash(taxi)) FROM sample_data.nyc.taxi');
    assert.ok(Number(stories) >= 10000 && Number(trips) >= 10000);
    sums.push([hn, taxi]);
    const columns = await texts(client, "SELECT string_agg(column_name, ' ' ORDER BY column_index) FROM duckdb_columns() WHERE database_name = 'sample_data' GROUP BY table_name ORDER BY table_name");
    assert.deepEqual(columns, [
      ['title url text dead by score time timestamp type id parent descendants ranking deleted'],
      ['VendorID tpep_pickup_datetime tpep_dropoff_datetime passenger_count trip_distance RatecodeID store_and_fwd_flag PULocationID DOLocationID payment_type fare_amount extra mta_tax tip_amount tolls_amount improvement_surcharge total_amount congestion_surcharge airport_fee'],
    ]);
    assert.deepEqual(await texts(client, 'SELECT DISTINCT type FROM sample_data.hn.hacker_news ORDER BY 1'), [['comment'], ['job'], ['poll'], ['story']]);
    assert.match((await failure(client, 'DELETE FROM sample_data.hn.hacker_news')).message, /read-only/);
    await client.end();
  }
  assert.deepEqual(sums[0], sums[1]);
});
