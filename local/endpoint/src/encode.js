// Rows as DataRow messages, straight from DuckDB's vectors. One encoder a column, chosen once a result by the column's
// type and format; each writes one value at the output's end and is called only for values that are not NULL.

import { loadVector, stringBytes, int64, int128, uint128, unscaled, enumIndex } from './vectors.js';
import { EndpointError } from './errors.js';
import { Type, isList, unreadable } from './types.js';
import { DATE_INFINITY, TIMESTAMP_INFINITY, dateText, timeText, timeTzText, timestampText, intervalText } from './datetime.js';
import { doubleText, floatText, decimalText, bignum, numericBinary } from './numbers.js';
import { duckText, arrayText } from './nested.js';

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
const HEX_BYTES = Buffer.from('0123456789abcdef');

const ascii = (toText) => (out, v, row) => out.ascii(toText(v, row));

function string(out, v, row) {
  const length = v.lengths[row];
  out.ensure(length);
  const source = v.sources[row];
  const from = v.offsets[row];
  if (length <= 40) {
    const target = out.buffer;
    let at = out.at;
    for (let i = from; i < from + length; i++) target[at++] = source[i];
  } else {
    out.buffer.set(source.subarray(from, from + length), out.at);
  }
  out.at += length;
}

function bigint(out, v, row) {
  const high = v.view.getInt32(row * 8 + 4, true);
  if (high >= -2097152 && high < 2097152) out.decimal(high * 4294967296 + v.view.getUint32(row * 8, true));
  else out.ascii(String(int64(v, row)));
}

/** Decimals of up to 18 digits are written without a BigInt where their digits allow it. */
function smallDecimal(out, v, row) {
  const { scale } = v.type;
  let value;
  if (v.width === 2) value = v.view.getInt16(row * 2, true);
  else if (v.width === 4) value = v.view.getInt32(row * 4, true);
  else {
    const high = v.view.getInt32(row * 8 + 4, true);
    if (high < -2097152 || high >= 2097152 || scale > 9) return out.ascii(decimalText(int64(v, row), scale));
    value = high * 4294967296 + v.view.getUint32(row * 8, true);
  }
  if (scale === 0) return out.decimal(value);
  if (scale > 9) return out.ascii(decimalText(BigInt(value), scale));
  if (value < 0) {
    out.byte(45);
    value = -value;
  }
  const unit = UNITS[scale];
  const whole = Math.floor(value / unit);
  out.decimal(whole);
  out.byte(46);
  out.padded(value - whole * unit, scale);
}

const UNITS = Array.from({ length: 10 }, (_, scale) => 10 ** scale);

/** A DOUBLE. Numbers with up to four decimals, which most are, have their shortest digits without a string in between. */
function double(out, v, row) {
  const value = v.view.getFloat64(row * 8, true);
  const abs = Math.abs(value);
  const scaled = Math.round(abs * 1e4);
  // No two decimals of up to 15 digits are the same double, so these are its shortest digits.
  if (!(abs < 1e9 && scaled / 1e4 === abs) || (abs !== 0 && abs < 1e-3) || Object.is(value, -0)) {
    out.ascii(doubleText(value));
    return;
  }
  if (value < 0) out.byte(45);
  const whole = Math.floor(scaled / 1e4);
  out.decimal(whole);
  let fraction = scaled - whole * 1e4;
  if (fraction === 0) return;
  let width = 4;
  while (fraction % 10 === 0) {
    fraction /= 10;
    width--;
  }
  out.byte(46);
  out.padded(fraction, width);
}

const DATES = 1 << 12;
const cachedDays = new Int32Array(DATES).fill(-2147483648);
const cachedDates = Buffer.alloc(DATES * 10);

/** A date, in the years that have four digits; dates repeat, so their text is kept. */
function putDate(out, days) {
  out.ensure(10);
  const slot = days & (DATES - 1);
  const from = slot * 10;
  if (cachedDays[slot] !== days) {
    cachedDays[slot] = days;
    cachedDates.write(dateText(days), from, 'latin1');
  }
  const { buffer } = out;
  let { at } = out;
  for (let i = from; i < from + 10; i++) buffer[at++] = cachedDates[i];
  out.at = at;
}

