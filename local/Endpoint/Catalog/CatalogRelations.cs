namespace MdFunctions.Endpoint.Catalog;

/// <summary>
/// PostgreSQL's catalog as far as DuckDB has what it tells. DuckDB's own pg_catalog lists the tables of all databases at once, under
/// numbers that repeat; these list those of the session's database, with the types that the endpoint sends.
/// </summary>
internal static class CatalogRelations
{
    private const string Here = "database_name = current_database()";

    /// <summary>What drivers call the catalog's own tables: PostgreSQL's fixed numbers.</summary>
    public static readonly IReadOnlyDictionary<string, int> FixedOids = new Dictionary<string, int>
    {
        ["pg_type"] = 1247,
        ["pg_attribute"] = 1249,
        ["pg_proc"] = 1255,
        ["pg_class"] = 1259,
        ["pg_database"] = 1262,
        ["pg_attrdef"] = 2604,
        ["pg_constraint"] = 2606,
        ["pg_namespace"] = 2615,
    };

    private static readonly Dictionary<string, string> Queries = new(StringComparer.Ordinal)
    {
        ["pg_class"] = Classes(),
        ["pg_attribute"] =
            $"""
            SELECT table_oid AS attrelid, column_name AS attname, {PostgresTypes.OidOf("data_type")} AS atttypid, -1 AS attstattarget,
              -1 AS attlen, column_index AS attnum, 0 AS attndims, -1 AS attcacheoff,
              CASE WHEN data_type LIKE 'DECIMAL(%)' THEN numeric_precision * 65536 + numeric_scale + 4 ELSE -1 END AS atttypmod, false AS attbyval,
              'p' AS attstorage, 'i' AS attalign, NOT is_nullable AS attnotnull, column_default IS NOT NULL AS atthasdef, false AS atthasmissing,
              '' AS attidentity, '' AS attgenerated, false AS attisdropped, true AS attislocal, 0 AS attinhcount, 0 AS attcollation,
              '' AS attcompression, NULL::VARCHAR AS attacl, NULL::VARCHAR AS attoptions, NULL::VARCHAR AS attfdwoptions, NULL::VARCHAR AS attmissingval
            FROM duckdb_columns() WHERE {Here}
            """,
        ["pg_attrdef"] =
            $"SELECT table_oid * 2000 + column_index AS oid, table_oid AS adrelid, column_index AS adnum, column_default AS adbin FROM duckdb_columns() WHERE {Here} AND column_default IS NOT NULL",
        ["pg_namespace"] = $"SELECT oid, schema_name AS nspname, 10 AS nspowner, NULL::VARCHAR AS nspacl FROM duckdb_schemas() WHERE {Here} UNION ALL SELECT 11, 'pg_catalog', 10, NULL",
        ["pg_type"] = Types(),
        ["pg_enum"] = $"SELECT {EnumOid} * 1000 + i AS oid, {EnumOid} AS enumtypid, i::FLOAT AS enumsortorder, labels[i] AS enumlabel FROM (SELECT *, unnest(range(1, len(labels) + 1)) AS i FROM duckdb_types() WHERE {Here} AND logical_type = 'ENUM' AND NOT internal AND labels IS NOT NULL)",
        ["pg_description"] = Descriptions(),
        ["pg_constraint"] =
            $"""
            SELECT c.table_oid * 2000 + c.constraint_index AS oid, c.constraint_name AS conname, c.schema_oid AS connamespace,
              CASE c.constraint_type WHEN 'CHECK' THEN 'c' WHEN 'UNIQUE' THEN 'u' WHEN 'PRIMARY KEY' THEN 'p' ELSE 'f' END AS contype,
              false AS condeferrable, false AS condeferred, true AS convalidated, c.table_oid AS conrelid, 0 AS contypid, 0 AS conindid, 0 AS conparentid,
              coalesce(r.table_oid, 0) AS confrelid, 'a' AS confupdtype, 'a' AS confdeltype, 's' AS confmatchtype, true AS conislocal, 0 AS coninhcount,
              true AS connoinherit, list_transform(c.constraint_column_indexes, lambda i: i + 1) AS conkey,
              CASE WHEN r.table_oid IS NOT NULL THEN (SELECT list(k.column_index) FROM duckdb_columns() k WHERE k.table_oid = r.table_oid AND k.database_name = c.database_name AND list_contains(c.referenced_column_names, k.column_name)) END AS confkey,
              c.expression AS conbin
            FROM duckdb_constraints() c LEFT JOIN duckdb_tables() r ON r.table_name = c.referenced_table AND r.schema_oid = c.schema_oid AND r.database_name = c.database_name
            WHERE c.{Here} AND c.constraint_type <> 'NOT NULL'
            """,
        ["pg_index"] =
            $"""
            SELECT index_oid AS indexrelid, table_oid AS indrelid, 0 AS indnatts, 0 AS indnkeyatts, is_unique AS indisunique, is_primary AS indisprimary,
              false AS indisexclusion, true AS indimmediate, false AS indisclustered, true AS indisvalid, false AS indcheckxmin, true AS indisready,
              true AS indislive, false AS indisreplident, NULL::INTEGER[] AS indkey, NULL::BIGINT[] AS indcollation, NULL::BIGINT[] AS indclass,
              NULL::INTEGER[] AS indoption, expressions AS indexprs, NULL::VARCHAR AS indpred
            FROM duckdb_indexes() WHERE {Here}
            """,
        ["pg_indexes"] = $"SELECT schema_name AS schemaname, table_name AS tablename, index_name AS indexname, NULL::VARCHAR AS \"tablespace\", sql AS indexdef FROM duckdb_indexes() WHERE {Here}",
        ["pg_tables"] = $"SELECT schema_name AS schemaname, table_name AS tablename, @user AS tableowner, NULL::VARCHAR AS \"tablespace\", index_count > 0 AS hasindexes, false AS hasrules, false AS hastriggers, false AS rowsecurity FROM duckdb_tables() WHERE {Here}",
        ["pg_views"] = $"SELECT schema_name AS schemaname, view_name AS viewname, @user AS viewowner, sql AS definition FROM duckdb_views() WHERE {Here} AND NOT internal",
        ["pg_database"] = "SELECT database_oid AS oid, database_name AS datname, 10 AS datdba, 6 AS encoding, 'c' AS datlocprovider, false AS datistemplate, true AS datallowconn, -1 AS datconnlimit, 0 AS datfrozenxid, 1 AS datminmxid, 1663 AS dattablespace, 'C' AS datcollate, 'C' AS datctype, NULL::VARCHAR AS datacl FROM duckdb_databases() WHERE NOT internal AND @visible",
        ["pg_roles"] = "SELECT 10 AS oid, @user AS rolname, false AS rolsuper, true AS rolinherit, false AS rolcreaterole, true AS rolcreatedb, true AS rolcanlogin, false AS rolreplication, -1 AS rolconnlimit, NULL::VARCHAR AS rolpassword, NULL::TIMESTAMPTZ AS rolvaliduntil, false AS rolbypassrls, NULL::VARCHAR[] AS rolconfig",
        ["pg_user"] = "SELECT @user AS usename, 10 AS usesysid, true AS usecreatedb, false AS usesuper, false AS userepl, false AS usebypassrls, NULL::VARCHAR AS passwd, NULL::TIMESTAMPTZ AS valuntil, NULL::VARCHAR[] AS useconfig",
        ["pg_tablespace"] = "SELECT 1663 AS oid, 'pg_default' AS spcname, 10 AS spcowner, NULL::VARCHAR AS spcacl, NULL::VARCHAR AS spcoptions",
        ["pg_settings"] = "SELECT * FROM (VALUES @settings) s(\"name\", setting, unit, category, short_desc, context, vartype)",
        ["pg_am"] = "SELECT 2 AS oid, 'heap' AS amname, 0 AS amhandler, 't' AS amtype",
        ["pg_proc"] = $"SELECT {PostgresTypes.ArrayReceive} AS oid, 'array_recv' AS proname, 11 AS pronamespace, 'f' AS prokind, false AS proretset UNION ALL SELECT function_oid, function_name, 11, CASE function_type WHEN 'aggregate' THEN 'a' ELSE 'f' END, function_type = 'table' FROM duckdb_functions() WHERE {Here} AND NOT internal",
        ["pg_depend"] = "SELECT * FROM duckdb_dependencies() WHERE false",
        ["pg_sequence"] = Sequences("sequence_oid AS seqrelid, 20 AS seqtypid, start_value AS seqstart, increment_by AS seqincrement, max_value AS seqmax, min_value AS seqmin, 1 AS seqcache, cycle AS seqcycle"),
        ["pg_sequences"] = Sequences("schema_name AS schemaname, sequence_name AS sequencename, @user AS sequenceowner, 'bigint' AS data_type, start_value, min_value, max_value, increment_by, cycle, 1 AS cache_size, last_value"),
        ["pg_prepared_statements"] = "SELECT name, statement, parameter_types, result_types FROM duckdb_prepared_statements()",
        ["pg_matviews"] = Empty("schemaname text, matviewname text, matviewowner text, tablespace text, hasindexes bool, ispopulated bool, definition text"),
        ["pg_range"] = Empty("rngtypid int8, rngsubtype int8, rngmultitypid int8, rngcollation int8, rngsubopc int8, rngcanonical int8, rngsubdiff int8"),
        ["pg_rewrite"] = Empty("oid int8, rulename text, ev_class int8, ev_type text, ev_enabled text, is_instead bool, ev_qual text, ev_action text"),
        ["pg_inherits"] = Empty("inhrelid int8, inhparent int8, inhseqno int4, inhdetachpending bool"),
        ["pg_trigger"] = Empty("oid int8, tgrelid int8, tgparentid int8, tgname text, tgfoid int8, tgtype int2, tgenabled text, tgisinternal bool, tgconstraint int8"),
        ["pg_policy"] = Empty("oid int8, polname text, polrelid int8, polcmd text, polpermissive bool"),
        ["pg_partitioned_table"] = Empty("partrelid int8, partstrat text, partnatts int2, partdefid int8"),
        ["pg_foreign_table"] = Empty("ftrelid int8, ftserver int8, ftoptions text[]"),
        ["pg_foreign_server"] = Empty("oid int8, srvname text, srvowner int8, srvfdw int8, srvtype text, srvversion text, srvacl text, srvoptions text[]"),
        ["pg_foreign_data_wrapper"] = Empty("oid int8, fdwname text, fdwowner int8, fdwhandler int8, fdwvalidator int8, fdwacl text, fdwoptions text[]"),
        ["pg_extension"] = Empty("oid int8, extname text, extowner int8, extnamespace int8, extrelocatable bool, extversion text, extconfig int8[], extcondition text[]"),
        ["pg_collation"] = Empty("oid int8, collname text, collnamespace int8, collowner int8, collprovider text, collisdeterministic bool, collencoding int4, collcollate text, collctype text"),
        ["pg_shdescription"] = Empty("objoid int8, classoid int8, description text"),
        ["pg_auth_members"] = Empty("oid int8, roleid int8, member int8, grantor int8, admin_option bool"),
        ["pg_language"] = Empty("oid int8, lanname text, lanowner int8, lanispl bool, lanpltrusted bool"),
    };

