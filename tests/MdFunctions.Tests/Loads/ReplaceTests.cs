namespace MdFunctions.Tests.Loads;

/// <summary>A replace changes the rows of a table and nothing else of it.</summary>
public sealed class ReplaceTests
{
    [Theory]
    [InlineData("")]
    [InlineData("\ncheck: SELECT true")]
    public async Task The_table_keeps_keys_defaults_comments_and_the_order_of_its_columns(string check)
    {
        await using var app = await StartAsync(check);
        await app.SqlAsync("CREATE TABLE {db}.main.t (id BIGINT PRIMARY KEY, name VARCHAR NOT NULL DEFAULT 'none', n INTEGER DEFAULT 7 CHECK (n > 0))");
        await app.SqlAsync("COMMENT ON TABLE {db}.main.t IS 'owned by finance'");
        await app.SqlAsync("COMMENT ON COLUMN {db}.main.t.name IS 'as they say it'");
        await app.SqlAsync("INSERT INTO {db}.main.t VALUES (1, 'old', 1)");
        app.Files.Put("data.csv", "name,id\nx,1\ny,2\n");
        await app.RunAsync("it");
        Assert.Equal(["1|x|7", "2|y|7"], await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
        Assert.Equal(["owned by finance|t|1"], await app.SqlAsync("SELECT comment, has_primary_key, index_count FROM duckdb_tables() WHERE database_name = '{db}' AND table_name = 't'"));
        Assert.Equal(["id|NULL|f", "name|as they say it|f", "n|NULL|t"],
            await app.SqlAsync("SELECT column_name, comment, is_nullable FROM duckdb_columns() WHERE database_name = '{db}' AND table_name = 't' ORDER BY column_index"));

        app.Files.Put("data.csv", "name,id\nx,1\n,2\n");
        Assert.Contains("NOT NULL constraint failed: t.name", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
        app.Files.Put("data.csv", "name,id\nx,1\ny,1\n");
        await app.RunAsync("it", 422);
        Assert.Equal(["1|x|7", "2|y|7"], await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
        Assert.Empty(await app.LeftoversAsync());
    }

    [Fact]
    public async Task An_empty_source_empties_a_table_and_makes_none()
    {
        await using var app = await StartAsync("");
        app.Files.Put("data.csv", "id,name\n");
        Assert.Equal(0, (await app.RunAsync("it")).GetProperty("rows").GetInt32());
        Assert.Equal(["0"], await app.SqlAsync("SELECT count(*) FROM duckdb_tables() WHERE database_name = '{db}' AND table_name = 't'"));
        app.Files.Put("data.csv", "id,name\n1,a\n");
        await app.RunAsync("it");
        app.Files.Put("data.csv", "id,name\n");
        await app.RunAsync("it");
        Assert.Equal(["0"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t"));
        Assert.Equal(["BIGINT"], await app.SqlAsync("SELECT data_type FROM duckdb_columns() WHERE database_name = '{db}' AND table_name = 't' AND column_name = 'id'"));
    }

    private static Task<LoadApp> StartAsync(string more) =>
        LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = $"/*\ntarget: {{db}}.main.t\nmode: replace{more}\n*/\nSELECT * FROM read_csv('{{files}}/data.csv')" });
}
