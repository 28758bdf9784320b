using System.Globalization;
using System.Text;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;
using MdFunctions.Tests.MotherDuck;

namespace MdFunctions.Tests.Loads;

/// <summary>What comes first after MotherDuck, or something on the way, closed the pooled connections: it is nobody's fault and goes through.</summary>
public sealed class StaleConnectionTests
{
    [Fact]
    public async Task The_first_webhook_and_the_first_load_on_closed_connections_go_through()
    {
        const string head = "signature: { scheme: github, secret: Test }\ncolumns: { id: BIGINT }\n*/\nSELECT id FROM body";
        var token = Connections.NewToken();
        await using var endpoint = await OwnEndpoint.StartAsync(token);
        await using var network = new SilentProxy(endpoint.Port);
        var settings = endpoint.Settings(network.Port);
        settings["MOTHERDUCK_TOKEN"] = token;
        settings["Secrets:Test"] = Webhook.Secret;
        await using var app = await LocalApp.StartAsync(new MdFunctions.Local.LocalOptions { MotherDuck = true, Settings = settings }, new Dictionary<string, string>
        {
            ["ingest/noid.sql"] = $"/*\ntarget: my_db.main.noid\n{head}",
            ["ingest/withid.sql"] = $"/*\ntarget: my_db.main.withid\nid: $header_x_delivery\n{head}",
            ["loads/merged.sql"] = "/*\ntarget: my_db.main.merged\nmode: merge\nkeys: id\n*/\nSELECT 1 AS id",
            ["loads/appended.sql"] = "/*\ntarget: my_db.main.appended\nmode: append\n*/\nSELECT 1 AS id",
        });
        for (var round = 1; round <= 3; round++)
        {
            foreach (var ingest in (string[])["noid", "withid"])
            {
                await RestAsync();
                using var request = Webhook.Request(Encoding.UTF8.GetBytes($$"""{"id":{{round}}}"""), round.ToString(CultureInfo.InvariantCulture), path: $"/api/ingest/{ingest}");
                using var response = await app.Client.SendAsync(request);
                Assert.Equal(1, (await response.StoredAsync()).GetProperty("inserted").GetInt32());
            }
            foreach (var load in (string[])["merged", "appended"])
            {
                await RestAsync();
                using var response = await app.Client.PostAsync($"api/loads/{load}", null);
                Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
            }
        }

        async Task RestAsync()
        {
            await Task.Delay(300); // A connection that was used just now may have stored what it was given.
            network.ResetConnections();
        }
    }
}
