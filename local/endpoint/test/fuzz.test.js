// Thousands of malformed and reordered messages: each is answered or its connection is closed, the process lives, and
// other sessions do not notice. The random numbers are seeded: FUZZ_SEED=n repeats a run, FUZZ_ROUNDS=n makes it longer.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Raw, cstring, fieldsOf, frame, int16, int32, start, texts, wire } from './support.js';

const SEED = Number(process.env.FUZZ_SEED ?? 20240229);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 150);

let endpoint;
let healthy;
before(async () => {
  endpoint = await start(['--max-message', '1000000', '--read-only-token', 'reader']);
  healthy = await endpoint.client();
});
after(async () => {
  await healthy.end();
  await endpoint.stop();
});

function generator(seed) {
  let state = seed >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { next, below, pick: (list) => list[below(list.length)], bytes: (n) => Buffer.from(Array.from({ length: n }, () => below(256))) };
}

const STATEMENTS = [
  'SELECT 1', 'SELECT CAST($1 AS VARCHAR)', 'SELECT i FROM range(3000) t(i)', 'selct', 'BEGIN TRANSACTION', 'COMMIT', 'ROLLBACK', '', ';', "SELECT 'open", 'SELECT $1', 'INSTALL httpfs', 'SHOW TABLES', 'CREATE TABLE IF NOT EXISTS f (a INT)',
  'INSERT INTO f VALUES ($1)', 'SELECT [[1],[2,3]]', "SELECT 'x'::INT", 'SELECT $1::DATE', 'SELECT * FROM read_csv($1)', 'PIVOT f ON a USING count(*)', 'DROP TABLE IF EXISTS f', "SELECT repeat('x', 100000)", 'SELECT CAST(CASE WHEN i = 2500 THEN \'x\' ELSE \'1\' END AS INT) FROM range(3000) t(i)', 'USE my_db', '$$', '/*', '((((((', 'SELECT $99999', 'SELECT ?, $1',
  "SET TimeZone = 'Europe/Berlin'", 'EXPLAIN SELECT 1', "PREPARE p AS SELECT 1", 'EXECUTE p', 'DEALLOCATE p', 'CREATE DATABASE IF NOT EXISTS fuzz', 'DROP DATABASE IF EXISTS fuzz', "SELECT '\u{1f986}'", 'SELECT \u0001',
];

function randomMessage(r) {
  const name = r.pick(['', '', 'a', 'b', 'x'.repeat(300)]);
  const portal = r.pick(['', '', 'p', 'q']);
  switch (r.below(12)) {
    case 0:
    case 1:
      return wire.query(r.pick(STATEMENTS));
    case 2:
    case 3:
      return wire.parse(name, r.pick(STATEMENTS), Array.from({ length: r.below(4) }, () => r.pick([0, 23, 25, 17, 1700, 1007, -1, 999999])));
    case 4:
    case 5:
      return wire.bind(portal, name, Array.from({ length: r.below(4) }, () => r.pick([null, 'x', '1', r.bytes(r.below(20)), ''])), { formats: r.pick([[], [0], [1], [1, 0], [7]]), results: r.pick([[], [0], [1], [1, 1, 1], [-1]]) });
    case 6:
      return wire.describe(r.pick(['S', 'P', 'P', 'Z']), name);
    case 7:
      return wire.execute(portal, r.pick([0, 1, 100, -5, 2147483647]));
    case 8:
      return wire.close(r.pick(['S', 'P', '?']), name);
    case 9:
      return wire.sync();
    case 10:
      return wire.flush();
    default:
      return frame(r.pick(['d', 'c', 'f', 'F', 'p', 'X', 'y', '\0', '\xff', 'Q', 'P', 'B', 'D', 'E', 'C', 'H', 'S']), r.bytes(r.below(60)));
  }
}

function mutate(bytes, r) {
  const copy = Buffer.from(bytes);
  switch (r.below(6)) {
    case 0:
      for (let i = 0; i < 1 + r.below(4); i++) copy[r.below(copy.length)] = r.below(256);
      return copy;
    case 1:
      return copy.subarray(0, r.below(copy.length));
    case 2:
      return Buffer.concat([copy, r.bytes(r.below(20))]);
    case 3:
      // A wrong length.
      if (copy.length >= 5) copy.writeInt32BE(r.pick([0, 3, 4, 5, -1, 2147483647, 1000001, copy.length * 2]), 1);
      return copy;
    case 4:
      // The length is right and the fields inside are not.
      return copy.length > 5 ? Buffer.concat([copy.subarray(0, 1), int32(4 + Math.floor((copy.length - 5) / 2)), copy.subarray(5, 5 + Math.floor((copy.length - 5) / 2))]) : copy;
    default:
      return Buffer.concat([cstring('x'), int16(r.below(65536) - 32768), copy]);
  }
}

