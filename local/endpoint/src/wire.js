// The PostgreSQL wire format, protocol 3: frames from bytes however they arrive, and the messages we send.

import { FatalError } from './errors.js';

export const PROTOCOL = { ssl: 80877103, gss: 80877104, cancel: 80877102, version3: 196608 };

/** Cuts the stream of bytes into messages; bytes may arrive split or joined anywhere. */
export class FrameReader {
  constructor(maxMessage) {
    this.maxMessage = maxMessage;
    this.chunks = [];
    this.length = 0;
    this.startup = true;
  }

  push(bytes) {
    this.chunks.push(bytes);
    this.length += bytes.length;
  }

  /** The next `count` bytes without taking them, or null while they are not all here. */
  peek(count) {
    if (this.length < count) return null;
    if (this.chunks[0].length < count) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0];
  }

  take(count) {
    const first = this.peek(count);
    const bytes = first.subarray(0, count);
    if (first.length === count) this.chunks.shift();
    else this.chunks[0] = first.subarray(count);
    this.length -= count;
    return bytes;
  }

  /** The next message, {type, body}, or null. A start-up message has no type byte. */
  next() {
    const header = this.startup ? 4 : 5;
    const head = this.peek(header);
    if (!head) return null;
    const length = head.readInt32BE(header - 4);
    const limit = this.startup ? Math.min(this.maxMessage, 10_000) : this.maxMessage;
    if (length < 4) throw new FatalError(`invalid message length ${length}`);
    if (length > limit) throw new FatalError(`a message of ${length} bytes is larger than the limit of ${limit} bytes`);
    if (this.length < header - 4 + length) return null;
    const frame = this.take(header - 4 + length);
    return { type: this.startup ? '' : String.fromCharCode(frame[0]), body: frame.subarray(header) };
  }
}

/** Reads the fields of a message's body; what is too short or not closed is a protocol error. */
export class Fields {
  constructor(body) {
    this.body = body;
    this.at = 0;
  }

  need(count) {
    if (count < 0 || this.at + count > this.body.length) throw new FatalError('a message is shorter than its fields');
  }

  int16() {
    this.need(2);
    this.at += 2;
    return this.body.readInt16BE(this.at - 2);
  }

  uint16() {
    return this.int16() & 0xffff;
  }

  int32() {
    this.need(4);
    this.at += 4;
    return this.body.readInt32BE(this.at - 4);
  }

  char() {
    this.need(1);
    return String.fromCharCode(this.body[this.at++]);
  }

  bytes(count) {
    this.need(count);
    this.at += count;
    return this.body.subarray(this.at - count, this.at);
  }

  cstring() {
    const end = this.body.indexOf(0, this.at);
    if (end < 0) throw new FatalError('a string in a message is not closed');
    const text = this.body.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }

  end() {
    if (this.at !== this.body.length) throw new FatalError('a message is longer than its fields');
  }
}

/** Writes a message: its type, then what `fill` writes, with the length in between. */
export function message(out, type, fill) {
  out.ensure(5);
  out.byte(type.charCodeAt(0));
  const at = out.at;
  out.at += 4;
  fill?.();
  out.putInt32(at, out.at - at);
}

export const messages = {
  authentication: (out, kind) => message(out, 'R', () => out.int32(kind)),
  parameterStatus: (out, name, value) =>
    message(out, 'S', () => {
      out.cstring(name);
      out.cstring(value);
    }),
  backendKey: (out, pid, secret) =>
    message(out, 'K', () => {
      out.int32(pid);
      out.int32(secret);
    }),
  negotiateVersion: (out, options) =>
    message(out, 'v', () => {
      out.int32(PROTOCOL.version3);
      out.int32(options.length);
      for (const option of options) out.cstring(option);
    }),
  ready: (out, status) => message(out, 'Z', () => out.byte(status.charCodeAt(0))),
  commandComplete: (out, tag) => message(out, 'C', () => out.cstring(tag)),
  emptyQuery: (out) => message(out, 'I'),
  parseComplete: (out) => message(out, '1'),
  bindComplete: (out) => message(out, '2'),
  closeComplete: (out) => message(out, '3'),
  noData: (out) => message(out, 'n'),
  portalSuspended: (out) => message(out, 's'),
  parameterDescription: (out, oids) =>
    message(out, 't', () => {
      out.int16(oids.length);
      for (const oid of oids) out.int32(oid);
    }),
  rowDescription: (out, columns, formats) =>
    message(out, 'T', () => {
      out.int16(columns.length);
      columns.forEach(({ name, type }, i) => {
        out.cstring(name.replaceAll('\0', ''));
        out.int32(0);
        out.int16(0);
        out.int32(type.oid);
        out.int16(type.size);
        out.int32(type.typmod);
        out.int16(formats[i] ?? 0);
      });
    }),
  error: (out, error) => report(out, 'E', error.fatal ? 'FATAL' : 'ERROR', error.code, error.message),
  notice: (out, severity, text) => report(out, 'N', severity, '00000', text),
};

function report(out, type, severity, code, text) {
  message(out, type, () => {
    for (const [field, value] of [['S', severity], ['V', severity], ['C', code], ['M', text.replaceAll('\0', '')]]) {
      out.byte(field.charCodeAt(0));
      out.cstring(value);
    }
    out.byte(0);
  });
}
