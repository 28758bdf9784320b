// From the first byte to a session: TLS, certificates, tokens, databases, options, cancel requests.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { Raw, failure, fieldsOf, start, temporaryDirectory, texts, types, wire } from './support.js';

let endpoint;
before(async () => {
  endpoint = await start(['--token', 'local', '--token', 'second', '--read-only-token', 'reader']);
});
after(() => endpoint.stop());

const refusal = async (config) => {
  try {
    const client = await endpoint.client(config);
    await client.end();
  } catch (error) {
    return error;
  }
  throw new Error('the login did not fail');
};

test('a client that does not ask for TLS is told why it is refused', async () => {
  const error = await refusal({ ssl: false });
  assert.match(error.message, /TLS only.*sslmode=verify-full/s);
});

test('GSS encryption is declined and TLS follows', async () => {
  const socket = net.connect(endpoint.port, endpoint.host);
  socket.write(wire.gssRequest());
  assert.equal((await once(socket, 'data'))[0].toString(), 'N');
  socket.write(wire.sslRequest());
  assert.equal((await once(socket, 'data'))[0].toString(), 'S');
  const secure = tls.connect({ socket, ca: endpoint.ca, servername: 'localhost' });
  await once(secure, 'secureConnect');
  const raw = new Raw(secure);
  raw.send(wire.startup(), wire.password());
  assert.ok((await raw.until('Z')).some((message) => message.type === 'K'));
  raw.end();
});

test('TLS may begin at once, with ALPN', async () => {
  const raw = await Raw.connect(endpoint, { direct: true });
  raw.send(wire.query('SELECT 1'));
  assert.equal(types(await raw.until('Z')), 'TDCZ');
  raw.end();
});

test('TLS that begins at once without ALPN is refused', async () => {
  const socket = tls.connect({ port: endpoint.port, host: endpoint.host, ca: endpoint.ca, servername: 'localhost' });
  socket.on('error', () => {});
  socket.write(wire.startup());
  await once(socket, 'close');
});

test('what is sent in the clear behind an SSLRequest is not taken for encrypted', async () => {
  const socket = net.connect(endpoint.port, endpoint.host);
  socket.on('error', () => {});
  socket.write(Buffer.concat([wire.sslRequest(), wire.startup()]));
  const [answer] = await once(socket, 'data');
  assert.equal(answer[0], 'E'.charCodeAt(0));
  await once(socket, 'close');
});

test('the certificate is for localhost, 127.0.0.1 and ::1', async () => {
  for (const name of ['localhost', '127.0.0.1', '::1']) {
    const socket = net.connect(endpoint.port, endpoint.host);
    socket.write(wire.sslRequest());
    await once(socket, 'data');
    const secure = tls.connect({ socket, ca: endpoint.ca, host: name, servername: name === 'localhost' ? name : undefined });
    await once(secure, 'secureConnect');
    secure.destroy();
  }
});

test('certificates that a client must refuse', async (t) => {
  for (const [kind, code] of [['expired', 'CERT_HAS_EXPIRED'], ['wrong-host', 'ERR_TLS_CERT_ALTNAME_INVALID'], ['unknown-ca', /UNABLE_TO_VERIFY|SELF_SIGNED|SIGNATURE_FAILURE/]]) {
    const bad = await start(['--certificate', kind]);
    t.after(() => bad.stop());
    await assert.rejects(bad.client(), (error) => (code instanceof RegExp ? code.test(error.code) : error.code === code) || assert.fail(`${kind}: ${error.code}`));
    const client = await bad.client({ ssl: { rejectUnauthorized: false } });
    assert.deepEqual(await texts(client, 'SELECT 1'), [['1']]);
    await client.end();
  }
});

