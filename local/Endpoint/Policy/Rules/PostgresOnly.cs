using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy.Rules;

/// <summary>What PostgreSQL has and DuckDB has not, told in words where DuckDB would only find a syntax error.</summary>
internal static class PostgresOnly
{
    /// <summary>Refuses a statement that begins at a token, if it is one of PostgreSQL's own.</summary>
    public static void Check(Token[] tokens, int at)
    {
        var verb = tokens.IsWord(at) ? tokens[at].Value : "";
        var message = verb switch
        {
            "begin" or "start" when Array.Exists(tokens, token => token is { Kind: TokenKind.Word, Value: "isolation" or "deferrable" }) =>
                "isolation levels are not supported: transactions follow the DuckDB model, where each sees the state that it began with. Send BEGIN alone",
            "rollback" or "abort" when Array.Exists(tokens, token => token is { Kind: TokenKind.Word, Value: "to" }) =>
                "ROLLBACK TO SAVEPOINT is not supported: nested transactions are not. Roll back the whole transaction with ROLLBACK",
            "declare" or "fetch" or "move" => $"{verb.ToUpperInvariant()} is not supported: DuckDB has no cursors. Run the SELECT itself; its rows are streamed",
            "listen" or "notify" or "unlisten" => $"{verb.ToUpperInvariant()} is not supported: DuckDB has no notifications",
            "grant" or "revoke" or "reassign" => $"{verb.ToUpperInvariant()} is not supported: access belongs to the MotherDuck account. Share a database from a DuckDB client or in the MotherDuck UI",
            "lock" => "LOCK is not supported: transactions follow the DuckDB model, where writers do not wait but fail on a conflict",
            "do" => "DO is not supported: DuckDB has no procedural language",
            "refresh" => "REFRESH MATERIALIZED VIEW is not supported: DuckDB has no materialized views. Use CREATE OR REPLACE TABLE ... AS",
            "cluster" or "reindex" => $"{verb.ToUpperInvariant()} is not supported: there are no PostgreSQL indexes",
            _ => null,
        };
        if (message is not null) throw EndpointException.Refused(message);
    }

    /// <summary>The refusal of a <c>pg_*</c> function, or, observed, of a table of the pg_catalog.</summary>
    public static EndpointException Catalog(string what, Behaviour behaviour) => EndpointException.Refused(behaviour == Behaviour.Documented
        ? $"{what} is not supported: pg_* functions are PostgreSQL's own, and the Postgres endpoint runs DuckDB SQL. Use {Instead(what)}"
        : $"{what} is not supported: pg_* functions and the pg_catalog are PostgreSQL's own, and the Postgres endpoint runs DuckDB SQL. Use information_schema, duckdb_tables(), duckdb_columns() or DESCRIBE");

    private static string Instead(string function) => function switch
    {
        "pg_typeof()" => "typeof()",
        "pg_get_viewdef()" => "SELECT sql FROM duckdb_views()",
        "pg_get_constraintdef()" => "SELECT constraint_text FROM duckdb_constraints()",
        "pg_get_indexdef()" => "SELECT sql FROM duckdb_indexes()",
        "pg_get_expr()" => "DESCRIBE for columns, or SELECT column_default FROM duckdb_columns()",
        "pg_table_size()" or "pg_total_relation_size()" or "pg_relation_size()" => "SELECT estimated_size FROM duckdb_tables()",
        "pg_database_size()" => "PRAGMA database_size",
        "pg_sleep()" => "nothing: a query cannot wait",
        _ => "SHOW ALL TABLES for tables and DESCRIBE for columns",
    };
}
