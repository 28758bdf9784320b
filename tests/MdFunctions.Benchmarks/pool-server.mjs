// What the benchmark of pools is compared with: an HTTP server that runs one query with node-postgres, either with a
// pool that lives in the module (as in MotherDuck's example for Vercel) or with a connection for each request (as in
// the one for Cloudflare Workers). Settings come from the environment; standard output gets the URL.

import http from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const { DB_PORT, DB_NAME, DB_CA, DB_SQL, DB_POOL } = process.env;
const pg = createRequire(join(process.cwd(), 'package.json'))('pg');

const config = {
  host: 'localhost',
  port: Number(DB_PORT),
  user: 'postgres',
  password: 'local',
  database: DB_NAME,
  ssl: DB_CA ? { ca: readFileSync(DB_CA, 'utf8') } : { rejectUnauthorized: false },
};
const pool = DB_POOL ? new pg.Pool({ ...config, max: Number(DB_POOL) }) : null;

async function rows(n) {
  if (pool) return (await pool.query(DB_SQL, [n])).rows;
  const client = new pg.Client(config);
  await client.connect();
  try {
    return (await client.query(DB_SQL, [n])).rows;
  } finally {
    await client.end();
  }
}

const server = http.createServer(async (request, response) => {
  try {
    const body = JSON.stringify(await rows(new URL(request.url, 'http://localhost').searchParams.get('n')));
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  } catch (error) {
    response.writeHead(500).end(error.message);
  }
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
