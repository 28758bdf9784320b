// Lists, structs, maps and unions as text: in DuckDB's own form, or, for sessions that ask for it, PostgreSQL's braces.
// In neither are elements quoted as PostgreSQL would quote them: MotherDuck's are not, and drivers' array parsers
// mangle them there too.

import { Type } from './types.js';
import { stringBytes, int64, int128, uint128, unscaled, enumIndex } from './vectors.js';
import { dateText, timeText, timeTzText } from './datetime.js';
import { decimalText, bignum, floatExponential } from './numbers.js';
import { uuidText, bitText, interval, otherTimestampText, textEncoder } from './encode.js';
import { Output } from './output.js';

/** A value as DuckDB casts it to VARCHAR. */
export function duckText(v, row, session) {
  if (!v.valid(row)) return 'NULL';
  const { type } = v;
  switch (type.id) {
    case Type.LIST:
    case Type.ARRAY: {
      const [first, count] = v.entry(row);
      const items = Array.from({ length: count }, (_, i) => element(v.child, first + i, session, true));
      return `[${items.join(', ')}]`;
    }
    case Type.STRUCT:
      if (type.names[0] === '') return `(${v.children.map((child) => element(child, row, session)).join(', ')})`;
      return `{${v.children.map((child, i) => `${quoted(type.names[i])}: ${element(child, row, session)}`).join(', ')}}`;
    case Type.MAP: {
      const [first, count] = v.entry(row);
      const [keys, values] = v.child.children;
      const items = Array.from({ length: count }, (_, i) => `${element(keys, first + i, session)}=${element(values, first + i, session)}`);
      return `{${items.join(', ')}}`;
    }
    case Type.UNION:
      return duckText(v.children[v.tags[row]], row, session);
    case Type.BOOLEAN:
      return v.bytes[row] ? 'true' : 'false';
    case Type.FLOAT:
      return duckFloat(v.view.getFloat32(row * 4, true), true);
    case Type.DOUBLE:
      return duckFloat(v.view.getFloat64(row * 8, true), false);
    case Type.BLOB:
    case Type.GEOMETRY:
      return duckBlob(stringBytes(v, row));
    case Type.INTERVAL:
      return duckInterval(...interval(v, row));
    case Type.DATE:
      return era(dateText(v.view.getInt32(row * 4, true)));
    case Type.TIMESTAMP:
    case Type.TIMESTAMP_S:
    case Type.TIMESTAMP_MS:
    case Type.TIMESTAMP_NS:
    case Type.TIMESTAMP_TZ:
      return era(otherTimestampText(v, row, session.zone));
    case Type.VARCHAR:
      return stringBytes(v, row).toString('utf8');
    case Type.ENUM:
      return type.values[enumIndex(v, row)];
    case Type.TIME:
      return timeText(int64(v, row));
    case Type.TIME_NS:
      return timeText(int64(v, row), 9);
    case Type.TIME_TZ:
      return timeTzText(v.view.getBigUint64(row * 8, true));
    case Type.UUID:
      return uuidText(v, row);
    case Type.BIT:
      return bitText(v, row);
    case Type.HUGEINT:
      return String(int128(v, row));
    case Type.UHUGEINT:
      return String(uint128(v, row));
    case Type.BIGNUM:
      return String(bignum(stringBytes(v, row)));
    case Type.DECIMAL:
      return decimalText(unscaled(v, row), type.scale);
    default:
      return plain(v, row, session);
  }
}

/** The text that the value has as a column of its own. */
function plain(v, row, session) {
  if (v.bytes === undefined) return '';
  const out = new Output();
  textEncoder(v.type, session)(out, v, row);
  return out.take().toString('utf8');
}

const UNQUOTED = new Set([Type.LIST, Type.ARRAY, Type.STRUCT, Type.MAP, Type.UNION]);

/** A value within another: DuckDB quotes what could be mistaken for structure. */
function element(v, row, session, inList = false) {
  if (!v.valid(row)) return 'NULL';
  const text = duckText(v, row, session);
  return UNQUOTED.has(v.type.id) || (v.type.json && inList) || !needsQuotes(text) ? text : quoted(text);
}

const needsQuotes = (text) =>
  text === '' || /^\s|\s$/.test(text) || /^null$/i.test(text) || /[[\](){}"',:=]/.test(text);

const quoted = (text) => `'${text.replace(/['\\]/g, '\\$&')}'`;

/** PostgreSQL's form of a list, `{1,2,NULL}`. */
export function arrayText(v, row, session) {
  const [first, count] = v.entry(row);
  const items = Array.from({ length: count }, (_, i) => {
    if (!v.child.valid(first + i)) return 'NULL';
    if (v.child.type.id === Type.LIST || v.child.type.id === Type.ARRAY) return arrayText(v.child, first + i, session);
    const out = new Output();
    textEncoder(v.child.type, session)(out, v.child, first + i);
    return out.at === 0 ? '' : out.take().toString('utf8');
  });
  return `{${items.join(',')}}`;
}

function duckFloat(value, single) {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [digits, power] = (single ? floatExponential(value) : value.toExponential()).split('e');
  if (power < -4 || power >= 16) return `${digits}e${power.replace(/^([+-])(\d)$/, '$10$2')}`;
  const text = String(Number(`${digits}e${power}`));
  return text.includes('.') ? text : `${text}.0`;
}

function duckBlob(bytes) {
  let text = '';
  for (const byte of bytes) {
    const plainByte = byte >= 32 && byte <= 126 && byte !== 92 && byte !== 39 && byte !== 34;
    text += plainByte ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

function duckInterval(months, days, micros) {
  const parts = [];
  const unit = (value, one) => value !== 0 && parts.push(`${value} ${one}${value === 1 || value === -1 ? '' : 's'}`);
  unit(Math.trunc(months / 12), 'year');
  unit(months % 12, 'month');
  unit(days, 'day');
  if (micros !== 0n || parts.length === 0) parts.push((micros < 0n ? '-' : '') + timeText(micros < 0n ? -micros : micros));
  return parts.join(' ');
}

/** DuckDB puts the era after the date, PostgreSQL at the end. */
const era = (text) => text.replace(/^(\S+)(.*) BC$/, '$1 (BC)$2');
