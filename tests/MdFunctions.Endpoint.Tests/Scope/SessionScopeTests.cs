using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Scope;

public sealed class DocumentedScopeTests(DocumentedEndpoint shared) : SessionScopeTests(shared.Endpoint), IClassFixture<DocumentedEndpoint>;

public sealed class ObservedScopeTests(ObservedEndpoint shared) : SessionScopeTests(shared.Endpoint), IClassFixture<ObservedEndpoint>;

public abstract class SessionScopeTests(TestEndpoint endpoint)
{
    [Fact]
    public async Task Information_schema_tells_of_the_connected_database_only_and_duckdb_tables_of_all()
    {
        await using var client = await endpoint.ConnectAsync();
        await using var other = await endpoint.ConnectAsync("sample_data");
        await client.RunAsync("CREATE OR REPLACE TABLE mine (a INT PRIMARY KEY)");
        Assert.Equal(["hacker_news", "taxi"], await other.TextsAsync("SELECT table_name FROM information_schema.tables ORDER BY 1"));
        Assert.Equal(["hacker_news"], await other.TextsAsync("SELECT tables.table_name FROM INFORMATION_SCHEMA.\"tables\" WHERE tables.table_schema = 'hn'"));
        Assert.Equal(["taxi"], await other.TextsAsync("SELECT t.table_name FROM sample_data.information_schema.tables t JOIN information_schema.columns AS c ON c.table_name = t.table_name WHERE c.column_name = 'VendorID'"));
        Assert.Equal(["sample_data"], await other.TextsAsync("SELECT DISTINCT catalog_name FROM information_schema.schemata"));
        Assert.Equal(["mine"], await client.TextsAsync("SELECT table_name FROM information_schema.tables WHERE table_name IN ('mine', 'taxi')"));
        Assert.Equal(["mine"], await client.TextsAsync("SELECT table_name FROM information_schema.key_column_usage WHERE table_name = 'mine'"));
        Assert.Equal(["mine", "taxi"], await client.TextsAsync("SELECT table_name FROM duckdb_tables() WHERE table_name IN ('mine', 'taxi') ORDER BY 1"));
        await other.RunAsync("USE my_db");
        Assert.Equal(["mine"], await other.TextsAsync("SELECT table_name FROM information_schema.tables WHERE table_name IN ('mine', 'taxi')"));
        await other.RunAsync("USE sample_data");
    }

    [Fact]
    public async Task With_attach_mode_single_there_is_no_other_database()
    {
        await using var single = await endpoint.ConnectAsync(options: "--attach_mode=single");
        await single.RunAsync("CREATE OR REPLACE TABLE mine (a INT)");
        Assert.Equal(["my_db"], await single.TextsAsync("SHOW DATABASES"));
        Assert.Equal(["my_db"], await single.TextsAsync("SELECT database_name FROM duckdb_databases() WHERE NOT internal"));
        Assert.Equal(["my_db"], await single.TextsAsync("SELECT name FROM md_information_schema.databases"));
        Assert.Equal(["0"], await single.TextsAsync("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'taxi'"));
        Assert.Equal(["1"], await single.TextsAsync("SELECT count(*) FROM duckdb_tables() AS t WHERE t.table_name = 'mine'"));
        Assert.All(await single.TextsAsync("SHOW ALL TABLES"), row => Assert.StartsWith("my_db|", row, StringComparison.Ordinal));
        foreach (var sql in (string[])
        [
            "SELECT * FROM sample_data.hn.hacker_news", "USE sample_data", "SELECT 1 FROM mine, \"Sample_Data\".nyc.taxi", "INSERT INTO sample_data.hn.hacker_news VALUES (1)",
            "DESCRIBE sample_data.nyc.taxi", "SELECT * FROM (SELECT * FROM sample_data.nyc.taxi) x",
        ])
        {
            // Npgsql takes XX000 for a server that is going down, and leaves the connection.
            await using var again = await endpoint.ConnectAsync(options: "--attach_mode=single");
            Assert.StartsWith("Binder Error: Catalog \"sample_data\" does not exist", (await again.FailureAsync(sql)).MessageText, StringComparison.OrdinalIgnoreCase);
        }
        Assert.Equal(["1"], await single.TextsAsync("SELECT sample_data.a FROM (SELECT 1 AS a) AS sample_data"));
    }

