// Starts the endpoint as its users do, as a process of its own, and speaks to it at the level of the wire.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const BIN = fileURLToPath(new URL('../bin/motherduck-local-endpoint.js', import.meta.url));

/** The program to test, with its first arguments; ENDPOINT_COMMAND names another that must pass the same tests. */
export const COMMAND = process.env.ENDPOINT_COMMAND ? process.env.ENDPOINT_COMMAND.split(' ') : [process.execPath, BIN];

export function temporaryDirectory(t) {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'endpoint-test-'));
  t?.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts an endpoint; its `stop` ends it, and a test context `t` does so by itself. */
export async function start(args = [], { env = {}, t } = {}) {
  const child = spawn(COMMAND[0], [...COMMAND.slice(1), '--port', '0', ...args], {
    env: { ...process.env, MOTHERDUCK_LOCAL_TOKEN: '', MOTHERDUCK_LOCAL_READ_ONLY_TOKEN: '', AZURE_STORAGE_CONNECTION_STRING: '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (text) => (log += text));
  const exited = once(child, 'exit');
  const lines = readline.createInterface({ input: child.stdout });
  const first = await Promise.race([once(lines, 'line'), exited]);
  if (child.exitCode !== null) throw new Error(`the endpoint ended with ${child.exitCode}: ${log}`);
  const ready = JSON.parse(first[0]);
  const endpoint = {
    ...ready,
    child,
    ca: readFileSync(ready.caFile, 'utf8'),
    log: () => log,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await exited;
      return child.exitCode;
    },
    exited,
  };
  endpoint.config = (options = {}) => ({
    host: 'localhost',
    port: ready.port,
    user: 'postgres',
    password: 'local',
    database: 'md:',
    ssl: { ca: endpoint.ca },
    ...options,
  });
  endpoint.client = async (options = {}) => {
    const client = new pg.Client(endpoint.config(options));
    client.on('error', () => {});
    await client.connect();
    return client;
  };
  t?.after(() => endpoint.stop());
  return endpoint;
}

/** Runs a query and gives its rows as arrays of text, as they came over the wire. */
export async function texts(client, text, values) {
  const result = await client.query({ text, values, rowMode: 'array', types: { getTypeParser: () => (value) => value } });
  return result.rows;
}

/** The error of a query that must fail. */
export async function failure(client, text, values) {
  try {
    await client.query({ text, values });
  } catch (error) {
    return error;
  }
  throw new Error(`${text} did not fail`);
}

// The wire itself

export const int32 = (value) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
export const int16 = (value) => {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
};
export const cstring = (text) => Buffer.from(`${text}\0`);

export const frame = (type, ...parts) => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
};

export const wire = {
  startup: (parameters = { user: 'postgres', database: 'md:' }, version = 196608) =>
    frame('', int32(version), ...Object.entries(parameters).flatMap(([name, value]) => [cstring(name), cstring(value)]), '\0'),
  password: (token = 'local') => frame('p', cstring(token)),
  query: (sql) => frame('Q', cstring(sql)),
  parse: (name, sql, oids = []) => frame('P', cstring(name), cstring(sql), int16(oids.length), ...oids.map(int32)),
  bind: (portal, statement, values = [], { formats = [], results = [] } = {}) =>
    frame(
      'B', cstring(portal), cstring(statement), int16(formats.length), ...formats.map(int16), int16(values.length),
      ...values.flatMap((value) => {
        if (value === null) return [int32(-1)];
        const bytes = Buffer.from(value);
        return [int32(bytes.length), bytes];
      }),
      int16(results.length), ...results.map(int16),
    ),
  describe: (kind, name = '') => frame('D', kind, cstring(name)),
  execute: (portal = '', limit = 0) => frame('E', cstring(portal), int32(limit)),
  close: (kind, name = '') => frame('C', kind, cstring(name)),
  sync: () => frame('S'),
  flush: () => frame('H'),
  terminate: () => frame('X'),
  sslRequest: () => frame('', int32(80877103)),
  gssRequest: () => frame('', int32(80877104)),
  cancel: (pid, secret) => frame('', int32(80877102), int32(pid), int32(secret)),
};

/** A connection whose messages are read one by one. */
export class Raw {
  static async connect(endpoint, { direct = false, login = true, parameters, token } = {}) {
    const socket = net.connect(endpoint.port, endpoint.host);
    socket.on('error', () => {});
    await once(socket, 'connect');
    if (!direct) {
      socket.write(wire.sslRequest());
      const [answer] = await once(socket, 'data');
      if (answer.toString() !== 'S') throw new Error(`SSLRequest was answered with ${answer}`);
    }
    const secure = tls.connect({ socket, ca: endpoint.ca, servername: 'localhost', ALPNProtocols: direct ? ['postgresql'] : undefined });
    await once(secure, 'secureConnect');
    const raw = new Raw(secure);
    if (login) {
      raw.send(wire.startup(parameters), wire.password(token));
      raw.greeting = await raw.until('Z');
      const key = raw.greeting.find((message) => message.type === 'K');
      if (key) [raw.pid, raw.secret] = [key.body.readInt32BE(0), key.body.readInt32BE(4)];
    }
    return raw;
  }

  constructor(socket) {
    this.socket = socket;
    this.buffer = Buffer.alloc(0);
    this.messages = [];
    this.closed = false;
    socket.on('data', (bytes) => {
      this.buffer = Buffer.concat([this.buffer, bytes]);
      this.cut();
      this.wake?.();
    });
    const end = () => {
      this.closed = true;
      this.wake?.();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  cut() {
    while (this.buffer.length >= 5) {
      const length = this.buffer.readInt32BE(1) + 1;
      if (this.buffer.length < length) return;
      this.messages.push({ type: String.fromCharCode(this.buffer[0]), body: this.buffer.subarray(5, length) });
      this.buffer = this.buffer.subarray(length);
    }
  }

  send(...frames) {
    this.socket.write(Buffer.concat(frames));
  }

  /** The next message, or null when the server has closed. */
  async next() {
    while (this.messages.length === 0) {
      if (this.closed) return null;
      await new Promise((resolve) => (this.wake = resolve));
    }
    return this.messages.shift();
  }

  /** All messages up to one of this type, or to the end. */
  async until(type) {
    const seen = [];
    for (;;) {
      const message = await this.next();
      if (message === null) return seen;
      seen.push(message);
      if (message.type === type) return seen;
    }
  }

  end() {
    this.socket.end(wire.terminate());
  }
}

/** The fields of an ErrorResponse or NoticeResponse. */
export function fieldsOf(message) {
  const fields = {};
  for (const part of message.body.toString('utf8').split('\0')) if (part) fields[part[0]] = part.slice(1);
  return fields;
}

/** The values of a DataRow: null or a Buffer. */
export function valuesOf(message) {
  let at = 2;
  return Array.from({ length: message.body.readInt16BE(0) }, () => {
    const length = message.body.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return message.body.subarray(at - length, at);
  });
}

/** The columns of a RowDescription. */
export function columnsOf(message) {
  let at = 2;
  return Array.from({ length: message.body.readInt16BE(0) }, () => {
    const end = message.body.indexOf(0, at);
    const name = message.body.toString('utf8', at, end);
    at = end + 19;
    return { name, oid: message.body.readInt32BE(end + 7), size: message.body.readInt16BE(end + 11), typmod: message.body.readInt32BE(end + 13), format: message.body.readInt16BE(end + 17) };
  });
}

export const types = (messages) => messages.map((message) => message.type).join('');
