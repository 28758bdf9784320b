// One pool for the module, the whole result in memory, JSON.stringify: as the examples for Vercel have it.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { join } from 'node:path';

const { Pool } = createRequire(join(process.cwd(), 'package.json'))('pg');
const pool = new Pool({ host: 'localhost', port: Number(process.env.DB_PORT), user: 'postgres', password: 'x', database: 'postgres', ssl: { rejectUnauthorized: false } });

const server = createServer(async (request, response) => {
  const { rows } = await pool.query('SELECT id, price, name, day, paid, amount FROM benchmark_rows');
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(rows));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.on('end', () => process.exit()).resume();
