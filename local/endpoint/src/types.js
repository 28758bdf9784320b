// DuckDB's types, and what each is to a PostgreSQL client: an OID, a size and a type modifier.

import duckdb from '@duckdb/node-bindings';

const { Type } = duckdb;

export const OID = {
  bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, text: 25, json: 114, float4: 700, float8: 701, unknown: 705,
  bpchar: 1042, varchar: 1043, date: 1082, time: 1083, timestamp: 1114, timestamptz: 1184, interval: 1186,
  timetz: 1266, bit: 1560, varbit: 1562, numeric: 1700, uuid: 2950, jsonb: 3802,
};

const ARRAY_OID = {
  16: 1000, 17: 1001, 20: 1016, 21: 1005, 23: 1007, 25: 1009, 114: 199, 700: 1021, 701: 1022, 1082: 1182, 1083: 1183,
  1114: 1115, 1184: 1185, 1186: 1187, 1266: 1270, 1560: 1561, 1700: 1231, 2950: 2951,
};

const OID_SIZE = { 16: 1, 20: 8, 21: 2, 23: 4, 700: 4, 701: 8, 1082: 4, 1083: 8, 1114: 8, 1184: 8, 1186: 16, 1266: 12, 2950: 16 };

const SCALAR_OID = {
  [Type.BOOLEAN]: OID.bool,
  [Type.TINYINT]: OID.int2,
  [Type.SMALLINT]: OID.int2,
  [Type.INTEGER]: OID.int4,
  [Type.BIGINT]: OID.int8,
  [Type.UTINYINT]: OID.int2,
  [Type.USMALLINT]: OID.int4,
  [Type.UINTEGER]: OID.int8,
  [Type.UBIGINT]: OID.numeric,
  [Type.HUGEINT]: OID.numeric,
  [Type.UHUGEINT]: OID.numeric,
  [Type.BIGNUM]: OID.numeric,
  [Type.DECIMAL]: OID.numeric,
  [Type.FLOAT]: OID.float4,
  [Type.DOUBLE]: OID.float8,
  [Type.VARCHAR]: OID.text,
  [Type.BLOB]: OID.bytea,
  [Type.DATE]: OID.date,
  [Type.TIME]: OID.time,
  [Type.TIME_NS]: OID.time,
  [Type.TIME_TZ]: OID.timetz,
  [Type.TIMESTAMP]: OID.timestamp,
  [Type.TIMESTAMP_S]: OID.timestamp,
  [Type.TIMESTAMP_MS]: OID.timestamp,
  [Type.TIMESTAMP_NS]: OID.timestamp,
  [Type.TIMESTAMP_TZ]: OID.timestamptz,
  [Type.INTERVAL]: OID.interval,
  [Type.UUID]: OID.uuid,
  [Type.BIT]: OID.bit,
};

/** What we need to know of a logical type, its children included. */
export function describeType(logical) {
  const id = duckdb.get_type_id(logical);
  const type = { id, oid: SCALAR_OID[id] ?? OID.text, typmod: -1 };
  switch (id) {
    case Type.VARCHAR:
      if (duckdb.logical_type_get_alias(logical) === 'JSON') {
        type.json = true;
        type.oid = OID.json;
      }
      break;
    case Type.DECIMAL:
      type.width = duckdb.decimal_width(logical);
      type.scale = duckdb.decimal_scale(logical);
      type.internal = duckdb.decimal_internal_type(logical);
      type.typmod = type.width * 65536 + type.scale + 4;
      break;
    case Type.UBIGINT:
      type.typmod = 20 * 65536 + 4;
      break;
    case Type.ENUM:
      type.internal = duckdb.enum_internal_type(logical);
      type.values = Array.from({ length: duckdb.enum_dictionary_size(logical) }, (_, i) =>
        duckdb.enum_dictionary_value(logical, i),
      );
      break;
    case Type.LIST:
      type.child = describeType(duckdb.list_type_child_type(logical));
      type.oid = arrayOid(type.child);
      break;
    case Type.ARRAY:
      type.child = describeType(duckdb.array_type_child_type(logical));
      type.length = duckdb.array_type_array_size(logical);
      type.oid = arrayOid(type.child);
      break;
    case Type.STRUCT: {
      const count = duckdb.struct_type_child_count(logical);
      type.names = Array.from({ length: count }, (_, i) => duckdb.struct_type_child_name(logical, i));
      type.children = Array.from({ length: count }, (_, i) => describeType(duckdb.struct_type_child_type(logical, i)));
      break;
    }
    case Type.MAP:
      type.key = describeType(duckdb.map_type_key_type(logical));
      type.value = describeType(duckdb.map_type_value_type(logical));
      break;
    case Type.UNION: {
      const count = duckdb.union_type_member_count(logical);
      type.names = Array.from({ length: count }, (_, i) => duckdb.union_type_member_name(logical, i));
      type.children = Array.from({ length: count }, (_, i) => describeType(duckdb.union_type_member_type(logical, i)));
      break;
    }
  }
  type.size = OID_SIZE[type.oid] ?? -1;
  return type;
}

/** PostgreSQL's array types know no dimensions: a list of lists has the array type of its innermost elements. */
function arrayOid(child) {
  if (child.id === Type.LIST || child.id === Type.ARRAY) return child.oid;
  return ARRAY_OID[child.oid] ?? ARRAY_OID[OID.text];
}

/** Whether DuckDB has left a type, or a part of it, open. */
export function isUnresolved(type) {
  if (type.id === Type.INVALID || type.id === Type.ANY) return true;
  return [type.child, type.key, type.value, ...(type.children ?? [])].some((part) => part && isUnresolved(part));
}

/** The types whose values cannot be read from DuckDB's vectors as they are. */
export function unreadable(type) {
  if (type.id === Type.VARIANT) return 'VARIANT';
  for (const part of [type.child, type.key, type.value, ...(type.children ?? [])]) {
    const found = part && unreadable(part);
    if (found) return found;
  }
  return null;
}

export const isList = (type) => type.id === Type.LIST || type.id === Type.ARRAY;

/** Columns of the results that the endpoint makes itself. */
export const TEXT = { id: Type.VARCHAR, oid: OID.text, typmod: -1, size: -1 };
export const BOOLEAN = { id: Type.BOOLEAN, oid: OID.bool, typmod: -1, size: 1 };
export { Type };
