using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Catalog;

/// <summary>Documented: PostgreSQL's catalog as drivers ask it.</summary>
public sealed class CatalogTests(DocumentedEndpoint shared) : IClassFixture<DocumentedEndpoint>, IAsyncLifetime
{
    private readonly TestEndpoint _endpoint = shared.Endpoint;

    public async Task InitializeAsync()
    {
        await using var connection = await _endpoint.ConnectAsync();
        await connection.RunAsync("DROP SCHEMA IF EXISTS cat CASCADE");
        await connection.RunAsync("CREATE SCHEMA cat");
        await connection.RunAsync("CREATE TYPE cat.mood AS ENUM ('ok', 'bad')");
        await connection.RunAsync("CREATE TABLE cat.parent (id INT PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'x', price DECIMAL(10, 2), tags VARCHAR[], moment TIMESTAMPTZ, feeling cat.mood, UNIQUE (name))");
        await connection.RunAsync("CREATE TABLE cat.child (id INT, parent_id INT REFERENCES cat.parent (id))");
        await connection.RunAsync("CREATE VIEW cat.view AS FROM cat.parent");
        await connection.RunAsync("COMMENT ON TABLE cat.parent IS 'the parents'");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("SELECT relname, relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'cat' ORDER BY 1", "child|r", "parent|r", "view|v")]
    [InlineData("SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_class.relpersistence != 't' AND pg_catalog.pg_namespace.nspname = 'cat' ORDER BY 1", "child", "parent")]
    [InlineData("SELECT attname, atttypid, atttypmod, attnotnull, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'parent'::regclass AND attnum > 0 ORDER BY attnum", "id|23|-1|t|integer", "name|25|-1|t|text", "price|1700|655366|f|numeric(10,2)", "tags|1009|-1|f|text[]", "moment|1184|-1|f|timestamp with time zone", "feeling|25|-1|f|text")]
    [InlineData("SELECT adbin FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid WHERE c.relname = 'parent'", "'x'")]
    [InlineData("SELECT contype, conkey, confkey FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relname IN ('parent', 'child') ORDER BY 1", "f|{2}|{1}", "p|{1}|NULL", "u|{2}|NULL")]
    [InlineData("SELECT description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid WHERE d.classoid = 'pg_class'::regclass AND d.objsubid = 0 AND c.relname = 'parent'", "the parents")]
    [InlineData("SELECT enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'mood' ORDER BY enumsortorder", "ok", "bad")]
    [InlineData("SELECT typname, typarray FROM pg_type WHERE oid = 'int4'::regtype", "int4|1007")]
    [InlineData("SELECT oid::regtype::text FROM pg_type WHERE typname = 'uuid'", "uuid")]
    [InlineData("SELECT c.oid::regclass::text FROM pg_catalog.pg_class c WHERE c.relname = 'child'", "child")]
    [InlineData("SELECT to_regtype('text'), to_regtype('hstore')", "25|NULL")]
    [InlineData("SELECT 'a'::name", "a")]
    [InlineData("SELECT t.typname FROM pg_type t WHERE t.oid = (SELECT typelem FROM pg_type WHERE typname = '_text')", "text")]
    [InlineData("SELECT usename FROM pg_user", "postgres")]
    [InlineData("SELECT datname FROM pg_database WHERE datname = current_database()", "my_db")]
    [InlineData("SELECT schemaname, viewname FROM pg_views WHERE schemaname = 'cat'", "cat|view")]
    [InlineData("SELECT n.nspname, c.relname, CASE n.nspname ~ '^pg_' WHEN true THEN 'SYSTEM' ELSE 'TABLE' END, d.description FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 and d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND n.nspname LIKE 'cat' AND c.relkind = 'r' ORDER BY 1, 2", "cat|child|TABLE|NULL", "cat|parent|TABLE|the parents")]
    [InlineData("SELECT count(*) FROM pg_matviews", "0")]
    public async Task Its_tables_answer(string sql, params string[] expected)
    {
        await using var connection = await _endpoint.ConnectAsync();
        Assert.Equal(expected, await connection.TextsAsync(sql));
    }

    [Theory]
    [InlineData("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef", "DESCRIBE")]
    [InlineData("SELECT relname FROM pg_class c WHERE pg_catalog.pg_table_is_visible(c.oid)", "SHOW ALL TABLES")]
    [InlineData("SELECT * FROM pg_stat_activity", "not supported")]
    public async Task Functions_and_what_DuckDB_has_nothing_of_are_refused_with_what_to_use_instead(string sql, string message)
    {
        await using var connection = await _endpoint.ConnectAsync();
        Assert.Contains(message, (await connection.FailureAsync(sql)).MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_tells_of_the_connected_database_only()
    {
        await using var samples = await _endpoint.ConnectAsync("sample_data");
        Assert.Equal(["hacker_news", "taxi"], await samples.TextsAsync("SELECT relname FROM pg_class WHERE relkind = 'r' ORDER BY 1"));
    }
}