const within = (promise, milliseconds, what) => {
  let timer;
  return Promise.race([promise, new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms: ${what}`)), milliseconds)))]).finally(() => clearTimeout(timer));
};

test('messages of the protocol, well-formed but in any order', async () => {
  const r = generator(SEED);
  let sent = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const raw = await Raw.connect(endpoint, { token: r.pick(['local', 'local', 'reader']), parameters: { user: 'f', database: 'md:', options: r.pick(['', '--compatibility-mode=metabase', '--attach_mode=single']) } });
    const sequence = Array.from({ length: 4 + r.below(16) }, () => randomMessage(r));
    sent += sequence.length;
    // What ends a well-formed sequence is a ReadyForQuery for the last Sync, or a fatal error, or a Terminate.
    raw.send(...sequence, wire.sync(), wire.query("SELECT 'the end'"));
    const what = `seed ${SEED} round ${round}`;
    for (;;) {
      const message = await within(raw.next(), 10_000, what);
      if (message === null) break;
      if (message.type === 'E' && fieldsOf(message).S === 'FATAL') assert.ok(fieldsOf(message).M, what);
      if (message.type === 'D' && message.body.includes('the end')) break;
    }
    raw.socket.destroy();
    if (round % 25 === 0) assert.deepEqual(await within(texts(healthy, `SELECT ${round}`), 5000, 'another session'), [[String(round)]]);
  }
  assert.ok(sent > ROUNDS * 5);
});

test('messages with wrong bytes, lengths and ends', async () => {
  const r = generator(SEED + 1);
  for (let round = 0; round < ROUNDS; round++) {
    const raw = await Raw.connect(endpoint);
    const sequence = Array.from({ length: 4 + r.below(12) }, () => (r.next() < 0.5 ? mutate(randomMessage(r), r) : randomMessage(r)));
    raw.send(...sequence);
    raw.socket.end();
    await within(
      (async () => {
        while ((await raw.next()) !== null);
      })(),
      10_000,
      `seed ${SEED + 1} round ${round}`,
    );
    raw.socket.destroy();
    if (round % 25 === 0) assert.deepEqual(await within(texts(healthy, `SELECT ${round}`), 5000, 'another session'), [[String(round)]]);
  }
});

test('logins with wrong bytes, in the clear and encrypted', async () => {
  const r = generator(SEED + 2);
  const closed = (socket, what) => within(new Promise((resolve) => socket.on('close', resolve)), 10_000, what);
  for (let round = 0; round < ROUNDS; round++) {
    const first = r.pick([wire.sslRequest(), wire.gssRequest(), wire.startup(), wire.cancel(1, 2), r.bytes(1 + r.below(40)), Buffer.from([0x16, 3, 1]), int32(r.below(20000)), Buffer.concat([wire.gssRequest(), wire.gssRequest(), wire.gssRequest(), wire.gssRequest(), wire.gssRequest()])]);
    const socket = net.connect(endpoint.port, endpoint.host);
    socket.on('error', () => {});
    socket.resume();
    socket.end(r.next() < 0.7 ? mutate(first, r) : first);
    await closed(socket, `seed ${SEED + 2} round ${round}`);
    if (round % 3 === 0) {
      const raw = await Raw.connect(endpoint, { login: false });
      const login = [wire.startup(r.pick([{ user: 'u', database: 'md:' }, {}, { user: '' }, { database: 'x'.repeat(5000) }, { options: '--'.repeat(50) }])), wire.password(r.pick(['local', 'x', '']))];
      raw.send(...login.map((bytes) => (r.next() < 0.6 ? mutate(bytes, r) : bytes)));
      raw.socket.end();
      await within(
        (async () => {
          while ((await raw.next()) !== null);
        })(),
        10_000,
        `seed ${SEED + 2} login round ${round}`,
      );
    }
    if (round % 25 === 0) assert.deepEqual(await within(texts(healthy, `SELECT ${round}`), 5000, 'another session'), [[String(round)]]);
  }
});

test('after all of it the endpoint is as it was', async () => {
  assert.equal(endpoint.child.exitCode, null);
  const unexpected = endpoint.log().split('\n').filter((line) => /unexpected|internal|TypeError|RangeError|stack/.test(line));
  assert.deepEqual(unexpected, []);
  const client = await endpoint.client();
  assert.deepEqual(await texts(client, 'SELECT count(*) FROM sample_data.nyc.taxi'), [['12000']]);
  await client.end();
});