const FIRST_DAY = -719162; // 0001-01-01
const LAST_DAY = 2932896; // 9999-12-31

function date(out, v, row) {
  const days = v.view.getInt32(row * 4, true);
  if (days < FIRST_DAY || days > LAST_DAY) out.ascii(dateText(days));
  else putDate(out, days);
}

function putTime(out, micros) {
  const seconds = (micros / 1e6) | 0;
  const fraction = micros - seconds * 1e6;
  out.padded((seconds / 3600) | 0, 2);
  out.byte(58);
  out.padded(((seconds / 60) | 0) % 60, 2);
  out.byte(58);
  out.padded(seconds % 60, 2);
  if (fraction === 0) return;
  out.byte(46);
  out.padded(fraction, 6);
  while (out.buffer[out.at - 1] === 48) out.at--;
}

function timestamp(out, v, row) {
  const high = v.view.getInt32(row * 8 + 4, true);
  // Microseconds that a double holds exactly: the years 1685 to 2255.
  if (high < -2097152 || high >= 2097152) return out.ascii(timestampText(int64(v, row)));
  const micros = high * 4294967296 + v.view.getUint32(row * 8, true);
  const days = Math.floor(micros / 86400e6);
  putDate(out, days);
  out.byte(32);
  putTime(out, micros - days * 86400e6);
}

function bytea(out, v, row) {
  const length = v.lengths[row];
  out.ensure(2 + length * 2);
  const { buffer } = out;
  const source = v.sources[row];
  let at = out.at;
  buffer[at++] = 92;
  buffer[at++] = 120;
  for (let i = v.offsets[row], end = i + length; i < end; i++) {
    buffer[at++] = HEX_BYTES[source[i] >> 4];
    buffer[at++] = HEX_BYTES[source[i] & 15];
  }
  out.at = at;
}

export function uuidText(v, row) {
  // DuckDB keeps a UUID as a signed 128-bit number whose topmost bit is inverted.
  let text = '';
  for (let i = 15; i >= 0; i--) {
    const byte = v.bytes[row * 16 + i];
    text += HEX[i === 15 ? byte ^ 0x80 : byte];
    if (i === 12 || i === 10 || i === 8 || i === 6) text += '-';
  }
  return text;
}

export function bitText(v, row) {
  const bytes = stringBytes(v, row);
  let text = '';
  for (let i = 1; i < bytes.length; i++) text += bytes[i].toString(2).padStart(8, '0');
  // The first byte is how many bits of padding stand before the value's own.
  return text.slice(bytes[0]);
}

export const interval = (v, row) => [v.view.getInt32(row * 16, true), v.view.getInt32(row * 16 + 4, true), v.view.getBigInt64(row * 16 + 8, true)];

const timestampInfinite = (value) => value === TIMESTAMP_INFINITY || value === -TIMESTAMP_INFINITY;

/** A timestamp of whatever precision in microseconds; infinities stay themselves. */
function micros(v, row) {
  const value = int64(v, row);
  if (timestampInfinite(value)) return value;
  switch (v.type.id) {
    case Type.TIMESTAMP_S:
      return value * 1_000_000n;
    case Type.TIMESTAMP_MS:
      return value * 1000n;
    case Type.TIMESTAMP_NS:
      return value >= 0n ? value / 1000n : -((-value + 999n) / 1000n);
    default:
      return value;
  }
}

/** Text of a timestamp that is not a plain TIMESTAMP. */
export function otherTimestampText(v, row, zone) {
  const value = int64(v, row);
  if (v.type.id === Type.TIMESTAMP_NS) return timestampText(value, null, 9);
  return timestampText(micros(v, row), v.type.id === Type.TIMESTAMP_TZ ? zone : null);
}

