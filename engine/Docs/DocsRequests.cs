using System.Security.Cryptography;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;
using Microsoft.AspNetCore.Http;
using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>What <c>/api/openapi.json</c> and <c>/api/docs</c> answer.</summary>
public sealed class DocsRequests
{
    private readonly TemplateCatalog _templates;
    private readonly QueryColumns _columns;
    private readonly PublicUrl _url;
    private readonly AccessOptions _access;
    private readonly Lazy<TokenCheck> _tokens;
    private readonly Audit _audit;
    private DocsPage? _page;

    internal DocsRequests(TemplateCatalog templates, QueryColumns columns, PublicUrl url, AccessOptions access, Lazy<TokenCheck> tokens, Audit audit) =>
        (_templates, _columns, _url, _access, _tokens, _audit) = (templates, columns, url, access, tokens, audit);

    /// <summary>Answers the OpenAPI 3.1 document of the app. <c>?columns=false</c> leaves out what MotherDuck would have to be asked for.</summary>
    public Task<IResult> OpenApiAsync(HttpRequest request) => Guard.RunAsync(request, () => _audit.CallAsync(request, "list", "openapi", () => DescribeAsync(request)));

    /// <summary>Answers the page on which everything can be tried.</summary>
    public Task<IResult> PageAsync(HttpRequest request) => Guard.RunAsync(request, Door.Open, async () =>
    {
        if (request.Method is not ("GET" or "HEAD"))
            return Problem.MethodNotAllowed(request.Method, "GET, HEAD");
        var signIn = await SignIn.OfAsync(_access, _tokens);
        // The issuer's metadata seldom changes, and the page with it.
        if (_page is not { } page || page.SignIn != signIn)
            _page = page = DocsPage.Read(signIn);
        return page.Answer(request);
    });

    private async Task<IResult> DescribeAsync(HttpRequest request)
    {
        if (request.Method is not ("GET" or "HEAD"))
            return Problem.MethodNotAllowed(request.Method, "GET, HEAD");
        var columns = request.Query["columns"] == "false" ? _columns.Known() : await _columns.GetAsync(request.HttpContext.RequestAborted);
        using var json = new MemoryStream();
        await ApiDocument.Of(_templates, columns, _url.Of(request), _access.Authority, Caller.Of(request.HttpContext)).SerializeAsJsonAsync(json, OpenApiSpecVersion.OpenApi3_1, request.HttpContext.RequestAborted);
        _url.Protect(request.HttpContext.Response);
        return new StaticAnswer("application/json", json.ToArray());
    }
}

/// <summary>An answer that is there whole: compressed where the caller accepts it, with an ETag, and without a body for HEAD.</summary>
/// <param name="contentType">Its media type.</param>
/// <param name="body">Its bytes.</param>
internal sealed class StaticAnswer(string contentType, byte[] body) : IResult
{
    /// <summary>The ETag of these bytes.</summary>
    public string ETag { get; } = $"\"{Convert.ToHexStringLower(SHA256.HashData(body))[..32]}\"";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (request, response) = (httpContext.Request, httpContext.Response);
        response.Headers.ETag = ETag;
        response.Headers.Vary = "Accept-Encoding";
        if (request.Headers.IfNoneMatch.Any(known => known is not null && known.Split(',').Any(tag => tag.Trim() is var t && (t == "*" || t.Replace("W/", "", StringComparison.Ordinal) == ETag))))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        response.ContentType = contentType;
        if (request.Method == "HEAD")
        {
            response.ContentLength = body.Length;
            return;
        }
        // Writing to a caller who has gone does nothing; cancelled, it would be this function's failure.
        await Answer.SendAsync(httpContext, ContentCoding.Of(request, body.Length), body.Length, stream => stream.WriteAsync(body, CancellationToken.None).AsTask());
    }
}
