using System.Net;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MdFunctions.Local.Host;

/// <summary>
/// What pages of other web sites may do. Those of the setting <c>Cors:Origins</c> may call the app, as those of Azure's own CORS setting may in the cloud. No other
/// page's POST is taken: nobody is asked for a key here, and a page that a developer happens to visit must not start loads on the developer's machine. Nor is a
/// request for another host: a page can have its own name resolve to this machine (DNS rebinding), and then looks as if it were the app's.
/// </summary>
internal static class CrossSite
{
    /// <summary>Adds the rules before all routes.</summary>
    /// <param name="app">The host's server.</param>
    /// <param name="origins">The setting: origins such as <c>https://www.example.com</c> with commas between them, or <c>*</c>; null for none.</param>
    public static void UseCrossSiteRules(this WebApplication app, string? origins)
    {
        var allowed = AllowedOrigins.Split(origins);
        app.Use(async (context, next) =>
        {
            var request = context.Request;
            var origin = request.Headers.Origin.ToString();
            if (!IsOfThisMachine(request.Host.Host) && !allowed.Any(site => Uri.TryCreate(site, UriKind.Absolute, out var uri) && uri.Host == request.Host.Host))
            {
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                await context.Response.WriteAsync("The header Host names another machine. Call the app as localhost or by an IP address, or add its origin to the setting Cors:Origins.");
                return;
            }
            if (origin.Length > 0 && (allowed.Contains("*") || allowed.Contains(origin, StringComparer.OrdinalIgnoreCase)))
            {
                context.Response.Headers.AccessControlAllowOrigin = allowed.Contains("*") ? "*" : origin;
                context.Response.Headers.Append(HeaderNames.Vary, "Origin");
                if (IsPreflight(request))
                {
                    context.Response.StatusCode = StatusCodes.Status204NoContent;
                    context.Response.Headers.AccessControlAllowMethods = request.Headers.AccessControlRequestMethod;
                    context.Response.Headers.AccessControlAllowHeaders = request.Headers.AccessControlRequestHeaders;
                    return;
                }
            }
            else if (Changes(request) && IsForeign(request, origin))
            {
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                await context.Response.WriteAsync("A page of another site sent this. Add its origin to the setting Cors:Origins if it may call the app.");
                return;
            }
            await next(context);
        });
    }

    // An address cannot be made to mean another machine.
    private static bool IsOfThisMachine(string host) =>
        host.Length == 0 || host == "localhost" || host.EndsWith(".localhost", StringComparison.Ordinal) || IPAddress.TryParse(host.Trim('[', ']'), out _);

    private static bool IsPreflight(HttpRequest request) =>
        HttpMethods.IsOptions(request.Method) && request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod);

    private static bool Changes(HttpRequest request) =>
        !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method) && !HttpMethods.IsOptions(request.Method);

    // Browsers say where a request comes from; programs say neither.
    private static bool IsForeign(HttpRequest request, string origin) =>
        request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site"
        || (origin.Length > 0 && !origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase));
}