export function textEncoder(type, session) {
  switch (type.id) {
    case Type.BOOLEAN:
      return (out, v, row) => out.byte(v.bytes[row] ? 116 : 102);
    case Type.TINYINT:
      return (out, v, row) => out.decimal((v.bytes[row] << 24) >> 24);
    case Type.UTINYINT:
      return (out, v, row) => out.decimal(v.bytes[row]);
    case Type.SMALLINT:
      return (out, v, row) => out.decimal(v.view.getInt16(row * 2, true));
    case Type.USMALLINT:
      return (out, v, row) => out.decimal(v.view.getUint16(row * 2, true));
    case Type.INTEGER:
      return (out, v, row) => out.decimal(v.view.getInt32(row * 4, true));
    case Type.UINTEGER:
      return (out, v, row) => out.decimal(v.view.getUint32(row * 4, true));
    case Type.BIGINT:
      return bigint;
    case Type.UBIGINT:
      return ascii((v, row) => String(v.view.getBigUint64(row * 8, true)));
    case Type.HUGEINT:
      return ascii((v, row) => String(int128(v, row)));
    case Type.UHUGEINT:
      return ascii((v, row) => String(uint128(v, row)));
    case Type.BIGNUM:
      return ascii((v, row) => String(bignum(stringBytes(v, row))));
    case Type.DECIMAL:
      return type.width <= 18 ? smallDecimal : ascii((v, row) => decimalText(unscaled(v, row), v.type.scale));
    case Type.FLOAT:
      return ascii((v, row) => floatText(v.view.getFloat32(row * 4, true)));
    case Type.DOUBLE:
      return double;
    case Type.VARCHAR:
      return string;
    case Type.BLOB:
    case Type.GEOMETRY:
      return bytea;
    case Type.DATE:
      return date;
    case Type.TIME:
      return ascii((v, row) => timeText(int64(v, row)));
    case Type.TIME_NS:
      return ascii((v, row) => timeText(int64(v, row), 9));
    case Type.TIME_TZ:
      return ascii((v, row) => timeTzText(v.view.getBigUint64(row * 8, true)));
    case Type.TIMESTAMP:
      return timestamp;
    case Type.TIMESTAMP_S:
    case Type.TIMESTAMP_MS:
    case Type.TIMESTAMP_NS:
    case Type.TIMESTAMP_TZ:
      return ascii((v, row) => otherTimestampText(v, row, session.zone));
    case Type.INTERVAL:
      return ascii((v, row) => intervalText(...interval(v, row)));
    case Type.UUID:
      return ascii(uuidText);
    case Type.BIT:
      return ascii(bitText);
    case Type.ENUM:
      return (out, v, row) => out.text(type.values[enumIndex(v, row)]);
    case Type.LIST:
    case Type.ARRAY:
      if (session.postgresArrays) return (out, v, row) => out.text(arrayText(v, row, session));
      break;
  }
  return (out, v, row) => out.text(duckText(v, row, session));
}

const EPOCH_DAYS = 10957; // 2000-01-01, where PostgreSQL's binary dates begin
const EPOCH_MICROS = 946_684_800_000_000n;

function int64Out(out, value) {
  out.ensure(8);
  out.buffer.writeBigInt64BE(BigInt.asIntN(64, value), out.at);
  out.at += 8;
}

