// Parameters of a Bind message. Whatever a client declares, a value travels on to DuckDB as text; a binary one is turned
// into text first, by the type that the client declared for it or else the one that we described.

import { EndpointError } from './errors.js';
import { OID } from './types.js';
import { dateText, timeText, timestampText, intervalText, offsetText, TIMESTAMP_INFINITY } from './datetime.js';
import { doubleText, floatText, numericText } from './numbers.js';

const DAYS = 10957;
const MICROS = 946_684_800_000_000n;

const need = (bytes, count) => {
  if (bytes.length !== count) throw new RangeError(`${count} bytes expected, not ${bytes.length}`);
  return bytes;
};

const instant = (value) => {
  if (value === TIMESTAMP_INFINITY) return value;
  return value === -9223372036854775808n ? -TIMESTAMP_INFINITY : value + MICROS;
};

// DuckDB reads years before the common era with its own mark.
const era = (text) => text.replace(/^(\S+)(.*) BC$/, '$1 (BC)$2');

const FROM_BINARY = {
  [OID.bool]: (b) => (need(b, 1)[0] ? 'true' : 'false'),
  [OID.int2]: (b) => String(need(b, 2).readInt16BE(0)),
  [OID.int4]: (b) => String(need(b, 4).readInt32BE(0)),
  [OID.int8]: (b) => String(need(b, 8).readBigInt64BE(0)),
  26: (b) => String(need(b, 4).readUInt32BE(0)),
  [OID.float4]: (b) => floatText(need(b, 4).readFloatBE(0)),
  [OID.float8]: (b) => doubleText(need(b, 8).readDoubleBE(0)),
  [OID.numeric]: (b) => numericText(b),
  [OID.date]: (b) => {
    const days = need(b, 4).readInt32BE(0);
    if (days === 2147483647) return 'infinity';
    return days === -2147483648 ? '-infinity' : era(dateText(days + DAYS));
  },
  [OID.time]: (b) => timeText(need(b, 8).readBigInt64BE(0)),
  [OID.timetz]: (b) => timeText(need(b, 12).readBigInt64BE(0)) + offsetText(-b.readInt32BE(8)),
  [OID.timestamp]: (b) => era(timestampText(instant(need(b, 8).readBigInt64BE(0)))),
  [OID.timestamptz]: (b) => zoned(timestampText(instant(need(b, 8).readBigInt64BE(0)))),
  [OID.interval]: (b) => intervalText(need(b, 16).readInt32BE(12), b.readInt32BE(8), b.readBigInt64BE(0)).replaceAll('mon', 'month').replaceAll('+', ''),
  [OID.uuid]: (b) => need(b, 16).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
  [OID.bit]: (b) => bits(b),
  [OID.varbit]: (b) => bits(b),
  [OID.jsonb]: (b) => {
    if (b[0] !== 1) throw new RangeError('a jsonb of an unknown version');
    return text(b.subarray(1));
  },
};

const zoned = (value) => (/infinity/.test(value) ? value : era(value.replace(/( BC)?$/, '+00$1')));

function bits(bytes) {
  const count = bytes.readInt32BE(0);
  need(bytes, 4 + Math.ceil(count / 8));
  return Array.from(bytes.subarray(4), (byte) => byte.toString(2).padStart(8, '0')).join('').slice(0, count);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
function text(bytes) {
  const value = decoder.decode(bytes);
  if (value.includes('\0')) throw new RangeError('text cannot hold a zero byte');
  return value;
}

const ARRAY_ELEMENT = {
  1000: OID.bool, 1001: OID.bytea, 1005: OID.int2, 1007: OID.int4, 1016: OID.int8, 1009: OID.text, 1015: OID.text, 1021: OID.float4,
  1022: OID.float8, 1182: OID.date, 1183: OID.time, 1115: OID.timestamp, 1185: OID.timestamptz, 1187: OID.interval,
  1270: OID.timetz, 1231: OID.numeric, 2951: OID.uuid, 199: OID.json, 1561: OID.bit,
};

/** A binary array as DuckDB writes a list. */
function arrayFromBinary(bytes) {
  if (bytes.length < 12) throw new RangeError('a binary array has at least 12 bytes');
  const dimensions = bytes.readInt32BE(0);
  const oid = bytes.readInt32BE(8);
  if (dimensions < 0 || dimensions > 6) throw new RangeError('a binary array has at most 6 dimensions');
  let at = 12 + dimensions * 8;
  const read = (depth) => {
    const count = bytes.readInt32BE(12 + depth * 8);
    if (count < 0 || count > bytes.length) throw new RangeError('a binary array of a wrong length');
    const items = [];
    for (let i = 0; i < count; i++) {
      if (depth + 1 < dimensions) {
        items.push(read(depth + 1));
        continue;
      }
      const length = bytes.readInt32BE(at);
      at += 4;
      if (length < 0) items.push('NULL');
      else {
        if (at + length > bytes.length) throw new RangeError('a binary array of a wrong length');
        const value = toText(bytes.subarray(at, at + length), oid);
        items.push(`'${value.replace(/['\\]/g, '\\$&')}'`);
        at += length;
      }
    }
    return `[${items.join(', ')}]`;
  };
  return dimensions === 0 ? '[]' : read(0);
}

const hexBlob = (bytes) => Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');

function toText(bytes, oid) {
  if (FROM_BINARY[oid]) return FROM_BINARY[oid](bytes);
  if (oid === OID.bytea) return hexBlob(bytes);
  if (ARRAY_ELEMENT[oid]) return arrayFromBinary(bytes);
  return text(bytes);
}

/** One value of a Bind: null, a string, or, for a BLOB, bytes. */
export function decodeParameter(bytes, format, declaredOid, describedOid, number) {
  if (bytes === null) return null;
  try {
    if (format === 0) {
      const value = text(bytes);
      // bytea in PostgreSQL's text form, the one in which we write it too.
      if (describedOid === OID.bytea && /^\\x([0-9a-fA-F]{2})*$/.test(value)) return Buffer.from(value.slice(2), 'hex');
      return value;
    }
    const oid = declaredOid || describedOid;
    if (oid === OID.bytea) return Buffer.from(bytes);
    return toText(bytes, oid);
  } catch (error) {
    throw new EndpointError(`Invalid Input Error: parameter $${number} cannot be read: ${error.message}`);
  }
}