test('the password is a token; any user name will do', async () => {
  for (const [password, user] of [['local', 'postgres'], ['second', 'dbt'], ['reader', 'x']]) {
    const client = await endpoint.client({ password, user });
    await client.end();
  }
  const error = await refusal({ password: 'wrong' });
  assert.equal(error.code, '28P01');
  assert.ok(!endpoint.log().includes('wrong'), 'the log never holds a token');
  assert.ok(!/local\b.*local\b.*token/.test(endpoint.log()));
  assert.equal((await refusal({ password: 'loca' })).code, '28P01');
  assert.equal((await refusal({ password: 'reader2' })).code, '28P01');
});

test('tokens of the token file count from one login to the next', async (t) => {
  const file = path.join(temporaryDirectory(t), 'tokens');
  writeFileSync(file, 'first\n');
  const rotating = await start(['--token-file', file], { t });
  await (await rotating.client({ password: 'first' })).end();
  await assert.rejects(rotating.client({ password: 'next' }), { code: '28P01' });
  await assert.rejects(rotating.client({ password: 'local' }), { code: '28P01' });
  writeFileSync(file, 'next\r\n');
  await assert.rejects(rotating.client({ password: 'first' }), { code: '28P01' });
  await (await rotating.client({ password: 'next' })).end();
});

test('a read-only token reads and does not write', async (t) => {
  const writer = await endpoint.client();
  const reader = await endpoint.client({ password: 'reader' });
  t.after(() => Promise.all([writer.end(), reader.end()]));
  await writer.query('CREATE TABLE readable AS SELECT 1 AS a');
  assert.deepEqual(await texts(reader, 'SELECT a FROM readable'), [['1']]);
  for (const sql of [
    'CREATE TABLE other (a INT)', 'INSERT INTO readable VALUES (2)', 'UPDATE readable SET a = 3', 'DELETE FROM readable', 'DROP TABLE readable',
    'TRUNCATE readable', 'ALTER TABLE readable ADD COLUMN b INT', 'MERGE INTO readable USING (SELECT 1 AS a) s ON readable.a = s.a WHEN MATCHED THEN DELETE',
    'CREATE DATABASE other', 'DROP DATABASE my_db', 'CREATE SCHEMA s', 'CREATE VIEW v AS SELECT 1', 'WITH x AS (SELECT 1 AS a) INSERT INTO readable SELECT * FROM x',
    'EXPLAIN ANALYZE INSERT INTO readable VALUES (9)', 'EXPLAIN ANALYZE DELETE FROM readable', 'PREPARE p AS INSERT INTO readable VALUES (9)', 'CHECKPOINT', 'COMMENT ON TABLE readable IS \'x\'',
    'CREATE OR REPLACE TABLE readable (a INT)', "CREATE TYPE e AS ENUM ('a')", 'COPY FROM DATABASE my_db TO other',
  ]) {
    assert.match((await failure(reader, sql)).message, /read-only|Catalog Error|Binder Error/, sql);
  }
  for (const sql of ['BEGIN TRANSACTION', 'SELECT 1', 'COMMIT', 'SHOW TABLES', 'DESCRIBE readable', 'SUMMARIZE readable', 'EXPLAIN SELECT 1', "SET TimeZone = 'UTC'", 'USE sample_data', 'PRAGMA database_list']) {
    await reader.query(sql);
  }
  assert.deepEqual(await texts(writer, 'SELECT a FROM readable'), [['1']]);
});

test('databases: md:, md:name and a name; an unknown one is 3D000', async () => {
  for (const [database, name] of [['md:', 'my_db'], ['my_db', 'my_db'], ['md:sample_data', 'sample_data'], ['sample_data', 'sample_data'], ['MD:', 'my_db'], ['Sample_Data', 'sample_data']]) {
    const client = await endpoint.client({ database });
    assert.deepEqual(await texts(client, 'SELECT current_database()'), [[name]]);
    await client.end();
  }
  const error = await refusal({ database: 'nope' });
  assert.equal(error.code, '3D000');
  assert.match(error.message, /"nope" does not exist/);
  assert.equal((await refusal({ database: 'system' })).code, '3D000');
});

