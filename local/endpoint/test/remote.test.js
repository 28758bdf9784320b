// Remote reads: http and https, az:// and azure:// (against Azurite), and how each way of failing is told.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import { Engine } from '../src/engine.js';
import { failure, start, temporaryDirectory, texts } from './support.js';

const CSV = 'id,name\n1,one\n2,two\n3,"three, ""quoted"""\n';
let server;
let base;
let endpoint;
let client;
let temporary;
const routes = {};

before(async () => {
  server = http.createServer((request, response) => {
    const handler = routes[request.url.split('?')[0]];
    if (handler) handler(request, response);
    else response.writeHead(404).end('none');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${server.address().port}`;
  routes['/data.csv'] = (_, response) => response.end(CSV);
  routes['/data.json'] = (_, response) => response.end('[{"a": 1}, {"a": 2}]');
  routes['/data.ndjson'] = (_, response) => response.end('{"a": 1}\n{"a": 2}\n');
  routes['/more.csv'] = (_, response) => response.end('id,name\n4,four\n');
  routes['/data.csv.gz'] = (_, response) => response.end(gzipSync(CSV));
  routes['/moved.csv'] = (_, response) => response.writeHead(302, { location: '/data.csv' }).end();
  routes['/loop.csv'] = (_, response) => response.writeHead(302, { location: '/loop.csv' }).end();
  routes['/forbidden.csv'] = (_, response) => response.writeHead(403).end();
  routes['/broken.csv'] = (_, response) => response.writeHead(500).end();
  routes['/text.parquet'] = (_, response) => response.end('this is no parquet file at all');
  routes['/cut.csv'] = (_, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('id,name\n1,one\n');
    setTimeout(() => response.destroy(), 20);
  };
  routes['/cut-chunked.csv'] = (_, response) => {
    response.write('id,name\n1,one\n');
    setTimeout(() => response.destroy(), 20);
  };
  routes['/large.csv'] = (_, response) => response.end(Buffer.alloc(3_000_000, 'a,b\n'));
  routes['/large-chunked.csv'] = (_, response) => {
    response.write(Buffer.alloc(1_500_000, 'a,b\n'));
    response.end(Buffer.alloc(1_500_000, 'a,b\n'));
  };
  temporary = temporaryDirectory();
  endpoint = await start(['--max-download', '2000000'], { env: { TMPDIR: temporary } });
  client = await endpoint.client();
});
after(async () => {
  await client.end();
  await endpoint.stop();
  server.close();
  server.closeAllConnections();
  assert.deepEqual(readdirSync(temporary), [], 'the endpoint leaves nothing behind');
  rmSync(temporary, { recursive: true });
});

/** The files that are in the endpoint's cache now. */
const cached = () => readdirSync(temporary).flatMap((folder) => readdirSync(path.join(temporary, folder, 'cache')));

async function untilNothingIsCached() {
  for (let i = 0; i < 100 && cached().length > 0; i++) await sleep(100);
  assert.deepEqual(cached(), []);
}

test('CSV, JSON and Parquet are read over http, by function and by name', async (t) => {
  const parquet = path.join(temporaryDirectory(t), 'x.parquet');
  const engine = await Engine.open(':memory:');
  const connection = await engine.connect();
  await connection.run(`COPY (SELECT 42 AS answer) TO '${parquet}'`);
  routes['/data.parquet'] = (_, response) => response.end(readFileSync(parquet));
  for (const [sql, rows] of [
    [`SELECT * FROM read_csv('${base}/data.csv')`, [['1', 'one'], ['2', 'two'], ['3', 'three, "quoted"']]],
    [`SELECT count(*) FROM read_csv('${base}/data.csv', HEADER = true, AUTO_DETECT = true, MD_RUN = REMOTE)`, [['3']]],
    [`SELECT count(*) FROM read_csv_auto('${base}/data.csv.gz', MD_RUN := 'auto')`, [['3']]],
    [`SELECT sum(a) FROM read_json('${base}/data.json')`, [['3']]],
    [`SELECT sum(a) FROM read_ndjson('${base}/data.ndjson')`, [['3']]],
    [`SELECT answer FROM read_parquet('${base}/data.parquet', MD_RUN = REMOTE)`, [['42']]],
    [`SELECT answer FROM '${base}/data.parquet'`, [['42']]],
    [`SELECT d.name FROM '${base}/data.csv' AS d WHERE d.id = 2`, [['two']]],
    [`SELECT data.name FROM "${base}/data.csv" WHERE data.id = 2`, [['two']]],
    [`SELECT count(*) FROM read_csv(['${base}/data.csv', '${base}/more.csv'])`, [['4']]],
    [`SELECT a.id FROM read_csv('${base}/data.csv') a JOIN read_csv('${base}/more.csv') b ON b.id = a.id + 1`, [['3']]],
    [`SELECT content FROM read_text('${base}/more.csv')`, [['id,name\n4,four\n']]],
    [`SELECT filename FROM read_csv('${base}/more.csv', filename = true)`, [[`${base}/more.csv`]]],
    [`SELECT filename, size FROM read_text('${base}/more.csv')`, [[`${base}/more.csv`, '15']]],
    [`SELECT count(*) FROM read_csv('${base}/moved.csv')`, [['3']]],
    [`FROM read_csv('${base}/data.csv') SELECT count(*) WHERE name <> 'https://x/y.csv'`, [['3']]],
  ]) {
    assert.deepEqual(await texts(client, sql), rows, sql);
    assert.deepEqual(await texts(client, sql, []), rows, sql);
  }
  connection.close();
  engine.close();
});

test('a table is loaded from a remote file, and stays when the file is gone', async () => {
  await client.query(`CREATE OR REPLACE TABLE my_db.main.loaded AS SELECT * FROM read_csv('${base}/data.csv', HEADER = true, AUTO_DETECT = true, MD_RUN = REMOTE)`);
  await client.query(`INSERT INTO loaded SELECT * FROM read_csv('${base}/more.csv')`);
  await client.query(`COPY loaded FROM '${base}/more.csv' (HEADER)`);
  assert.deepEqual(await texts(client, 'SELECT count(*), max(id) FROM loaded'), [['5', '4']]);
  await client.query(`MERGE INTO loaded USING (SELECT * FROM read_csv('${base}/data.csv')) s ON loaded.id = s.id WHEN MATCHED THEN UPDATE SET name = upper(s.name) WHEN NOT MATCHED THEN INSERT BY NAME`);
  assert.deepEqual(await texts(client, 'SELECT name FROM loaded WHERE id = 1'), [['ONE']]);
});

test('each way of failing has an error of its own, with the URL that the client wrote', async () => {
  for (const [file, message] of [
    ['none.csv', /^HTTP Error: Unable to connect to URL "@@": 404 \(Not Found\)/],
    ['forbidden.csv', /^HTTP Error: HTTP GET error on '@@' \(HTTP 403 Forbidden\)/],
    ['broken.csv', /^HTTP Error: HTTP GET error on '@@' \(HTTP 500/],
    ['cut.csv', /^IO Error: The connection was cut while reading '@@': 14 of 1000 bytes/],
    ['cut-chunked.csv', /^IO Error: The connection was cut while reading '@@'/],
    ['large.csv', /^IO Error: '@@' has 3000000 bytes or more/],
    ['large-chunked.csv', /^IO Error: '@@' has \d+ bytes or more/],
    ['loop.csv', /^HTTP Error: '@@' redirects more than/],
  ]) {
    const url = `${base}/${file}`;
    const error = await failure(client, `SELECT * FROM read_csv('${url}')`);
    assert.match(error.message, new RegExp(message.source.replace('@@', url.replace(/[/.]/g, '\\$&'))), file);
    assert.equal(error.code, 'XX000');
  }
  const wrong = await failure(client, `SELECT * FROM read_parquet('${base}/text.parquet')`);
  assert.match(wrong.message, /^Invalid Input Error: .*magic bytes/);
  assert.ok(wrong.message.includes(`${base}/text.parquet`) && !wrong.message.includes('cache'), wrong.message);
  assert.match((await failure(client, "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')")).message, /^IO Error: Could not establish connection error for HTTP GET to 'http:\/\/127\.0\.0\.1:1\/x\.csv'/);
  assert.match((await failure(client, "SELECT * FROM read_csv('http://')")).message, /is not a URL/);
  assert.match((await failure(client, "SELECT * FROM read_csv('az://c/x.csv')")).message, /needs an Azure connection string/);
  const conversion = await failure(client, `SELECT * FROM read_csv('${base}/data.csv', columns = {'id': 'INT', 'name': 'INT'})`);
  assert.match(conversion.message, /^Conversion Error/);
  assert.ok(!conversion.message.includes('/cache/'), conversion.message);
});

test('a table keeps its rows when its reload fails', async () => {
  await client.query('CREATE OR REPLACE TABLE kept AS SELECT 1 AS a');
  for (const file of ['none.csv', 'cut.csv', 'text.parquet']) await failure(client, `CREATE OR REPLACE TABLE kept AS SELECT * FROM '${base}/${file}'`);
  assert.deepEqual(await texts(client, 'SELECT a FROM kept'), [['1']]);
});

test('nothing stays in the cache when the statements are done', async () => {
  await sleep(50);
  assert.deepEqual(cached(), []);
});

test('a query string stays out of the log', async () => {
  await texts(client, `SELECT count(*) FROM read_csv('${base}/data.csv?sig=verysecret')`);
  await sleep(20);
  assert.match(endpoint.log(), /data\.csv\?\*\*\*/);
  assert.ok(!endpoint.log().includes('verysecret'));
});

test('statements that run at once share a download; later ones read anew', async (t) => {
  let served = 0;
  routes['/slow.csv'] = (_, response) => {
    served++;
    response.writeHead(200, { 'content-length': CSV.length });
    setTimeout(() => response.end(CSV), 200);
  };
  const clients = await Promise.all(Array.from({ length: 5 }, () => endpoint.client()));
  t.after(() => Promise.all(clients.map((c) => c.end())));
  const results = await Promise.all(clients.map((c) => texts(c, `SELECT count(*) FROM read_csv('${base}/slow.csv')`)));
  assert.deepEqual(results, Array(5).fill([['3']]));
  assert.equal(served, 1);
  await texts(client, `SELECT count(*) FROM read_csv('${base}/slow.csv')`);
  assert.equal(served, 2);
});

test('a file that has changed is read again, by a statement prepared before too', async () => {
  let version = 1;
  routes['/changing.csv'] = (_, response) => response.end(`v\n${version}\n`);
  const named = { name: 'changing', text: `SELECT v FROM read_csv('${base}/changing.csv')`, rowMode: 'array' };
  assert.deepEqual((await client.query(named)).rows.map(String), ['1']);
  version = 2;
  assert.deepEqual((await client.query(named)).rows.map(String), ['2']);
  assert.deepEqual(await texts(client, named.text), [['2']]);
});

test('an ETag decides whether a file that is in use is the same', async (t) => {
  let etag = '"a"';
  let full = 0;
  const conditional = [];
  routes['/tagged.csv'] = (request, response) => {
    if (request.headers['if-none-match']) conditional.push(request.headers['if-none-match']);
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    full++;
    response.writeHead(200, { etag });
    response.end(`v\n${etag.replaceAll('"', '')}\n`);
  };
  // A prepared statement that is not yet run holds its file.
  const { Raw, wire, types } = await import('./support.js');
  const raw = await Raw.connect(endpoint);
  t.after(() => raw.end());
  raw.send(wire.parse('held', `SELECT v FROM read_csv('${base}/tagged.csv')`), wire.sync());
  assert.equal(types(await raw.until('Z')), '1Z');
  assert.deepEqual(await texts(client, `SELECT v FROM read_csv('${base}/tagged.csv')`), [['a']]);
  assert.equal(full, 1);
  etag = '"b"';
  assert.deepEqual(await texts(client, `SELECT v FROM read_csv('${base}/tagged.csv')`), [['b']]);
  assert.ok(full > 1);
  assert.ok(conditional.includes('"a"'));
});

test('a file stays for a moment: a load that asks for its columns first downloads it once', async () => {
  let etag = '"a"';
  const answers = [];
  routes['/stays.csv'] = (request, response) => {
    const same = request.headers['if-none-match'] === etag;
    answers.push(same ? 304 : 200);
    response.writeHead(same ? 304 : 200, { etag });
    response.end(same ? undefined : `v\n${etag.replaceAll('"', '')}\n`);
  };
  const select = `SELECT v FROM read_csv('${base}/stays.csv')`;
  await untilNothingIsCached();
  await texts(client, `DESCRIBE ${select}`);
  await texts(client, `CREATE OR REPLACE TABLE stayed AS ${select}`);
  assert.deepEqual(answers, [200, 304]);
  assert.equal(cached().length, 1);
  etag = '"b"';
  assert.deepEqual(await texts(client, select), [['b']]);
  assert.equal(cached().length, 1, 'the file that has changed is gone');
  await untilNothingIsCached();
});

test('a cancelled statement stops waiting for its download', async () => {
  routes['/never.csv'] = (_, response) => response.writeHead(200).write('id\n');
  const { Raw, wire, fieldsOf } = await import('./support.js');
  const raw = await Raw.connect(endpoint);
  raw.send(wire.query(`SELECT * FROM read_csv('${base}/never.csv')`));
  await sleep(100);
  const { default: net } = await import('node:net');
  net.connect(endpoint.port, endpoint.host).end(wire.cancel(raw.pid, raw.secret));
  assert.equal(fieldsOf((await raw.until('Z'))[0]).C, '57014');
  raw.send(wire.query('SELECT 1'));
  await raw.until('Z');
  raw.end();
  await sleep(50);
  assert.deepEqual(cached(), []);
});

test('Azure: az:// and azure:// with globs, through a connection string', async (t) => {
  const require = createRequire(import.meta.url);
  const azurite = spawn(process.execPath, [require.resolve('azurite/dist/src/blob/main.js'), '--blobPort', '0', '--blobHost', '127.0.0.1', '--location', temporaryDirectory(t), '--skipApiVersionCheck', '--silent', '--inMemoryPersistence'].filter((arg, i, all) => arg !== '--location' && all[i - 1] !== '--location'), { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => azurite.kill());
  let said = '';
  const port = await new Promise((resolve, reject) => {
    azurite.stdout.on('data', (text) => {
      said += text;
      const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
      if (found && Number(found[1]) > 0) resolve(Number(found[1]));
    });
    azurite.on('exit', () => reject(new Error(said)));
  });
  // Azurite's well-known development account and key: a constant of its documentation, no secret.
  const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=${key};BlobEndpoint=http://127.0.0.1:${port}/devstoreaccount1;`;
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('files');
  await container.create();
  const put = (name, text) => container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
  await put('2024/a.csv', 'id,name\n1,a\n');
  await put('2024/b.csv', 'id,name\n2,b\n');
  await put('2024/deep/c.csv', 'id,name\n3,c\n');
  await put('2025/d.csv', 'id,name\n4,d\n');
  await put('bad.parquet', 'no parquet');
  const own = await start([], { t, env: { AZURE_STORAGE_CONNECTION_STRING: connectionString } });
  const c = await own.client();
  for (const [sql, rows] of [
    ["SELECT name FROM read_csv('az://files/2024/a.csv')", [['a']]],
    ["SELECT name FROM read_csv('azure://devstoreaccount1.blob.core.windows.net/files/2024/a.csv', MD_RUN = REMOTE)", [['a']]],
    ["SELECT name FROM read_csv('azure://files/2024/a.csv')", [['a']]],
    ["SELECT string_agg(name, '' ORDER BY name) FROM read_csv('az://files/2024/*.csv')", [['ab']]],
    ["SELECT string_agg(name, '' ORDER BY name) FROM read_csv('az://files/**/*.csv')", [['abcd']]],
    ["SELECT string_agg(name, '' ORDER BY name) FROM read_csv('az://files/202[45]/?.csv')", [['abd']]],
    ["SELECT string_agg(name, '' ORDER BY name) FROM read_csv(['az://files/2024/*.csv', 'az://files/2025/d.csv'])", [['abd']]],
    ["SELECT string_agg(name, '' ORDER BY name) FROM 'az://files/2024/*.csv'", [['ab']]],
    ["SELECT filename FROM read_csv('az://files/2025/*.csv', filename = true)", [['az://files/2025/d.csv']]],
    ['SELECT 1', [['1']]],
  ]) assert.deepEqual(await texts(c, sql), rows, sql);
  for (const [url, message] of [
    ['az://files/none.csv', /^HTTP Error: Unable to connect to URL "az:\/\/files\/none\.csv": 404 \(the blob does not exist\)/],
    ['az://nocontainer/none.csv', /^HTTP Error: .*404 \(the container does not exist\)/],
    ['az://files/none/*.csv', /^IO Error: No files found that match the pattern "az:\/\/files\/none\/\*\.csv"/],
    ['azure://other.blob.core.windows.net/files/a.csv', /account 'other'/],
    ['az://files', /must name a container and a path/],
  ]) assert.match((await failure(c, `SELECT * FROM read_csv('${url}')`)).message, message, url);
  assert.match((await failure(c, "SELECT * FROM 'az://files/bad.parquet'")).message, /^Invalid Input Error: File 'az:\/\/files\/bad\.parquet' too small/);
  const denied = await start(['--azure-connection-string', connectionString.replace(key, Buffer.alloc(64).toString('base64'))], { t });
  const d = await denied.client();
  assert.match((await failure(d, "SELECT * FROM read_csv('az://files/2024/a.csv')")).message, /^HTTP Error: HTTP GET error on 'az:\/\/files\/2024\/a\.csv' \(HTTP 403\): access is denied/);
  assert.ok(!own.log().includes(key));
  await d.end();
  await c.end();
});
