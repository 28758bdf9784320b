// The account's databases on one DuckDB instance: my_db, the default, the share sample_data, and those that CREATE DATABASE
// adds. With a data folder they are files that stay; without one my_db and the others live in memory.
//
// DuckDB itself keeps statements away from local files: external access is off but for the endpoint's own folders (its
// databases, and the cache of remote files), and the configuration is locked but for the session's time zone. That the
// endpoint's own folders are not read by name, the policy sees to.

import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Engine } from './engine.js';
import { EndpointError } from './errors.js';
import { sampleStatements, SAMPLE_VERSION } from './samples.js';

export const DEFAULT_DATABASE = 'my_db';
export const SAMPLE_DATABASE = 'sample_data';
const RESERVED = new Set(['system', 'temp', 'memory', SAMPLE_DATABASE]);

const literal = (text) => `'${text.replaceAll("'", "''")}'`;
export const identifier = (text) => `"${text.replaceAll('"', '""')}"`;

export class Databases {
  /** `dataDirectory` may be null; `workDirectory` is this process's own and goes when it ends. */
  static async open({ dataDirectory, workDirectory }) {
    const self = new Databases();
    self.directory = dataDirectory ? path.join(dataDirectory, 'databases') : null;
    self.cacheDirectory = path.join(workDirectory, 'cache');
    const spill = path.join(workDirectory, 'spill');
    const samples = dataDirectory ? path.join(dataDirectory, 'samples') : path.join(workDirectory, 'samples');
    for (const folder of [self.directory, self.cacheDirectory, spill, samples]) {
      if (folder) await mkdir(folder, { recursive: true, mode: 0o700 });
    }
    const sampleFile = path.join(samples, `${SAMPLE_DATABASE}-${SAMPLE_VERSION}.duckdb`);
    await makeSamples(sampleFile, workDirectory);

    self.engine = await Engine.open(':memory:', {
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      temp_directory: spill,
    });
    self.admin = await self.engine.connect();
    const run = (sql) => self.admin.run(sql);
    await run("SET GLOBAL TimeZone = 'UTC'");
    for (const name of await self.existing()) await self.attach(name);
    await run(`ATTACH ${literal(sampleFile)} AS ${SAMPLE_DATABASE} (READ_ONLY)`);
    await run(`USE ${DEFAULT_DATABASE}`);
    await run('DETACH memory');
    const allowed = [self.cacheDirectory, ...(self.directory ? [self.directory] : [])].map((folder) => literal(folder + path.sep));
    await run(`SET allowed_directories = [${allowed.join(', ')}]`);
    await run("SET allowed_configs = ['TimeZone']");
    await run('SET enable_external_access = false');
    await run('SET lock_configuration = true');
    return self;
  }

  async existing() {
    if (!this.directory) return [DEFAULT_DATABASE];
    const files = (await readdir(this.directory)).filter((file) => file.endsWith('.duckdb'));
    return [...new Set([DEFAULT_DATABASE, ...files.map((file) => decodeURIComponent(file.slice(0, -'.duckdb'.length)))])];
  }

  file(name) {
    return path.join(this.directory, `${encodeURIComponent(name)}.duckdb`);
  }

  async attach(name) {
    await this.admin.run(`ATTACH ${this.directory ? literal(this.file(name)) : "':memory:'"} AS ${identifier(name)}`);
  }

  /** The databases of the account, as SHOW DATABASES lists them. */
  async list() {
    const rows = await this.admin.rows('SELECT database_name FROM duckdb_databases() WHERE NOT internal ORDER BY 1');
    return rows.map(([name]) => name);
  }

  /** The name as it is spelled, or null: names are compared without case, as DuckDB does. */
  async find(name) {
    const wanted = name.toLowerCase();
    return (await this.list()).find((known) => known.toLowerCase() === wanted) ?? null;
  }

  async create({ name, ifNotExists, orReplace, source }) {
    if (RESERVED.has(name.toLowerCase()) || name === '' || name.length > 200) {
      throw new EndpointError(`Catalog Error: a database cannot have the name "${name}"`);
    }
    const from = source === null ? null : await this.find(source);
    if (source !== null && from === null) throw new EndpointError(`Catalog Error: Database "${source}" does not exist`);
    const known = await this.find(name);
    if (known) {
      if (ifNotExists) return;
      if (!orReplace) throw new EndpointError(`Catalog Error: Failed to create database "${name}": a database with this name already exists`);
      await this.drop({ name: known, ifExists: false });
    }
    await this.attach(name);
    if (from !== null) await this.admin.run(`COPY FROM DATABASE ${identifier(from)} TO ${identifier(name)}`);
  }

  async drop({ name, ifExists }) {
    const known = await this.find(name);
    if (!known) {
      if (ifExists) return;
      throw new EndpointError(`Catalog Error: Database "${name}" does not exist`);
    }
    if (known === SAMPLE_DATABASE) throw new EndpointError(`Permission Error: "${name}" is a share and cannot be dropped`);
    if (known === DEFAULT_DATABASE) throw new EndpointError(`Permission Error: "${name}" is the account's default database and cannot be dropped in the local endpoint`);
    await this.admin.run(`DETACH ${identifier(known)}`);
    if (this.directory) {
      await rm(this.file(known), { force: true });
      await rm(`${this.file(known)}.wal`, { force: true });
    }
  }

  /** A connection for a session, in its database. */
  async connect(database) {
    const connection = await this.engine.connect();
    await connection.run(`USE ${identifier(database)}`);
    return connection;
  }

  async close() {
    if (this.directory) {
      for (const name of await this.list()) {
        if (name !== SAMPLE_DATABASE) await this.admin.run(`CHECKPOINT ${identifier(name)}`).catch(() => {});
      }
    }
    this.admin.close();
    this.engine.close();
  }
}

/** Makes the sample database's file once; endpoints that start at the same moment may each make it, and one wins. */
async function makeSamples(file, workDirectory) {
  if (existsSync(file)) return;
  const temporary = path.join(path.dirname(file), `${path.basename(workDirectory)}-${process.pid}.tmp`);
  const engine = await Engine.open(temporary, { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' });
  const connection = await engine.connect();
  for (const statement of sampleStatements) await connection.run(statement);
  await connection.run('CHECKPOINT');
  connection.close();
  engine.close();
  await rename(temporary, file);
  await rm(`${temporary}.wal`, { force: true });
}