test('session options: the name shows in the log, an unknown option in a notice, a wrong value in an error', async () => {
  const client = await endpoint.client({ options: '--attach_mode=single --session_name=pg-using\\ options', database: 'sample_data' });
  await client.end();
  assert.match(endpoint.log(), /postgres on sample_data \(pg-using options\)/);
  assert.match((await refusal({ options: '--attach_mode=double' })).message, /attach_mode/);
  assert.match((await refusal({ options: '--compatibility-mode=oracle' })).message, /compatibility-mode/);
  const raw = await Raw.connect(endpoint, { parameters: { user: 'u', database: 'md:', options: '-c statement_timeout=5 --what=x' } });
  const notices = raw.greeting.filter((message) => message.type === 'N').map((message) => fieldsOf(message).M);
  assert.equal(notices.length, 2);
  assert.match(notices[1], /--what=x/);
  raw.end();
});

test('parameters of the session are told, and versions negotiated', async () => {
  const raw = await Raw.connect(endpoint, { parameters: { user: 'u', database: 'md:', application_name: 'test' } });
  const told = Object.fromEntries(raw.greeting.filter((message) => message.type === 'S').map((message) => message.body.toString().split('\0')));
  assert.equal(told.client_encoding, 'UTF8');
  assert.equal(told.TimeZone, 'UTC');
  assert.equal(told.application_name, 'test');
  assert.match(told.server_version, /^\d+\.\d+/);
  raw.send(wire.query("SET TimeZone = 'Europe/Berlin'"));
  const status = (await raw.until('Z')).find((message) => message.type === 'S');
  assert.equal(status.body.toString(), 'TimeZone\0Europe/Berlin\0');
  raw.end();

  const newer = await Raw.connect(endpoint, { login: false });
  newer.send(wire.startup({ user: 'u', database: 'md:', '_pq_.extra': '1' }, 196610), wire.password());
  const greeting = await newer.until('Z');
  assert.equal(greeting[0].type, 'v');
  assert.match(greeting[0].body.toString(), /_pq_\.extra/);
  newer.end();

  const older = await Raw.connect(endpoint, { login: false });
  older.send(wire.startup({ user: 'u' }, 131072));
  assert.match(fieldsOf((await older.until('E'))[0]).M, /unsupported frontend protocol 2\.0/);
});

test('a cancel request with the right key stops a statement; the session goes on', async (t) => {
  const raw = await Raw.connect(endpoint);
  const other = await endpoint.client();
  t.after(() => other.end());
  const long = 'SELECT count(*) FROM range(100000000000) t(i) WHERE hash(i) % 7 = 3';
  const cancel = async (pid, secret) => {
    const socket = net.connect(endpoint.port, endpoint.host);
    socket.end(wire.cancel(pid, secret));
    socket.resume();
    await once(socket, 'close');
  };
  raw.send(wire.query(long));
  await sleep(100);
  assert.deepEqual(await texts(other, 'SELECT 1'), [['1']], 'other sessions go on');
  await cancel(raw.pid, raw.secret ^ 1);
  await cancel(raw.pid + 1000, raw.secret);
  await sleep(50);
  assert.equal(raw.messages.length, 0, 'a wrong key cancels nothing');
  await cancel(raw.pid, raw.secret);
  const messages = await raw.until('Z');
  assert.equal(fieldsOf(messages[0]).C, '57014');
  // In the middle of rows, too.
  raw.send(wire.query('SELECT i, repeat(\'x\', 100) FROM range(100000000) t(i)'));
  await raw.until('D');
  await cancel(raw.pid, raw.secret);
  const rest = await raw.until('Z');
  assert.equal(rest.at(-2).type, 'E');
  assert.equal(fieldsOf(rest.at(-2)).C, '57014');
  // An idle session has nothing to cancel, and its next statement runs.
  await cancel(raw.pid, raw.secret);
  await sleep(50);
  raw.send(wire.query('SELECT 1'));
  assert.equal(types(await raw.until('Z')), 'TDCZ');
  // And in a transaction.
  raw.send(wire.query('BEGIN TRANSACTION'));
  await raw.until('Z');
  raw.send(wire.query(long));
  await sleep(100);
  await cancel(raw.pid, raw.secret);
  assert.equal(fieldsOf((await raw.until('Z'))[0]).C, '57014');
  raw.send(wire.query('SELECT 1'));
  assert.match(fieldsOf((await raw.until('Z'))[0]).M, /Current transaction is aborted/);
  raw.send(wire.query('ROLLBACK'));
  assert.equal(types(await raw.until('Z')), 'TCZ');
  raw.end();
});