export function binaryEncoder(type, session) {
  switch (type.id) {
    case Type.BOOLEAN:
      return (out, v, row) => out.byte(v.bytes[row] ? 1 : 0);
    case Type.TINYINT:
      return (out, v, row) => out.int16((v.bytes[row] << 24) >> 24);
    case Type.UTINYINT:
      return (out, v, row) => out.int16(v.bytes[row]);
    case Type.SMALLINT:
      return (out, v, row) => out.int16(v.view.getInt16(row * 2, true));
    case Type.USMALLINT:
      return (out, v, row) => out.int32(v.view.getUint16(row * 2, true));
    case Type.INTEGER:
      return (out, v, row) => out.int32(v.view.getInt32(row * 4, true));
    case Type.UINTEGER:
      return (out, v, row) => int64Out(out, BigInt(v.view.getUint32(row * 4, true)));
    case Type.BIGINT:
      return (out, v, row) => int64Out(out, int64(v, row));
    case Type.UBIGINT:
      return (out, v, row) => out.bytes(numericBinary(String(v.view.getBigUint64(row * 8, true))));
    case Type.HUGEINT:
      return (out, v, row) => out.bytes(numericBinary(String(int128(v, row))));
    case Type.UHUGEINT:
      return (out, v, row) => out.bytes(numericBinary(String(uint128(v, row))));
    case Type.BIGNUM:
      return (out, v, row) => out.bytes(numericBinary(String(bignum(stringBytes(v, row)))));
    case Type.DECIMAL:
      return (out, v, row) => out.bytes(numericBinary(decimalText(unscaled(v, row), v.type.scale)));
    case Type.FLOAT:
      return (out, v, row) => {
        out.ensure(4);
        out.at = out.buffer.writeFloatBE(v.view.getFloat32(row * 4, true), out.at);
      };
    case Type.DOUBLE:
      return (out, v, row) => {
        out.ensure(8);
        out.at = out.buffer.writeDoubleBE(v.view.getFloat64(row * 8, true), out.at);
      };
    case Type.BLOB:
    case Type.GEOMETRY:
      return string;
    case Type.DATE:
      return (out, v, row) => {
        const days = v.view.getInt32(row * 4, true);
        if (days === DATE_INFINITY) out.int32(2147483647);
        else out.int32(days === -DATE_INFINITY ? -2147483648 : days - EPOCH_DAYS);
      };
    case Type.TIME:
      return (out, v, row) => int64Out(out, int64(v, row));
    case Type.TIME_NS:
      return (out, v, row) => int64Out(out, int64(v, row) / 1000n);
    case Type.TIME_TZ:
      return (out, v, row) => {
        const bits = v.view.getBigUint64(row * 8, true);
        int64Out(out, bits >> 24n);
        // PostgreSQL counts the offset westwards.
        out.int32(Number(bits & 0xffffffn) - 57599);
      };
    case Type.TIMESTAMP:
    case Type.TIMESTAMP_S:
    case Type.TIMESTAMP_MS:
    case Type.TIMESTAMP_NS:
    case Type.TIMESTAMP_TZ:
      return (out, v, row) => {
        const value = micros(v, row);
        if (value === TIMESTAMP_INFINITY) int64Out(out, value);
        else int64Out(out, value === -TIMESTAMP_INFINITY ? -9223372036854775808n : value - EPOCH_MICROS);
      };
    case Type.INTERVAL:
      return (out, v, row) => {
        const [months, days, time] = interval(v, row);
        int64Out(out, time);
        out.int32(days);
        out.int32(months);
      };
    case Type.UUID:
      return (out, v, row) => {
        for (let i = 15; i >= 0; i--) out.byte(i === 15 ? v.bytes[row * 16 + 15] ^ 0x80 : v.bytes[row * 16 + i]);
      };
    case Type.BIT:
      return (out, v, row) => {
        const bits = bitText(v, row);
        out.int32(bits.length);
        for (let i = 0; i < bits.length; i += 8) out.byte(parseInt(bits.slice(i, i + 8).padEnd(8, '0'), 2));
      };
    case Type.LIST:
    case Type.ARRAY:
      return arrayBinary(type, session);
    default:
      // Text types look the same in both formats; so do, for want of a binary form, structs, maps and unions.
      return textEncoder(type, session);
  }
}

