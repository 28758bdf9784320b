using System.Net.Http.Headers;
using System.Text;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Access;

/// <summary>An app whose callers have tokens, with rows of two tenants, and the issuer of the tokens.</summary>
public sealed class AccessApp : IAsyncLifetime
{
    public static readonly IReadOnlyDictionary<string, string> Files = new Dictionary<string, string>
    {
        ["queries/open.sql"] = "SELECT 'for all' AS word",
        ["queries/readers.sql"] = "/*\naccess: { roles: [reader, admin] }\n*/\nSELECT 'for readers' AS word",
        ["queries/admins.sql"] = "/*\naccess: { roles: [admin] }\n*/\nSELECT 'for admins' AS word",
        ["queries/writers.sql"] = "/*\naccess: { scopes: [data.write] }\n*/\nSELECT 'for writers' AS word",
        ["queries/mine.sql"] = """
            /*
            summary: The rows of the caller's tenant
            parameters:
              tenant: { type: varchar, claim: tid }
              least: { type: integer, default: 0 }
            cache: 1h
            audit: parameters
            */
            SELECT tenant, n FROM (VALUES ('a', 1), ('a', 2), ('b', 3), ('c', 4)) rows(tenant, n) WHERE tenant = $tenant AND n >= $least ORDER BY n
            """,
        ["queries/streamed.sql"] = "/*\nparameters:\n  tenant: { type: varchar, claim: tid }\n*/\nSELECT tenant, n FROM (VALUES ('a', 1), ('b', 3)) rows(tenant, n) WHERE tenant = $tenant",
        ["queries/groups.sql"] = "/*\nparameters:\n  ids: { type: \"bigint[]\", claim: groups }\n*/\nSELECT $ids AS ids",
        ["loads/theirs.sql"] = "/*\ntarget: my_db.main.access_theirs\nmode: replace\naccess: { roles: [admin] }\nmcp: true\n*/\nSELECT 1 AS n",
        ["loads/tenants.sql"] = "/*\ntarget: my_db.main.access_tenants\nmode: replace\nparameters:\n  tenant: { type: varchar, claim: tid }\n*/\nSELECT $tenant AS tenant",
        ["loads/blobs.sql"] = "/*\ntarget: my_db.main.access_blobs\nmode: append\nevents: https://account.blob.core.windows.net/in/\naccess: { roles: [admin] }\n*/\nSELECT $url AS url",
        ["ingest/hook.sql"] = "/*\ntarget: my_db.main.access_hook\nsignature: { scheme: header, header: X-Secret, secret: hook }\ncolumns: { n: BIGINT }\n*/\nSELECT * FROM body",
    };

    public TokenServer Issuer { get; private set; } = null!;

    public LocalApp App { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Issuer = await TokenServer.StartAsync();
        App = await LocalApp.StartAsync(Files, Issuer.Settings(("Secrets:hook", "a-secret-of-the-hook"), ("Cors:Origins", "https://www.example.com")));
    }

    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        await Issuer.DisposeAsync();
    }

    /// <summary>Sends a request with a token.</summary>
    public Task<HttpResponseMessage> SendAsync(string method, string path, string? token, string? json = null, Action<HttpRequestMessage>? change = null) =>
        SendAsync(App, method, path, token, json, change);

    /// <inheritdoc cref="SendAsync(string, string, string, string, Action{HttpRequestMessage})"/>
    public static Task<HttpResponseMessage> SendAsync(LocalApp app, string method, string path, string? token, string? json = null, Action<HttpRequestMessage>? change = null)
    {
        var request = new HttpRequestMessage(new(method), path);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        change?.Invoke(request);
        return app.Client.SendAsync(request);
    }
}