test('a client that goes away ends its statement', async () => {
  const raw = await Raw.connect(endpoint);
  raw.send(wire.query('SELECT count(*) FROM range(100000000000) t(i) WHERE hash(i) % 7 = 3'));
  await sleep(100);
  raw.socket.destroy();
  for (let i = 0; i < 50 && !endpoint.log().includes(`session ${raw.pid}: closed`); i++) await sleep(20);
  assert.match(endpoint.log(), new RegExp(`session ${raw.pid}: closed`));
});

test('fifty connections at once, each with a statement of its own', async () => {
  const clients = await Promise.all(Array.from({ length: 50 }, () => endpoint.client()));
  const results = await Promise.all(clients.map((client, i) => texts(client, `SELECT count(*) + ${i} FROM range(200000) t(j) WHERE hash(j) % 2 < 2`)));
  results.forEach((rows, i) => assert.deepEqual(rows, [[String(200000 + i)]]));
  await Promise.all(clients.map((client) => client.end()));
});

test('a client that reads slowly does not grow the endpoint\'s memory', async (t) => {
  const own = await start(['--quiet'], { t });
  const raw = await Raw.connect(own);
  raw.socket.removeAllListeners('data');
  raw.socket.pause();
  raw.send(wire.query("SELECT repeat('x', 1000) FROM range(2000000)"));
  await sleep(1500);
  const { readFileSync } = await import('node:fs');
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${own.child.pid}/status`, 'utf8'))[1]) / 1024;
  assert.ok(rss < 300, `${rss} MB for a result of 2 GB that nobody reads`);
  raw.socket.destroy();
});

test('messages over the limit are refused', async (t) => {
  const small = await start(['--max-message', '4096'], { t });
  const raw = await Raw.connect(small);
  raw.send(wire.query(`SELECT '${'x'.repeat(5000)}'`));
  const [error] = await raw.until('E');
  assert.equal(fieldsOf(error).S, 'FATAL');
  assert.match(fieldsOf(error).M, /larger than the limit of 4096/);
  assert.equal(await raw.next(), null, 'and the connection is closed');
});

test('messages may be split and joined anywhere', async () => {
  const raw = await Raw.connect(endpoint, { login: false });
  const bytes = Buffer.concat([
    wire.startup(), wire.password(), wire.query('SELECT 1'), wire.parse('s', 'SELECT CAST($1 AS VARCHAR)'), wire.bind('', 's', ['é🦆']), wire.execute(), wire.sync(), wire.query('SELECT 2'),
  ]);
  raw.socket.setNoDelay(true);
  for (let at = 0; at < bytes.length; at += 3) {
    raw.socket.write(bytes.subarray(at, at + 3));
    if (at % 30 === 0) await sleep(1);
  }
  assert.equal(types(await raw.until('Z')).replace(/S+/, 'S'), 'RRSKZ');
  assert.equal(types(await raw.until('Z')), 'TDCZ');
  assert.equal(types(await raw.until('Z')), '12DCZ');
  assert.equal(types(await raw.until('Z')), 'TDCZ');
  raw.end();
});
