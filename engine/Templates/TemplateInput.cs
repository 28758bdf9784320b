using System.Text.Json;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Templates;

/// <summary>The values that a request gives a template's parameters.</summary>
internal static class TemplateInput
{
    /// <summary>The most bytes a JSON body of parameters may have.</summary>
    public const int MaxBodyBytes = 1024 * 1024;

    /// <summary>Reads the query string, and of a POST the JSON object in the body, against a template's parameters.</summary>
    /// <param name="request">The request.</param>
    /// <param name="parameters">The declared parameters.</param>
    /// <param name="reserved">Names in the query string that mean something else.</param>
    /// <param name="cancellationToken">Gives up reading the body.</param>
    /// <returns>A value for each parameter in their order; null is NULL.</returns>
    /// <exception cref="ProblemException">400 with all faults together, 413 or 415.</exception>
    public static async Task<ParameterValue?[]> ReadAsync(
        HttpRequest request, IReadOnlyList<Parameter> parameters, IReadOnlyCollection<string> reserved, CancellationToken cancellationToken)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var values = new ParameterValue?[parameters.Count];
        var given = new bool[parameters.Count];

        using var body = HttpMethods.IsPost(request.Method) ? await ReadBodyAsync(request, cancellationToken) : null;
        if (body is not null)
        {
            foreach (var member in body.RootElement.EnumerateObject())
            {
                Take(member.Name, i => member.Value.ValueKind == JsonValueKind.Null
                    ? Null(parameters[i])
                    : parameters[i].TryRead(member.Value, out values[i]));
            }
        }
        foreach (var (name, texts) in request.Query)
        {
            if (!reserved.Contains(name))
                Take(name, i => parameters[i].TryRead([.. texts.Select(text => text ?? "")], out values[i]));
        }
        for (var i = 0; i < parameters.Count; i++)
        {
            var parameter = parameters[i];
            if (given[i])
                continue;
            values[i] = parameter.Default;
            if (parameter is { Default: null, Optional: false })
                errors[parameter.Name] = [$"'{parameter.Name}' is missing; expected {parameter.Type.Expected}."];
        }
        return errors.Count == 0 ? values : throw new ProblemException(Problem.BadInput(errors));

        void Take(string name, Func<int, string?> read)
        {
            var i = IndexOf(name);
            var error = i < 0
                ? $"'{name}' is unknown; {(parameters.Count == 0 ? "there are no parameters" : $"the parameters are {string.Join(", ", parameters.Select(p => p.Name))}")}."
                : given[i] ? $"'{name}' was given twice." : read(i);
            if (i >= 0)
                given[i] = true;
            if (error is not null)
                errors[name] = [error];
        }

        int IndexOf(string name)
        {
            for (var i = 0; i < parameters.Count; i++)
            {
                if (parameters[i].Name == name)
                    return i;
            }
            return -1;
        }

        static string? Null(Parameter parameter) =>
            parameter.Optional ? null : $"'{parameter.Name}' is null; expected {parameter.Type.Expected}.";
    }

    private static async Task<JsonDocument?> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(request, MaxBodyBytes, "Parameters", cancellationToken);
        if (body.Length == 0)
            return null;
        if (!RequestBody.IsJson(request))
            throw new ProblemException(new Problem(415, "Unsupported media type", "Parameters are posted as a JSON object with Content-Type: application/json, in UTF-8."));
        // A name given twice is a mistake that JSON readers answer differently; none is guessed at here.
        var json = RequestBody.ParseJson(body);
        if (json.RootElement.ValueKind == JsonValueKind.Object)
            return json;
        json.Dispose();
        throw new ProblemException(Problem.BadRequest("The body is not a JSON object of parameters, such as {\"limit\": 5}."));
    }
}
