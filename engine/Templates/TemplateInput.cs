using System.Text.Json;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Templates;

/// <summary>The values that a request gives a template's parameters.</summary>
internal static class TemplateInput
{
    /// <summary>The most bytes a JSON body of parameters may have.</summary>
    public const int MaxBodyBytes = 1024 * 1024;

    /// <summary>Reads the query string, the caller's claims, and of a POST the JSON object in the body, against a template's parameters; reserved names in the query string mean something else.</summary>
    /// <returns>A value for each parameter in their order; null is NULL.</returns>
    /// <exception cref="ProblemException">400 with all faults together, 403 where the caller's token lacks a claim, 413 or 415.</exception>
    public static async Task<ParameterValue?[]> ReadAsync(
        HttpRequest request, IReadOnlyList<Parameter> parameters, IReadOnlyCollection<string> reserved, CancellationToken cancellationToken)
    {
        var input = new Input(parameters, Caller.Of(request.HttpContext));
        using var body = HttpMethods.IsPost(request.Method) ? await ReadBodyAsync(request, cancellationToken) : null;
        if (body is not null)
        {
            foreach (var member in body.RootElement.EnumerateObject())
            {
                input.Take(member.Name, member.Value);
            }
        }
        foreach (var (name, texts) in request.Query)
        {
            if (!reserved.Contains(name))
                input.Take(name, [.. texts.Select(text => text ?? "")]);
        }
        return input.Values();
    }

    /// <summary>Reads a JSON object's members against a template's parameters.</summary>
    /// <exception cref="ProblemException">400 with all faults together, 403 where the caller's token lacks a claim.</exception>
    public static ParameterValue?[] Read(IEnumerable<KeyValuePair<string, JsonElement>> members, IReadOnlyList<Parameter> parameters, Caller caller)
    {
        var input = new Input(parameters, caller);
        foreach (var (name, value) in members)
            input.Take(name, value);
        return input.Values();
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

    // Values as they are given, and the faults of all of them.
    private sealed class Input(IReadOnlyList<Parameter> parameters, Caller caller)
    {
        private readonly Dictionary<string, string[]> _errors = new(StringComparer.Ordinal);
        private readonly ParameterValue?[] _values = new ParameterValue?[parameters.Count];
        private readonly bool[] _given = new bool[parameters.Count];

        public void Take(string name, JsonElement value) => Take(name, i => value.ValueKind == JsonValueKind.Null
            ? Null(parameters[i])
            : parameters[i].TryRead(value, out _values[i]));

        public void Take(string name, IReadOnlyList<string> texts) => Take(name, i => parameters[i].TryRead(texts, out _values[i]));

        public ParameterValue?[] Values()
        {
            for (var i = 0; i < parameters.Count; i++)
            {
                var parameter = parameters[i];
                if (parameter.Claim is not null)
                    _values[i] = caller.Value(parameter);
                if (_given[i] || parameter.Claim is not null)
                    continue;
                _values[i] = parameter.Default;
                if (parameter is { Default: null, Optional: false })
                    _errors[parameter.Name] = [$"'{parameter.Name}' is missing; expected {parameter.Type.Expected}."];
            }
            return _errors.Count == 0 ? _values : throw new ProblemException(Problem.BadInput(_errors));
        }

        private void Take(string name, Func<int, string?> read)
        {
            var i = Template.IndexOf(parameters, name);
            var error = i < 0
                ? $"'{name}' is unknown; {(Names() is { Length: > 0 } names ? $"the parameters are {names}" : "there are no parameters")}."
                : parameters[i].Claim is not null ? $"'{name}' comes from the caller's token, and is not given."
                : _given[i] ? $"'{name}' was given twice." : read(i);
            if (i >= 0)
                _given[i] = true;
            if (error is not null)
                _errors[name] = [error];
        }

        private string Names() => string.Join(", ", parameters.Where(parameter => parameter.Claim is null).Select(parameter => parameter.Name));

        private static string? Null(Parameter parameter) =>
            parameter.Optional ? null : $"'{parameter.Name}' is null; expected {parameter.Type.Expected}.";
    }
}
