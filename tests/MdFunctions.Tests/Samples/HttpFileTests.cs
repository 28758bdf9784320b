using System.Text;
using System.Text.RegularExpressions;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;

namespace MdFunctions.Tests.Samples;

/// <summary><c>http/*.http</c>: every request in it is answered as its title says, and every route has a request.</summary>
public sealed partial class HttpFileTests
{
    private sealed record Request(string Title, string Method, string Path, IReadOnlyList<string> Headers, string Body);

    [Fact]
    public async Task Every_request_is_answered_as_its_title_says()
    {
        // With an endpoint of its own: the load that the timer starts must not meet another test's.
        await using var app = await LocalApp.StartAsync(new LocalOptions { Settings = new Dictionary<string, string?> { ["Secrets:GitHubWebhook"] = Webhook.Secret } });
        foreach (var request in Read())
        {
            using var message = new HttpRequestMessage(new HttpMethod(request.Method), request.Path);
            if (request.Body.Length > 0)
                message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(request.Body));
            foreach (var header in request.Headers.Select(header => header.Split(": ", 2)))
                Assert.True(message.Headers.TryAddWithoutValidation(header[0], header[1]) || message.Content!.Headers.TryAddWithoutValidation(header[0], header[1]));
            using var response = await app.Client.SendAsync(message);
            var expected = Status().Match(request.Title) is { Success: true } match ? match.Value : "2";
            Assert.True(((int)response.StatusCode).ToString(null, null).StartsWith(expected, StringComparison.Ordinal), $"{request.Title}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
    }

    [Fact]
    public void Every_route_has_a_request()
    {
        var requests = Read();
        Assert.All(AppRoutes.Read(), route => Assert.Contains(requests, request => Regex.IsMatch(request.Path, $"^/api/{Regex.Replace(route, "\\{[a-z]+\\}", "[^/?]+")}([?]|$)")));
    }

    private static List<Request> Read()
    {
        var files = Directory.EnumerateFiles(Path.Combine(LocalHost.RepositoryRoot(), "http"), "*.http").OrderDescending(StringComparer.Ordinal).ToList(); // The timer comes last: it runs the samples' load.
        Assert.Equal(2, files.Count); // The samples' own is not in a copy without samples.
        var requests = files.SelectMany(file => File.ReadAllText(file).Split("\n### ").Skip(1)).Select(text =>
        {
            var lines = text.TrimEnd().Split('\n');
            var line = lines.Skip(1).First(line => line.Length > 0 && !line.StartsWith('#')).Split(" {{host}}", 2);
            var head = lines.SkipWhile(candidate => !candidate.Contains(" {{host}}", StringComparison.Ordinal)).Skip(1).TakeWhile(header => header.Length > 0).ToList();
            var body = string.Join('\n', lines.SkipWhile(candidate => !candidate.Contains(" {{host}}", StringComparison.Ordinal)).SkipWhile(header => header.Length > 0).Skip(1));
            return new Request(lines[0], line[0], line[1], head, body);
        }).ToList();
        Assert.NotEmpty(requests);
        return requests;
    }

    [GeneratedRegex("\\b[45][0-9]{2}\\b")]
    private static partial Regex Status();
}
