using System.Text.Json.Nodes;
using MdFunctions.Engine.Templates;
using Microsoft.OpenApi;

namespace MdFunctions.Engine.Docs;

/// <summary>The JSON schema of a template's parameters: for OpenAPI, and for the tools that MCP offers.</summary>
internal static class ParameterSchema
{
    /// <summary>The schema of a parameter's values, with its bounds, choices and default.</summary>
    public static OpenApiSchema Of(Parameter parameter)
    {
        var scalar = parameter.Type.Element ?? parameter.Type;
        var schema = TypeSchema.OfInput(scalar.Name);
        if (parameter.Enum is { } choices)
            schema.Enum = [.. choices.Select(choice => Value(scalar, choice))];
        if (parameter.Pattern is { } pattern)
            schema.Pattern = $"^(?:{pattern})$";
        // JSON schema's bounds are for numbers; others are told in words.
        var isNumber = schema.Type is JsonSchemaType.Integer or JsonSchemaType.Number;
        if (isNumber && parameter.Minimum is { } minimum)
            schema.Minimum = minimum;
        if (isNumber && parameter.Maximum is { } maximum)
            schema.Maximum = maximum;
        if (parameter.Type.Element is not null)
            schema = new() { Type = JsonSchemaType.Array, Items = schema, MaxItems = parameter.MaxLength };
        else
            schema.MaxLength = parameter.MaxLength;
        schema.Description = Describe(parameter, schema.Description, isNumber);
        if (parameter.Default is { } value)
            schema.Default = Default(parameter, value);
        schema.AddExtension("x-duckdb-type", new JsonNodeExtension(JsonValue.Create(parameter.Type.Name)));
        return schema;
    }

    /// <summary>The schema of a JSON object with all parameters.</summary>
    public static OpenApiSchema OfAll(IReadOnlyList<Parameter> parameters) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = parameters.ToDictionary(parameter => parameter.Name, IOpenApiSchema (parameter) => Of(parameter)),
        Required = new SortedSet<string>(parameters.Where(IsRequired).Select(parameter => parameter.Name), StringComparer.Ordinal),
        AdditionalPropertiesAllowed = false,
    };

    /// <summary>Whether a request must give a parameter.</summary>
    public static bool IsRequired(Parameter parameter) => parameter is { Optional: false, Default: null };

    private static string? Describe(Parameter parameter, string? form, bool isNumber)
    {
        List<string> words = [];
        if (parameter.Summary is { } summary)
            words.Add(summary);
        if (form is not null)
            words.Add(form);
        if (!isNumber && parameter.Minimum is { } minimum)
            words.Add($"at least {minimum}");
        if (!isNumber && parameter.Maximum is { } maximum)
            words.Add($"at most {maximum}");
        return words.Count == 0 ? null : string.Join("; ", words);
    }

    private static JsonNode? Default(Parameter parameter, ParameterValue value) => parameter.Type.Element is { } element
        ? new JsonArray([.. JsonNode.Parse(value.Text)!.AsArray().Select(item => Value(element, item!.GetValue<string>()))])
        : Value(parameter.Type, value.Text);

    // Numbers keep their digits: they are written as they stand.
    private static JsonNode Value(ParameterType type, string text) =>
        type.IsBareInJson && text is not ("NaN" or "Infinity" or "-Infinity") ? JsonNode.Parse(Canonical(type, text))! : JsonValue.Create(text);

    // What YAML may hold and JSON may not: True, 007, .5
    private static string Canonical(ParameterType type, string text)
    {
        if (type.Name == "BOOLEAN")
            return text.ToLowerInvariant();
        var sign = text.StartsWith('-') ? "-" : "";
        var digits = text.TrimStart('-', '+').TrimStart('0');
        if (digits is "" or ['.' or 'e' or 'E', ..])
            digits = "0" + digits;
        return sign + digits.TrimEnd('.').Replace(".e", "e", StringComparison.OrdinalIgnoreCase);
    }
}
