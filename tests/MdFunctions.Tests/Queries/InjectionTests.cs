using System.Text.Json;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Queries;

/// <summary>Nothing that a request holds becomes SQL.</summary>
public sealed class InjectionTests
{
    private static readonly string[] Payloads =
    [
        "'", "\"", "''", "';", "'; DROP TABLE my_db.main.victim; --", "' OR '1'='1", "' OR 1=1 --", "1 OR 1=1", "1; DROP TABLE my_db.main.victim",
        "') UNION SELECT 'pwned' --", "\\'; DROP TABLE my_db.main.victim; --", "$$; DROP TABLE my_db.main.victim; $$", "$1", "$name", "${name}", "{{name}}",
        "/* */", "--", "\u02bc OR 1=1", "\uff07 OR 1=1", "%27%20OR%201%3D1", "' || (SELECT 'pwned') || '", "\"; DROP TABLE my_db.main.victim; --",
        "x'::VARCHAR); DROP TABLE my_db.main.victim; --", "CAST(1 AS INTEGER)", "(SELECT 1)", "E'\\x27'", "1e1; COMMIT; DROP TABLE my_db.main.victim", "NULL;", "';\nDROP TABLE my_db.main.victim;\n--",
    ];

    [Fact]
    public async Task Payloads_in_parameters_and_names_change_no_statement()
    {
        await using var connection = await SharedEndpoint.ConnectAsync();
        await ExecuteAsync("CREATE OR REPLACE TABLE my_db.main.victim AS SELECT 'safe' AS name, 1 AS n");
        await using var app = await LocalApp.StartAsync(new Dictionary<string, string>
        {
            ["queries/find.sql"] = "/*\nparameters:\n  name: { type: varchar }\n  list: { type: 'varchar[]', default: [x] }\n  json: { type: json, default: '1' }\n*/\nSELECT $name AS name, $list AS list, $json AS json, (SELECT count(*) FROM my_db.main.victim WHERE name = $name OR name IN (SELECT unnest($list))) AS found",
            ["queries/typed.sql"] = "/*\nparameters:\n  i: { type: integer, optional: true }\n  d: { type: date, optional: true }\n  u: { type: uuid, optional: true }\n  m: { type: 'decimal(9,2)', optional: true }\n  v: { type: interval, optional: true }\n  b: { type: blob, optional: true }\n*/\nSELECT $i AS i, $d AS d, $u AS u, $m AS m, $v AS v, $b AS b",
        });
        foreach (var payload in Payloads)
        {
            var escaped = Uri.EscapeDataString(payload);
            var row = (await app.GetJsonAsync($"/api/queries/find?name={escaped}&list={escaped}&json={Uri.EscapeDataString(JsonSerializer.Serialize(payload))}"))[0];
            Assert.Equal((payload, payload, payload), (row.GetProperty("name").GetString(), row.GetProperty("list")[0].GetString(), row.GetProperty("json").GetString()));
            Assert.Equal(0, row.GetProperty("found").GetInt32());

            foreach (var parameter in (string[])["i", "d", "u", "m", "v", "b"])
            {
                using var typed = await app.Client.GetAsync($"/api/queries/typed?{parameter}={escaped}");
                await typed.ProblemAsync(400);
            }
            using var unknown = await app.Client.GetAsync($"/api/queries/find?name=x&{escaped}=1");
            await unknown.ProblemAsync(400);
            using var name = await app.Client.GetAsync($"/api/queries/{escaped}");
            Assert.Equal(404, (int)name.StatusCode);
        }
        Assert.Equal("safe", await ExecuteAsync("SELECT string_agg(name, ',') FROM my_db.main.victim"));
        await ExecuteAsync("DROP TABLE my_db.main.victim");

        async Task<object?> ExecuteAsync(string sql)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            return await command.ExecuteScalarAsync();
        }
    }
}
