using System.Net;
using System.Net.Http.Headers;

namespace MdFunctions.Endpoint.Remote.Sources;

/// <summary>A file at an http:// or https:// URL.</summary>
internal sealed class HttpSource(string url) : RemoteSource(url)
{
    private const int MaxRedirects = 5;

    // Redirects are followed here, so that they end at http and https and their number is told.
    private static readonly HttpClient Client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(60),
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public override async Task<RemoteContent> OpenAsync(CancellationToken cancellation)
    {
        var response = await SendAsync(null, cancellation);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            using (response) throw Failure(response.StatusCode);
        }
        var content = await response.Content.ReadAsStreamAsync(cancellation);
        return new(content, response.Content.Headers.ContentLength, response.Headers.ETag?.ToString());
    }

    private EndpointException Failure(HttpStatusCode status)
    {
        var text = $"{(int)status} {Reason(status)}";
        return new(status switch
        {
            HttpStatusCode.NotFound or HttpStatusCode.Gone => $"HTTP Error: Unable to connect to URL \"{Url}\": {(int)status} ({Reason(status)}).",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => $"HTTP Error: HTTP GET error on '{Url}' (HTTP {text}): access is denied",
            _ => $"HTTP Error: HTTP GET error on '{Url}' (HTTP {text})",
        });
    }

    private static string Reason(HttpStatusCode status)
    {
        using var response = new HttpResponseMessage(status);
        return response.ReasonPhrase ?? "Unknown";
    }

    public override async Task<bool> IsUnchangedAsync(string etag, CancellationToken cancellation)
    {
        try
        {
            using var response = await SendAsync(etag, cancellation);
            return response.StatusCode == HttpStatusCode.NotModified ||
                (response.StatusCode == HttpStatusCode.OK && response.Headers.ETag?.ToString() == etag);
        }
        catch (EndpointException)
        {
            return false;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string? etag, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(Url, UriKind.Absolute, out var current)) throw new EndpointException($"IO Error: '{Url}' is not a URL");
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            var response = await SendOnceAsync(current, etag, cancellation);
            var redirects = (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;
            if (!redirects || !response.Headers.TryGetValues("Location", out var locations)) return response;
            using (response) current = Redirected(current, locations.First());
        }
        throw new EndpointException($"HTTP Error: '{Url}' redirects more than {MaxRedirects} times");
    }

    private Uri Redirected(Uri from, string location)
    {
        if (!Uri.TryCreate(from, location, out var to)) throw new EndpointException($"HTTP Error: '{Url}' redirects to an address that cannot be read");
        if (to.Scheme is not ("http" or "https")) throw new EndpointException($"HTTP Error: '{Url}' redirects to something that is not http or https");
        return to;
    }

    private async Task<HttpResponseMessage> SendOnceAsync(Uri target, string? etag, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, target);
        request.Headers.AcceptEncoding.Add(new("identity"));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("motherduck-local-endpoint", null));
        if (etag is not null) request.Headers.TryAddWithoutValidation("If-None-Match", etag);
        try
        {
            return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        }
        catch (HttpRequestException error)
        {
            throw new EndpointException($"IO Error: Could not establish connection error for HTTP GET to '{Url}' ({error.HttpRequestError})");
        }
    }
}