    private const string EnumOid = "(1000000 + type_oid)";

    private static readonly HashSet<string> Elsewhere = ["pg_stat_activity", "pg_stat_all_tables", "pg_stat_user_tables", "pg_stat_database", "pg_stat_ssl", "pg_locks", "pg_shadow", "pg_authid", "pg_statistic", "pg_stats"];

    /// <summary>The tables that can be read.</summary>
    public static IEnumerable<string> Tables => Queries.Keys;

    /// <summary>Whether PostgreSQL's catalog has a table of this name that clients ask for.</summary>
    public static bool IsTable(string name) => Queries.ContainsKey(name) || Elsewhere.Contains(name);

    /// <summary>The query that answers for a table of the catalog, or null where DuckDB has nothing of the kind.</summary>
    public static string? Query(string name) => Queries.GetValueOrDefault(name);

    private static string Classes()
    {
        string Part(string oid, string name, string kind, string columns, string checks, string rows, string index, string from) =>
            $"""
            SELECT {oid} AS oid, {name} AS relname, schema_oid AS relnamespace, 0 AS reltype, 0 AS reloftype, 10 AS relowner, 2 AS relam, 0 AS relfilenode,
              0 AS reltablespace, 0 AS relpages, {rows}::FLOAT AS reltuples, 0 AS relallvisible, 0 AS reltoastrelid, {index} AS relhasindex, false AS relisshared,
              'p' AS relpersistence, '{kind}' AS relkind, {columns} AS relnatts, {checks} AS relchecks, false AS relhasoids, false AS relhasrules,
              false AS relhastriggers, false AS relhassubclass, false AS relrowsecurity, false AS relforcerowsecurity, true AS relispopulated, 'd' AS relreplident,
              false AS relispartition, 0 AS relrewrite, 0 AS relfrozenxid, 0 AS relminmxid, NULL::VARCHAR AS relacl, NULL::VARCHAR[] AS reloptions, NULL::VARCHAR AS relpartbound
            FROM {from} WHERE {Here}
            """;
        var tables = Part("table_oid", "table_name", "r", "column_count", "check_constraint_count", "estimated_size", "index_count > 0", "duckdb_tables()");
        var views = Part("view_oid", "view_name", "v", "column_count", "0", "0", "false", "duckdb_views()") + " AND NOT internal";
        var sequences = Part("sequence_oid", "sequence_name", "S", "3", "0", "1", "false", "duckdb_sequences()");
        var indexes = Part("index_oid", "index_name", "i", "0", "0", "0", "false", "duckdb_indexes()");
        return $"{tables} UNION ALL {views} UNION ALL {sequences} UNION ALL {indexes}";
    }

