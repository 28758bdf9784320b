// DuckDB's vectors as typed arrays. A loaded vector has `valid(row)` and what its type needs to read a row.

import duckdb from '@duckdb/node-bindings';
import { Type } from './types.js';

const WIDTH = {
  [Type.BOOLEAN]: 1, [Type.TINYINT]: 1, [Type.UTINYINT]: 1, [Type.SMALLINT]: 2, [Type.USMALLINT]: 2, [Type.INTEGER]: 4,
  [Type.UINTEGER]: 4, [Type.BIGINT]: 8, [Type.UBIGINT]: 8, [Type.HUGEINT]: 16, [Type.UHUGEINT]: 16, [Type.FLOAT]: 4,
  [Type.DOUBLE]: 8, [Type.DATE]: 4, [Type.TIME]: 8, [Type.TIME_NS]: 8, [Type.TIME_TZ]: 8, [Type.TIMESTAMP]: 8,
  [Type.TIMESTAMP_S]: 8, [Type.TIMESTAMP_MS]: 8, [Type.TIMESTAMP_NS]: 8, [Type.TIMESTAMP_TZ]: 8, [Type.INTERVAL]: 16,
  [Type.UUID]: 16, [Type.VARCHAR]: 16, [Type.BLOB]: 16, [Type.BIT]: 16, [Type.BIGNUM]: 16, [Type.GEOMETRY]: 16,
};

const STRINGS = new Set([Type.VARCHAR, Type.BLOB, Type.BIT, Type.BIGNUM, Type.GEOMETRY]);

class Loaded {
  constructor(type, vector, size) {
    this.type = type;
    this.size = size;
    this.validity = size === 0 ? null : duckdb.vector_get_validity(vector, Math.ceil(size / 64) * 8);
  }

  valid(row) {
    return this.validity === null || ((this.validity[row >> 3] >> (row & 7)) & 1) === 1;
  }

  /** Where a list's elements are in its child: [first, count]. */
  entry(row) {
    if (this.type.id === Type.ARRAY) return [row * this.type.length, this.type.length];
    return [Number(this.view.getBigUint64(row * 16, true)), Number(this.view.getBigUint64(row * 16 + 8, true))];
  }
}

export function loadVector(type, vector, size) {
  const loaded = new Loaded(type, vector, size);
  loaded.validity ??= null;
  switch (type.id) {
    case Type.LIST:
    case Type.MAP: {
      const entries = bytesOf(vector, size * 16);
      loaded.view = viewOf(entries);
      const childType = type.id === Type.MAP ? entryType(type) : type.child;
      loaded.child = loadVector(childType, duckdb.list_vector_get_child(vector), duckdb.list_vector_get_size(vector));
      return loaded;
    }
    case Type.ARRAY:
      loaded.child = loadVector(type.child, duckdb.array_vector_get_child(vector), size * type.length);
      return loaded;
    case Type.STRUCT:
      loaded.children = type.children.map((child, i) => loadVector(child, duckdb.struct_vector_get_child(vector, i), size));
      return loaded;
    case Type.UNION:
      loaded.tags = bytesOf(duckdb.struct_vector_get_child(vector, 0), size);
      loaded.children = type.children.map((child, i) =>
        loadVector(child, duckdb.struct_vector_get_child(vector, i + 1), size),
      );
      return loaded;
  }
  const width = type.id === Type.DECIMAL || type.id === Type.ENUM ? WIDTH[type.internal] : WIDTH[type.id];
  if (width === undefined) return loaded;
  loaded.bytes = bytesOf(vector, size * width);
  loaded.width = width;
  loaded.view = viewOf(loaded.bytes);
  if (STRINGS.has(type.id)) loadStrings(loaded);
  return loaded;
}

const bytesOf = (vector, count) => (count === 0 ? new Uint8Array(0) : duckdb.vector_get_data(vector, count));
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A map is a list of these. */
const entryType = (type) =>
  (type.entry ??= { id: Type.STRUCT, oid: 0, names: ['key', 'value'], children: [type.key, type.value] });

/**
 * Where the bytes of each string are. Up to 12 bytes stand in the vector itself; longer ones are behind a pointer, and
 * a call into native code for each would cost more than all else. DuckDB puts a vector's strings one behind the other,
 * so that strings whose memory adjoins are read with one call.
 */
function loadStrings(loaded) {
  const { bytes, view, size } = loaded;
  const lengths = new Int32Array(size);
  const offsets = new Int32Array(size);
  const sources = new Array(size);
  let runRow = -1;
  let runLength = 0;
  let runEnd = -1;
  let runFirst = 0;
  const long = [];
  const finish = () => {
    if (runRow < 0) return;
    const run = duckdb.get_data_from_pointer(bytes.buffer, bytes.byteOffset + runRow * 16 + 8, runLength);
    for (let i = runFirst; i < long.length; i++) sources[long[i]] = run;
    runRow = -1;
  };
  for (let row = 0; row < size; row++) {
    if (loaded.validity !== null && ((loaded.validity[row >> 3] >> (row & 7)) & 1) === 0) continue;
    const length = view.getUint32(row * 16, true);
    lengths[row] = length;
    if (length <= 12) {
      sources[row] = bytes;
      offsets[row] = row * 16 + 4;
      continue;
    }
    const address = view.getUint32(row * 16 + 12, true) * 4294967296 + view.getUint32(row * 16 + 8, true);
    if (address !== runEnd || runRow < 0 || runLength > 1 << 28) {
      finish();
      runRow = row;
      runLength = 0;
      runFirst = long.length;
    }
    long.push(row);
    offsets[row] = runLength;
    runLength += length;
    runEnd = address + length;
  }
  finish();
  loaded.lengths = lengths;
  loaded.offsets = offsets;
  loaded.sources = sources;
}

/** The bytes of a string or blob; only valid while the chunk lives. */
export const stringBytes = (loaded, row) =>
  Buffer.from(loaded.sources[row].buffer, loaded.sources[row].byteOffset + loaded.offsets[row], loaded.lengths[row]);

export function int64(loaded, row) {
  return loaded.view.getBigInt64(row * 8, true);
}

export function int128(loaded, row) {
  return (loaded.view.getBigInt64(row * 16 + 8, true) << 64n) | loaded.view.getBigUint64(row * 16, true);
}

export function uint128(loaded, row) {
  return (loaded.view.getBigUint64(row * 16 + 8, true) << 64n) | loaded.view.getBigUint64(row * 16, true);
}

/** The unscaled value of a DECIMAL. */
export function unscaled(loaded, row) {
  switch (loaded.width) {
    case 2:
      return BigInt(loaded.view.getInt16(row * 2, true));
    case 4:
      return BigInt(loaded.view.getInt32(row * 4, true));
    case 8:
      return int64(loaded, row);
    default:
      return int128(loaded, row);
  }
}

export function enumIndex(loaded, row) {
  switch (loaded.width) {
    case 1:
      return loaded.bytes[row];
    case 2:
      return loaded.view.getUint16(row * 2, true);
    default:
      return loaded.view.getUint32(row * 4, true);
  }
}
