// A growing buffer that messages are written into before they go to the socket in large pieces.

/** Of a piece that goes to the socket; a buffer is a little larger, so that the row that fills it fits. */
export const PIECE = 128 * 1024;
const INITIAL = PIECE + 64 * 1024;
const SPARE = 4;

export class Output {
  constructor() {
    this.buffer = null;
    this.at = 0;
    this.room = 0;
    this.spare = [];
  }

  /** Makes room for `count` more bytes. */
  ensure(count) {
    if (this.at + count > this.room) this.grow(count);
  }

  grow(count) {
    if (this.room === 0 && count <= INITIAL && this.spare.length > 0) {
      this.buffer = this.spare.pop();
      this.room = INITIAL;
      return;
    }
    let size = Math.max(INITIAL, this.room * 2);
    while (size < this.at + count) size *= 2;
    const larger = Buffer.allocUnsafeSlow(size);
    if (this.at > 0) this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
    this.room = size;
  }

  /** Takes what was written; the next bytes go to a buffer of their own, since the socket still reads this one. */
  take() {
    const bytes = this.buffer.subarray(0, this.at);
    this.buffer = null;
    this.at = 0;
    this.room = 0;
    return bytes;
  }

  /** Gives back what `take` gave, once the socket is done with it. */
  recycle(bytes) {
    if (bytes.buffer.byteLength === INITIAL && this.spare.length < SPARE) this.spare.push(Buffer.from(bytes.buffer));
  }

  byte(value) {
    this.ensure(1);
    this.buffer[this.at++] = value;
  }

  int16(value) {
    this.ensure(2);
    this.buffer[this.at++] = value >> 8;
    this.buffer[this.at++] = value;
  }

  int32(value) {
    this.ensure(4);
    this.putInt32(this.at, value);
    this.at += 4;
  }

  /** Overwrites four bytes that were written before. */
  putInt32(at, value) {
    const buffer = this.buffer;
    buffer[at] = value >> 24;
    buffer[at + 1] = value >> 16;
    buffer[at + 2] = value >> 8;
    buffer[at + 3] = value;
  }

  bytes(source) {
    this.ensure(source.length);
    this.buffer.set(source, this.at);
    this.at += source.length;
  }

  text(value) {
    this.ensure(value.length * 3);
    this.at += this.buffer.write(value, this.at);
  }

  /** ASCII text, which every text form but a string's is. */
  ascii(value) {
    const length = value.length;
    this.ensure(length);
    const buffer = this.buffer;
    let at = this.at;
    for (let i = 0; i < length; i++) buffer[at++] = value.charCodeAt(i);
    this.at = at;
  }

  cstring(value) {
    this.text(value);
    this.byte(0);
  }

  /** A whole number between -2^53 and 2^53 in decimal digits. */
  decimal(value) {
    this.ensure(17);
    const buffer = this.buffer;
    let at = this.at;
    if (value < 0) {
      buffer[at++] = 45;
      value = -value;
    }
    if (value < 10) {
      buffer[at++] = 48 + value;
      this.at = at;
      return;
    }
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9);
      at = putDigits(buffer, at, high, digitsOf(high));
      this.at = putDigits(buffer, at, value - high * 1e9, 9);
      return;
    }
    this.at = putDigits(buffer, at, value, digitsOf(value));
  }

  /** A number below 10^9 in exactly `width` digits. */
  padded(value, width) {
    this.ensure(width);
    this.at = putDigits(this.buffer, this.at, value, width);
  }
}

function digitsOf(value) {
  if (value < 1e4) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1e8) return value < 1e6 ? (value < 1e5 ? 5 : 6) : value < 1e7 ? 7 : 8;
  return 9;
}

/** The digits of a number below 10^9, which is what 32-bit arithmetic can do fast. */
function putDigits(buffer, at, value, width) {
  let rest = value | 0;
  for (let i = at + width - 1; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    buffer[i] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return at + width;
}
