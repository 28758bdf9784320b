namespace MdFunctions.Tests.Loads;

/// <summary>A type that is known before a file is read reaches its reader, so that nothing of the column is guessed.</summary>
public sealed class ReaderTypeTests
{
    private const string Orders = "id,sku,version,long_id,amount\n1,1E5,1.10,123456789012345678901234567890,12345678901234567.89\n2,2E7,2.00,123456789012345678901234567891,0.10\n";
    private const string OrdersStored = "1|1E5|1.10|123456789012345678901234567890|12345678901234567.89;2|2E7|2.00|123456789012345678901234567891|0.10";
    private const string CreateAs = "{ sku: VARCHAR, version: VARCHAR, long_id: VARCHAR, amount: 'DECIMAL(38,2)' }";

    [Theory]
    [InlineData("SELECT * FROM read_csv('{files}/data.csv', HEADER = true, AUTO_DETECT = true, MD_RUN = REMOTE)")]
    [InlineData("FROM '{files}/data.csv'")]
    [InlineData("FROM read_csv_auto('{files}/data.csv') SELECT id, sku, version, long_id, amount")]
    [InlineData("SELECT o.id, o.sku, version, long_id, amount FROM read_csv('{files}/data.csv', types = {'id': 'BIGINT'}) AS o WHERE id > 0")]
    [InlineData("WITH o AS (SELECT * FROM read_csv('{files}/data.csv', dtypes := {'id': 'BIGINT'})) SELECT id, sku, version, long_id, amount FROM o")]
    [InlineData("SELECT * FROM read_csv('{files}/data.csv') UNION ALL BY NAME SELECT * FROM read_csv('{files}/none.csv')")]
    public async Task CreateAs_keeps_what_a_guess_would_lose(string select)
    {
        await using var app = await StartAsync($"mode: append\ncreateAs: {CreateAs}", select);
        app.Files.Put("data.csv", Orders);
        app.Files.Put("none.csv", "id,sku,version,long_id,amount\n");
        await app.RunAsync("it");
        Assert.Equal(OrdersStored.Split(';'), await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
        // Once more, where the target is there.
        await app.RunAsync("it");
        Assert.Equal(["4"], await app.SqlAsync("SELECT count(*) FROM {db}.main.t WHERE id = 1 AND sku = '1E5' OR id = 2 AND amount = 0.10 AND version = '2.00'"));
    }

    [Fact]
    public async Task A_renamed_column_is_read_as_what_it_becomes()
    {
        await using var app = await StartAsync("mode: append\ncreateAs: { article: VARCHAR }", "SELECT id, sku AS article, sku FROM read_csv('{files}/data.csv')");
        app.Files.Put("data.csv", "id,sku\n1,1E5\n2,2E5\n");
        await app.RunAsync("it");
        Assert.Equal(["1|1E5|100000", "2|2E5|200000"], await app.SqlAsync("FROM {db}.main.t ORDER BY id"));
    }

    [Fact]
    public async Task The_targets_types_reach_the_reader_too()
    {
        await using var app = await StartAsync("mode: append", "SELECT * FROM read_csv('{files}/data.csv')");
        await app.SqlAsync("CREATE TABLE {db}.main.t (id INTEGER, sku VARCHAR, n BIGINT, amount DECIMAL(18,2))");
        app.Files.Put("data.csv", "id,sku,n,amount\n1,007,,1.10\n");
        await app.RunAsync("it");
        Assert.Equal(["1|007|NULL|1.10"], await app.SqlAsync("FROM {db}.main.t"));
        app.Files.Put("data.csv", "id,sku,n,amount\n1,007,5,1.105\n");
        Assert.Equal("Nothing was loaded: column 'amount': 1.105 cannot be stored exactly as DECIMAL(18,2).", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("append", "SELECT *, amount * 2 AS twice FROM read_csv('{files}/data.csv')")]
    [InlineData("replace", "SELECT id, amount FROM read_csv('{files}/data.csv') WHERE amount > 0")]
    [InlineData("append", "SELECT DISTINCT * FROM read_csv('{files}/data.csv')")]
    public async Task A_column_that_is_computed_with_gets_its_type_from_createAs_and_is_not_rounded(string mode, string select)
    {
        await using var app = await StartAsync($"mode: {mode}\ncreateAs: {{ amount: 'DECIMAL(38,2)' }}", select);
        app.Files.Put("data.csv", "id,amount\n1,12345678901234567.89\n");
        await app.RunAsync("it");
        Assert.Equal(["12345678901234567.89"], await app.SqlAsync("SELECT amount FROM {db}.main.t"));
        app.Files.Put("data.csv", "id,amount\n1,12345678901234567.891\n");
        Assert.Contains("column 'amount': 12345678901234567.891 cannot be stored exactly as DECIMAL(38,2)", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_number_that_comes_late_is_not_rounded()
    {
        await using var app = await StartAsync("mode: replace\ncreateAs: { v: BIGINT }", "SELECT * FROM read_csv('{files}/data.csv')");
        app.Files.Put("data.csv", "v\n" + string.Join('\n', Enumerable.Range(0, 30_000)) + "\n2.7\n");
        Assert.Contains("column 'v': 2.7 cannot be stored exactly as BIGINT", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_date_is_what_the_owner_says()
    {
        await using var app = await LoadApp.StartAsync(new Dictionary<string, string>
        {
            ["iso"] = "/*\ntarget: {db}.main.iso\nmode: append\ncreateAs: { d: DATE }\n*/\nSELECT * FROM read_csv('{files}/data.csv')",
            ["us"] = "/*\ntarget: {db}.main.us\nmode: append\ncreateAs: { d: DATE, x: 'DECIMAL(9,2)' }\n*/\nSELECT * FROM read_csv('{files}/data.csv', dateformat = '%m/%d/%Y', decimal_separator = ',', delim = ';')",
        });
        app.Files.Put("data.csv", "id,d\n1,03/04/2024\n");
        Assert.Contains("column 'd': 03/04/2024 cannot be stored exactly as DATE", (await app.RunAsync("iso", 422)).GetProperty("detail").GetString());
        app.Files.Put("data.csv", "id;d;x\n1;03/04/2024;1,50\n");
        await app.RunAsync("us");
        Assert.Equal(["1|2024-03-04|1.50"], await app.SqlAsync("FROM {db}.main.us"));
        app.Files.Put("data.csv", "id;d;x\n1;03/04/2024;1,505\n");
        Assert.Contains("cannot be stored exactly as DECIMAL(9,2)", (await app.RunAsync("us", 422)).GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Json_keeps_texts_and_whole_numbers_and_refuses_what_its_reader_rounds()
    {
        await using var app = await StartAsync("mode: append\ncreateAs: { long_id: VARCHAR, amount: 'DECIMAL(38,2)', sku: VARCHAR }", "SELECT * FROM read_json('{files}/data.json')");
        app.Files.Put("data.json", """
            {"id":1,"long_id":123456789012345678901234567890,"amount":"12345678901234567.89","sku":"007","more":{"a":[1,2]}}
            {"id":2,"long_id":5,"amount":0.10,"sku":null,"more":null}
            """);
        await app.RunAsync("it");
        Assert.Equal(["1|123456789012345678901234567890|12345678901234567.89|007|{'a': [1, 2]}", "2|5|0.10|NULL|NULL"],
            await app.SqlAsync("SELECT id, long_id, amount, sku, CAST(more AS VARCHAR) FROM {db}.main.t ORDER BY id"));
        app.Files.Put("data.json", """{"id":1,"long_id":1,"amount":12345678901234567.89,"sku":"x","more":null}""");
        Assert.Contains("column 'amount': ", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
    }

    [Fact]
    public async Task CreateAs_names_columns_that_are_there()
    {
        await using var app = await StartAsync("mode: append\ncreateAs: { nope: VARCHAR }", "SELECT 1 AS id");
        Assert.Equal("Nothing was loaded: 'createAs' names 'nope', which the statement does not return.", (await app.RunAsync("it", 422)).GetProperty("detail").GetString());
    }

    private static Task<LoadApp> StartAsync(string frontMatter, string select) =>
        LoadApp.StartAsync(new Dictionary<string, string> { ["it"] = $"/*\ntarget: {{db}}.main.t\n{frontMatter}\n*/\n{select}" });
}
