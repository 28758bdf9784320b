// How long a million rows of six columns take to reach a client that discards them, against the time that DuckDB takes
// to produce them through the same Node client, and how much the endpoint's memory grows meanwhile.
// Fails where the ratio is above 6 or the growth above 200 MB.

import { readFileSync } from 'node:fs';
import duckdb from '@duckdb/node-bindings';
import { Raw, start, wire } from '../test/support.js';

process.env.UV_THREADPOOL_SIZE ??= '16';
const ROWS = 1_000_000;
const RUNS = 5;
const SQL = `
  SELECT i AS id, 'item number ' || i AS name, i * 1.25::DOUBLE AS value, (i % 100000)::DECIMAL(12,2) AS price,
         DATE '2020-01-01' + CAST(i % 2000 AS INTEGER) AS day, TIMESTAMP '2020-01-01' + to_seconds(i) AS moment
  FROM range(${ROWS}) t(i)`;

/** DuckDB's own time: every chunk of the result is fetched, and dropped. */
async function produce() {
  const connection = await duckdb.connect(await duckdb.open(':memory:'));
  const times = [];
  for (let i = 0; i < RUNS; i++) {
    const started = performance.now();
    const result = await duckdb.execute_prepared_streaming(await duckdb.prepare(connection, SQL));
    let rows = 0;
    for (;;) {
      const chunk = await duckdb.fetch_chunk(result);
      const size = chunk ? duckdb.data_chunk_get_size(chunk) : 0;
      if (size === 0) break;
      rows += size;
    }
    if (rows !== ROWS) throw new Error(`${rows} rows`);
    times.push(performance.now() - started);
  }
  return times;
}

const memory = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** The endpoint's time: from sending the query to ReadyForQuery, in a client that only counts the bytes. */
async function serve(extended) {
  const endpoint = await start(['--quiet']);
  const raw = await Raw.connect(endpoint);
  const times = [];
  let bytes = 0;
  const before = memory(endpoint.child.pid);
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, memory(endpoint.child.pid))), 20);
  raw.socket.removeAllListeners('data');
  for (let i = 0; i < RUNS; i++) {
    const started = performance.now();
    bytes = 0;
    let tail = Buffer.alloc(0);
    const done = new Promise((resolve) => {
      raw.socket.removeAllListeners('data');
      raw.socket.on('data', (chunk) => {
        bytes += chunk.length;
        tail = chunk.length >= 6 ? chunk.subarray(chunk.length - 6) : Buffer.concat([tail, chunk]).subarray(-6);
        // ReadyForQuery is the last message: Z, 5, I.
        if (tail.length === 6 && tail[0] === 0x5a && tail.readInt32BE(1) === 5) resolve();
      });
    });
    if (extended) raw.send(wire.parse('', SQL), wire.bind('', ''), wire.describe('P'), wire.execute(), wire.sync());
    else raw.send(wire.query(SQL));
    await done;
    times.push(performance.now() - started);
  }
  clearInterval(watch);
  raw.end();
  await endpoint.stop();
  return { times, bytes, growth: peak - before };
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const show = (list) => list.map((time) => time.toFixed(0)).join(' ');

const engine = await produce();
console.log(`DuckDB alone:      median ${median(engine).toFixed(0)} ms (${show(engine)})`);
let failed = false;
for (const extended of [false, true]) {
  const { times, bytes, growth } = await serve(extended);
  const ratio = median(times) / median(engine);
  console.log(
    `${extended ? 'extended protocol' : 'simple protocol  '}: median ${median(times).toFixed(0)} ms (${show(times)}), ${(bytes / 1e6).toFixed(0)} MB; ` +
      `ratio ${ratio.toFixed(2)}, memory growth ${growth.toFixed(0)} MB`,
  );
  if (ratio > 6 || growth > 200) failed = true;
}
process.exit(failed ? 1 : 0);
