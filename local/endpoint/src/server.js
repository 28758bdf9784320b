// Listens, and brings each connection from its first byte to a session: TLS first, then the token, then the database.

import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { DEFAULT_DATABASE } from './databases.js';
import { EndpointError, FatalError, SQLSTATE } from './errors.js';
import { Output } from './output.js';
import { Session } from './session.js';
import { FrameReader, Fields, PROTOCOL, messages } from './wire.js';

const LOGIN_TIMEOUT = 30_000;
const MAX_SESSIONS = 500;

export class Endpoint {
  constructor({ options, databases, remote, certificate, tokens, log }) {
    Object.assign(this, { options, databases, remote, tokens, log });
    this.secureContext = tls.createSecureContext({ key: certificate.key, cert: certificate.cert, minVersion: 'TLSv1.2' });
    this.sessions = new Map();
    this.sockets = new Set();
    this.nextId = 1;
    this.server = net.createServer({ noDelay: true }, (socket) => this.accept(socket));
  }

  listen(port, host) {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.removeListener('error', reject);
        this.server.on('error', (error) => this.log(`server: ${error.message}`));
        resolve(this.server.address().port);
      });
    });
  }

  async close() {
    this.server.close();
    for (const { session } of this.sessions.values()) session.stop();
    for (const socket of this.sockets) socket.destroy();
    const deadline = Date.now() + 600;
    while (this.sessions.size > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  accept(socket) {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    const timer = setTimeout(() => socket.destroy(), LOGIN_TIMEOUT);
    const done = () => clearTimeout(timer);
    socket.on('close', done);
    this.negotiate(socket, done).catch((error) => {
      done();
      if (!(error instanceof EndpointError)) this.log(`connection: ${error?.message}`);
      socket.destroy();
    });
  }

  /** Before TLS: the requests for encryption, cancel requests, or the first byte of a TLS handshake. */
  async negotiate(socket, done) {
    for (let requests = 0; requests < 4; requests++) {
      const first = await readBytes(socket, 1);
      if (first === null) return;
      if (first[0] === 0x16) {
        socket.unshift(first);
        return this.secure(socket, done, true);
      }
      const head = await readBytes(socket, 7, first);
      if (head === null) return;
      const length = head.readInt32BE(0);
      const code = head.readInt32BE(4);
      if (length < 8 || length > 10_000) return this.refuse(socket, new FatalError('invalid length of startup packet'));
      const body = length > 8 ? await readBytes(socket, length - 8) : Buffer.alloc(0);
      if (body === null) return;
      if (code === PROTOCOL.cancel) return this.cancelRequest(socket, body);
      if (code === PROTOCOL.gss) {
        socket.write('N');
        continue;
      }
      if (code !== PROTOCOL.ssl) {
        return this.refuse(socket, new FatalError('this endpoint takes connections over TLS only, as MotherDuck\'s does (which lets a plaintext connection time out). Set sslmode=verify-full, or require'));
      }
      // What came with the request was not encrypted and must not be taken for what is.
      if (length !== 8 || socket.readableLength > 0) return this.refuse(socket, new FatalError('received unencrypted data after SSL request'));
      socket.write('S');
      return this.secure(socket, done, false);
    }
    socket.destroy();
  }

  secure(socket, done, direct) {
    const secure = new tls.TLSSocket(socket, {
      isServer: true,
      secureContext: this.secureContext,
      ALPNProtocols: ['postgresql'],
    });
    secure.on('error', () => socket.destroy());
    secure.on('close', () => socket.destroy());
    return new Promise((resolve, reject) => {
      secure.once('close', resolve);
      secure.once('secure', () => {
        // Without SSLRequest only ALPN tells that PostgreSQL is meant.
        if (direct && secure.alpnProtocol !== 'postgresql') {
          secure.destroy();
          resolve();
          return;
        }
        this.login(secure, done).then(resolve, reject);
      });
    });
  }

  refuse(socket, error) {
    const out = new Output();
    messages.error(out, error);
    socket.end(out.take());
    setTimeout(() => socket.destroy(), 1000).unref();
  }

  cancelRequest(socket, body) {
    if (body.length === 8) {
      const known = this.sessions.get(body.readInt32BE(0));
      if (known && known.secret === body.readInt32BE(4)) {
        this.log(`session ${known.session.id}: cancel requested`);
        known.session.cancel();
      }
    }
    socket.end();
  }

  async login(socket, done) {
    const out = new Output();
    const reader = new FrameReader(this.options.maxMessage);
    let id = null;
    try {
      const startup = await readMessage(socket, reader);
      if (startup === null) return socket.destroy();
      const fields = new Fields(startup.body);
      const version = fields.int32();
      if (version === PROTOCOL.cancel) return this.cancelRequest(socket, startup.body.subarray(4));
      if (version >>> 16 !== 3) throw new FatalError(`unsupported frontend protocol ${version >>> 16}.${version & 0xffff}: this endpoint supports 3.0`);
      const parameters = readParameters(fields);
      const unknown = Object.keys(parameters).filter((name) => name.startsWith('_pq_.'));
      if ((version & 0xffff) > 0 || unknown.length > 0) messages.negotiateVersion(out, unknown);
      reader.startup = false;
      messages.authentication(out, 3);
      socket.write(out.take());
      const password = await readMessage(socket, reader);
      if (password === null) return socket.destroy();
      if (password.type !== 'p') throw new FatalError(`expected the password, got a message of type ${JSON.stringify(password.type)}`);
      const token = new Fields(password.body).cstring();
      const access = await this.checkToken(token);
      if (parameters.replication && !/^(false|off|no|0)$/i.test(parameters.replication)) throw new FatalError('replication is not supported');
      const options = readOptions(parameters.options ?? '');
      const database = await this.findDatabase(parameters.database ?? parameters.user ?? '', options);
      if (this.sessions.size >= MAX_SESSIONS) throw new FatalError(`too many sessions: the local endpoint takes ${MAX_SESSIONS}`);
      const connection = await this.databases.connect(database);
      if (socket.destroyed) {
        connection.close();
        return undefined;
      }
      done();
      id = this.nextId++;
      const secret = randomInt(-2147483648, 2147483647);
      const session = new Session({ id, socket, reader, connection, database, options, readOnly: access === 'read', endpoint: this });
      this.sessions.set(id, { session, secret });
      messages.authentication(session.out, 0);
      for (const [name, value] of statusParameters(parameters)) messages.parameterStatus(session.out, name, value);
      messages.backendKey(session.out, id, secret);
      for (const name of options.ignored) messages.notice(session.out, 'WARNING', `the session option ${name} is not known and is ignored`);
      messages.ready(session.out, 'I');
      this.log(`session ${id}: ${clean(parameters.user)} on ${database}${options.sessionName ? ` (${clean(options.sessionName)})` : ''}${access === 'read' ? ', read-only' : ''}`);
      await session.run();
    } catch (error) {
      if (!(error instanceof EndpointError)) throw error;
      error.fatal = true;
      this.log(`login refused: ${error.message}`);
      this.refuse(socket, error);
    } finally {
      if (id !== null) {
        this.sessions.delete(id);
        this.log(`session ${id}: closed`);
      }
    }
    return undefined;
  }

  async checkToken(token) {
    const { write, read } = await this.tokens();
    if (write.some((known) => same(known, token))) return 'write';
    if (read.some((known) => same(known, token))) return 'read';
    throw new FatalError('Invalid Input Error: the password is not a token that this endpoint knows. The password is the MotherDuck access token', SQLSTATE.wrongToken);
  }

  async findDatabase(name, options) {
    let wanted = name;
    if (/^md:/i.test(wanted)) {
      const [database, query = ''] = wanted.slice(3).split('?');
      wanted = database || DEFAULT_DATABASE;
      if (/(^|&)attach_mode=single(&|$)/i.test(query)) options.attachMode = 'single';
    }
    const database = await this.databases.find(wanted);
    if (database === null) throw new FatalError(`Catalog Error: database "${wanted}" does not exist. Use md: for the default database`, SQLSTATE.unknownDatabase);
    return database;
  }
}

const digest = (text) => createHash('sha256').update(text).digest();
const same = (a, b) => timingSafeEqual(digest(a), digest(b));

/** What a client says of itself goes to the log on one line. */
const clean = (text) => String(text ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 200);

function statusParameters(parameters) {
  return [
    ['server_version', '16.0'],
    ['server_encoding', 'UTF8'],
    ['client_encoding', 'UTF8'],
    ['application_name', parameters.application_name ?? ''],
    ['DateStyle', 'ISO, MDY'],
    ['IntervalStyle', 'postgres'],
    ['TimeZone', 'UTC'],
    ['integer_datetimes', 'on'],
    ['standard_conforming_strings', 'on'],
    ['is_superuser', 'off'],
    ['session_authorization', parameters.user ?? ''],
  ];
}

function readParameters(fields) {
  const parameters = {};
  for (;;) {
    const name = fields.cstring();
    if (name === '') return parameters;
    parameters[name] = fields.cstring();
  }
}

/** The start-up parameter `options`: words split at spaces, with a backslash before a space that belongs to a word. */
export function readOptions(text) {
  const options = { attachMode: 'workspace', sessionName: '', compatibilityMode: '', ignored: [] };
  const words = (text.match(/(?:\\.|[^\s\\])+/gs) ?? []).map((word) => word.replace(/\\(.)/gs, '$1'));
  for (let i = 0; i < words.length; i++) {
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(words[i]) ?? [];
    const key = name?.replaceAll('-', '_').toLowerCase();
    if (key === 'attach_mode') {
      if (value !== 'single' && value !== 'workspace') throw new FatalError(`Invalid Input Error: attach_mode must be single or workspace, not "${value}"`);
      options.attachMode = value;
    } else if (key === 'session_name') options.sessionName = value;
    else if (key === 'compatibility_mode') {
      if (value !== 'metabase') throw new FatalError(`Invalid Input Error: compatibility-mode must be metabase, not "${value}"`);
      options.compatibilityMode = value;
    } else options.ignored.push(words[i] === '-c' ? `-c ${words[++i] ?? ''}` : words[i]);
  }
  return options;
}

/** Exactly `count` bytes of a paused socket, after those that are known already; null where it ended. */
function readBytes(socket, count, before = null) {
  return new Promise((resolve) => {
    const attempt = () => {
      const bytes = socket.read(count);
      if (bytes === null) {
        if (socket.readableEnded || socket.destroyed) finish(null);
        return;
      }
      finish(bytes.length < count ? null : before ? Buffer.concat([before, bytes]) : bytes);
    };
    const finish = (value) => {
      socket.off('readable', attempt);
      socket.off('end', ended);
      socket.off('close', ended);
      resolve(value);
    };
    const ended = () => finish(null);
    socket.on('readable', attempt);
    socket.on('end', ended);
    socket.on('close', ended);
    attempt();
  });
}

/** The next message of a login. */
function readMessage(socket, reader) {
  return new Promise((resolve, reject) => {
    const finish = (settle, value) => {
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      socket.pause();
      settle(value);
    };
    const attempt = () => {
      try {
        const message = reader.next();
        if (message !== null) finish(resolve, message);
      } catch (error) {
        finish(reject, error);
      }
    };
    const onData = (bytes) => {
      reader.push(bytes);
      attempt();
    };
    const onEnd = () => finish(resolve, null);
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    socket.resume();
    attempt();
  });
}