    private static string Types() =>
        $"""
        SELECT oid, typname, 11 AS typnamespace, 10 AS typowner, typlen, false AS typbyval, typtype, typcategory, false AS typispreferred, true AS typisdefined,
          ',' AS typdelim, 0 AS typrelid, 0 AS typsubscript, typelem, typarray, 0 AS typinput, 0 AS typoutput, typreceive, 0 AS typsend, 0 AS typmodin,
          0 AS typmodout, 0 AS typanalyze, 'i' AS typalign, 'p' AS typstorage, false AS typnotnull, 0 AS typbasetype, -1 AS typtypmod, 0 AS typndims,
          0 AS typcollation, NULL::VARCHAR AS typdefaultbin, NULL::VARCHAR AS typdefault, NULL::VARCHAR AS typacl
        FROM (VALUES {PostgresTypes.Rows}) t(oid, typname, typlen, typcategory, typelem, typarray, typreceive, typtype)
        UNION ALL
        SELECT {EnumOid}, type_name, schema_oid, 10, 4, true, 'e', 'E', false, true, ',', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'i', 'p', false, 0, -1, 0, 0, NULL, NULL, NULL
        FROM duckdb_types() WHERE {Here} AND logical_type = 'ENUM' AND NOT internal AND labels IS NOT NULL
        """;

    private static string Descriptions()
    {
        string Part(string oid, string column, string from) => $"SELECT {oid} AS objoid, 1259 AS classoid, {column} AS objsubid, comment AS description FROM {from} WHERE {Here} AND comment IS NOT NULL";
        return $"{Part("table_oid", "0", "duckdb_tables()")} UNION ALL {Part("table_oid", "column_index", "duckdb_columns()")} UNION ALL {Part("view_oid", "0", "duckdb_views()")}";
    }

    private static string Sequences(string columns) => $"SELECT {columns} FROM duckdb_sequences() WHERE {Here}";

    /// <summary>A table of what DuckDB has none of.</summary>
    private static string Empty(string columns) => $"SELECT {string.Join(", ", columns.Split(", ").Select(column => $"NULL::{column.Split(' ')[1]} AS \"{column.Split(' ')[0]}\""))} WHERE false";
}