    [Fact]
    public async Task MotherDucks_own_functions_tell_of_the_local_account()
    {
        await using var client = await endpoint.ConnectAsync();
        Assert.Equal(["postgres|local|local"], await client.TextsAsync("SELECT username, org_name, region FROM md_user_info()"));
        Assert.Equal(["postgres"], await client.TextsAsync("SELECT md_user()"));
        Assert.Contains("my_db|default", await client.TextsAsync("SELECT name, type FROM MD_INFORMATION_SCHEMA.DATABASES"));
        Assert.Empty(await client.TextsAsync("FROM md_information_schema.owned_shares"));
        Assert.Equal(["sample_data"], await client.TextsAsync("SELECT name FROM md_information_schema.shared_with_me"));
        Assert.Empty(await client.TextsAsync("SELECT name, url, source_db_name FROM md_list_database_shares()"));
    }

    [Fact]
    public async Task What_works_on_MotherDuck_works_here()
    {
        await using var client = await endpoint.ConnectAsync();
        await client.RunAsync("CREATE OR REPLACE TABLE words (word VARCHAR, load INT)");
        await client.RunAsync("INSERT INTO words VALUES ('a', 1)");
        foreach (var sql in (string[])
        [
            "SHOW TABLES", "SHOW ALL TABLES", "SHOW DATABASES", "SHOW ALL DATABASES", "DESCRIBE words", "DESCRIBE SELECT 1", "SUMMARIZE words", "USE sample_data", "USE sample_data.hn", "USE my_db", "USE my_db.main",
            "SET TimeZone = 'UTC'", "SET TIME ZONE 'UTC'", "RESET TimeZone", "PRAGMA table_info(words)", "PRAGMA database_list", "PRAGMA version", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1",
            "CREATE OR REPLACE TABLE pivoted AS SELECT 1 AS a", "FROM words", "VALUES (1)", "TABLE words", "CREATE SCHEMA IF NOT EXISTS extra", "CREATE OR REPLACE VIEW extra.v AS SELECT 1 AS a",
            "CREATE OR REPLACE MACRO extra.plus(x) AS x + 1", "SELECT extra.plus(1)", "CREATE TYPE extra.mood AS ENUM ('ok')", "ALTER TABLE words ADD COLUMN more INT", "ALTER TABLE words RENAME COLUMN more TO less",
            "DROP SCHEMA extra CASCADE", "SELECT * FROM duckdb_tables()", "SELECT * FROM information_schema.schemata", "CHECKPOINT", "ANALYZE", "VACUUM", "ATTACH 'md:my_db'", "ATTACH 'md:'",
            "CREATE DATABASE IF NOT EXISTS extra_db", "CREATE TABLE extra_db.t AS SELECT 1 AS a", "CREATE OR REPLACE DATABASE clone_db FROM extra_db", "SELECT a FROM clone_db.t",
            "DROP DATABASE IF EXISTS extra_db", "DROP DATABASE IF EXISTS extra_db", "DROP DATABASE clone_db", "SELECT current_database(), current_schema(), version(), now()",
            "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 5) SELECT sum(i) FROM r", "TRUNCATE words", "DROP TABLE words",
        ])
        {
            var error = await Record.ExceptionAsync(() => client.RunAsync(sql));
            Assert.True(error is null, $"{sql}: {error?.Message}");
        }
    }

    [Fact]
    public async Task An_error_does_not_suggest_what_is_hidden_or_refused()
    {
        foreach (var table in (string[])["hacker_news", "pg_clas", "pg_tabels"])
        {
            await using var single = await endpoint.ConnectAsync(options: "--attach_mode=single");
            var message = (await single.FailureAsync($"SELECT * FROM {table}")).MessageText;
            Assert.DoesNotContain("Did you mean \"pg_", message, StringComparison.Ordinal);
            Assert.DoesNotContain("sample_data", message, StringComparison.Ordinal);
        }
    }
}
