using MdFunctions.Endpoint.Catalog;
using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Policy;
using MdFunctions.Endpoint.Sql;
using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Databases;

public sealed class AccountDatabasesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly AccountDatabases _databases;

    public AccountDatabasesTests() => _databases = AccountDatabases.Open(null, _folder.Path);

    public void Dispose()
    {
        _databases.Dispose();
        _folder.Dispose();
    }

    private static DatabaseAction Action(string sql) => StatementPolicy.Examine(SqlText.Split(sql).Single(), Behaviour.Documented).Database!;

    private string Failure(string sql) => Assert.Throws<EndpointException>(() => _databases.Run(Action(sql), "my_db")).Message;

    // The rows were the same in the versions before this one; tests and documents of others rely on them.
    [Theory]
    [InlineData("hn.hacker_news", "45876299a816f79669dfd4e124ff32f2")]
    [InlineData("nyc.taxi", "f91908c906de1fb7a519f11ff8dc8710")]
    public void The_samples_are_the_same_rows_at_every_start(string table, string checksum)
    {
        using var connection = _databases.Connect(AccountDatabases.Samples);
        var row = connection.Rows($"SELECT CAST(count(*) AS VARCHAR), md5(string_agg(CAST(x AS VARCHAR), '|' ORDER BY CAST(x AS VARCHAR))) FROM {table} x").Single();
        Assert.Equal(("12000", checksum), (row[0], row[1]));
    }

    [Fact]
    public void Databases_are_made_copied_and_dropped()
    {
        _databases.Run(Action("CREATE DATABASE one"), "my_db");
        using (var connection = _databases.Connect("one")) connection.Run("CREATE TABLE t AS SELECT 'x' AS a");
        _databases.Run(Action("CREATE DATABASE two FROM one"), "my_db");
        _databases.Run(Action("CREATE DATABASE IF NOT EXISTS TWO"), "my_db");
        using (var connection = _databases.Connect("two")) Assert.Equal("x", connection.Rows("SELECT a FROM t").Single()[0]);
        Assert.Equal(["my_db", "one", "sample_data", "two"], _databases.List());
        _databases.Run(Action("DROP DATABASE one"), "my_db");
        _databases.Run(Action("DROP DATABASE IF EXISTS one"), "my_db");
        Assert.Null(_databases.Find("one"));
        Assert.Equal("two", _databases.Find("Two"));
    }

    [Theory]
    [InlineData("CREATE DATABASE my_db", "already exists")]
    [InlineData("CREATE DATABASE system", "cannot have the name")]
    [InlineData("CREATE OR REPLACE DATABASE my_db FROM my_db", "copy of itself")]
    [InlineData("DROP DATABASE nope", "\"nope\" does not exist")]
    [InlineData("DROP DATABASE sample_data", "is a share")]
    [InlineData("DROP DATABASE my_db", "current database")]
    [InlineData("CREATE DATABASE x FROM nope", "\"nope\" does not exist")]
    [InlineData("ATTACH 'md:nope'", "\"nope\" does not exist")]
    public void Their_errors_say_what_is_wrong(string sql, string message) => Assert.Contains(message, Failure(sql), StringComparison.Ordinal);

    [Fact]
    public void With_a_data_folder_they_stay()
    {
        using var data = new TemporaryFolder();
        using (var first = AccountDatabases.Open(data.Path, _folder.Path))
        {
            first.Run(Action("CREATE DATABASE \"with / slash\""), "my_db");
            using var connection = first.Connect("with / slash");
            connection.Run("CREATE TABLE t AS SELECT 'kept' AS a");
        }
        using var second = AccountDatabases.Open(data.Path, _folder.Path);
        using var again = second.Connect("with / slash");
        Assert.Equal("kept", again.Rows("SELECT a FROM t").Single()[0]);
    }

    [Fact]
    public void No_local_file_is_reachable_even_where_the_policy_were_blind()
    {
        using var outside = new TemporaryFolder();
        var file = outside.File("secret.csv");
        File.WriteAllText(file, "a\n1\n");
        using var connection = _databases.Connect("my_db");
        foreach (var sql in (string[])
        [
            $"SELECT * FROM read_csv('{file}')", $"SELECT * FROM '{file}'", $"SELECT * FROM \"{file}\"", $"SELECT * FROM read_text('{file}')",
            $"SELECT * FROM read_blob('{outside.Path}/*')", $"SELECT * FROM glob('{outside.Path}/*')", $"SELECT * FROM sniff_csv('{file}')",
            $"COPY (SELECT 1) TO '{outside.Path}/out.csv'", $"EXPORT DATABASE '{outside.Path}/out'", $"ATTACH '{outside.Path}/out.db'", "INSTALL httpfs", "LOAD httpfs",
            "SET enable_external_access = true", "SET allowed_directories = ['/']", "SET lock_configuration = false", "SET threads = 1", "RESET allowed_directories",
            $"SELECT * FROM read_csv('{_databases.CacheDirectory}/../../{Path.GetFileName(outside.Path)}/secret.csv')", $"SELECT * FROM read_json('{file}')", $"COPY t FROM '{file}'",
            $"SELECT * FROM parquet_metadata('{file}')", "SELECT * FROM read_csv('https://localhost/x.csv')", "CREATE SECRET (TYPE s3)", $"PRAGMA import_database('{outside.Path}')",
            $"SET log_query_path = '{outside.Path}/log'",
        ])
        {
            var error = Assert.Throws<EndpointException>(() => connection.Run(sql));
            Assert.Matches("Permission Error|Invalid Input Error|Catalog Error|IO Error|Invalid Configuration Error|Binder Error", error.Message);
        }
        Assert.Equal([file], Directory.GetFileSystemEntries(outside.Path));
    }

    [Fact]
    public void Every_table_of_the_catalog_can_be_read()
    {
        using var connection = _databases.Connect("my_db");
        connection.Run("CREATE TYPE mood AS ENUM ('ok', 'bad'); CREATE TABLE p (a INT PRIMARY KEY, m mood, d DECIMAL(10, 2) DEFAULT 1.5); CREATE TABLE f (a INT REFERENCES p (a)); CREATE VIEW v AS FROM p");
        var scope = new SessionScope(Behaviour.Documented, "my_db", "o'neil", new(Behaviour.Documented, "o'neil", new Dictionary<string, string>()), null);
        foreach (var table in CatalogRelations.Tables)
        {
            var sql = $"SELECT CAST(count(*) AS VARCHAR) FROM pg_catalog.{table} WHERE {table} IS NOT NULL";
            var found = StatementPolicy.Examine(SqlText.Split(sql).Single(), Behaviour.Documented);
            var error = Record.Exception(() => connection.Rows(SqlText.Apply(sql, scope.Narrow(found))));
            Assert.True(error is null, $"{table}: {error?.Message}");
        }
    }
}