/** A list as PostgreSQL's binary array. Lists of lists must be rectangular there; others have no such form. */
function arrayBinary(type, session) {
  let leaf = type;
  while (leaf.id === Type.LIST || leaf.id === Type.ARRAY) leaf = leaf.child;
  const encode = binaryEncoder(leaf, session);
  return (out, v, row) => {
    const dimensions = [];
    const elements = [];
    let hasNull = 0;
    const walk = (list, at, depth) => {
      const [first, count] = list.entry(at);
      if (dimensions[depth] === undefined) dimensions[depth] = count;
      else if (dimensions[depth] !== count) throw new Error('Invalid Input Error: a list of lists of unequal lengths has no binary array form; read it as text or as JSON');
      for (let i = first; i < first + count; i++) {
        if (isList(list.child.type)) {
          if (!list.child.valid(i)) throw new Error('Invalid Input Error: a list that holds NULL lists has no binary array form; read it as text or as JSON');
          walk(list.child, i, depth + 1);
        } else {
          if (!list.child.valid(i)) hasNull = 1;
          elements.push([list.child, i]);
        }
      }
    };
    walk(v, row, 0);
    const empty = elements.length === 0;
    out.int32(empty ? 0 : dimensions.length);
    out.int32(hasNull);
    out.int32(leaf.oid);
    if (empty) return;
    for (const length of dimensions) {
      out.int32(length);
      out.int32(1);
    }
    for (const [child, i] of elements) writeValue(out, encode, child, i);
  };
}

function writeValue(out, encode, vector, row) {
  out.ensure(4);
  if (!vector.valid(row)) {
    out.int32(-1);
    return;
  }
  const start = out.at;
  out.at += 4;
  encode(out, vector, row);
  out.putInt32(start, out.at - start - 4);
}

/** Where DuckDB tells the name of a file that was fetched (the column `filename`), it is the URL that the client wrote. */
function withUrls(remote) {
  const urls = new Map(remote.map(({ url, path }) => [path, url]));
  const lengths = new Set(remote.map(({ path }) => Buffer.byteLength(path)));
  return (out, v, row) => {
    const url = lengths.has(v.lengths[row]) ? urls.get(stringBytes(v, row).toString('utf8')) : undefined;
    if (url === undefined) string(out, v, row);
    else out.text(url);
  };
}

/** Writes rows of chunks as DataRow messages. */
export class RowWriter {
  /**
   * `formats`: 0 for text and 1 for binary, one a column. `session` has the time zone and the form of arrays, `remote`
   * the remote files that the statement reads: {url, path}.
   */
  constructor(columns, formats, session, remote = []) {
    this.types = columns.map((column) => column.type);
    for (const { name, type } of columns) {
      const what = unreadable(type);
      if (what) throw new EndpointError(`Not implemented Error: column "${name}" is a ${what}, which the local endpoint cannot send. Cast it to VARCHAR or to JSON`);
    }
    this.encoders = this.types.map((type, i) => {
      if (type.id === Type.VARCHAR && remote.length > 0) return withUrls(remote);
      return (formats[i] === 1 ? binaryEncoder : textEncoder)(type, session);
    });
  }

  load(chunk) {
    return this.types.map((type, i) => loadVector(type, chunk.vector(i), chunk.size));
  }

  /** Writes one row of loaded vectors: all of it, or, where a value has no such form, nothing. */
  write(out, vectors, row) {
    const start = out.at;
    try {
      this.put(out, vectors, row);
    } catch (error) {
      out.at = start;
      throw error;
    }
  }

  put(out, vectors, row) {
    const { encoders } = this;
    const count = encoders.length;
    out.ensure(7 + count * 24);
    const start = out.at;
    out.buffer[start] = 68; // D
    out.at = start + 5;
    out.int16(count);
    for (let i = 0; i < count; i++) {
      const vector = vectors[i];
      const { validity } = vector;
      out.ensure(4);
      const at = out.at;
      out.at = at + 4;
      if (validity !== null && ((validity[row >> 3] >> (row & 7)) & 1) === 0) {
        out.putInt32(at, -1);
      } else {
        encoders[i](out, vector, row);
        out.putInt32(at, out.at - at - 4);
      }
    }
    out.putInt32(start + 1, out.at - start - 1);
  }
}
