using System.Text.Json;
using System.Text.RegularExpressions;

namespace MdFunctions.Engine.Templates;

/// <summary>A parameter of a template: its type and what its values must satisfy.</summary>
internal sealed partial class Parameter
{
    private Regex? _pattern;
    private ParameterValue? _minimum;
    private ParameterValue? _maximum;

    private Parameter(string name, ParameterType type) => (Name, Type) = (name, type);

    /// <summary>The name, without the <c>$</c>.</summary>
    public string Name { get; }

    /// <summary>The DuckDB type.</summary>
    public ParameterType Type { get; }

    /// <summary>What it is for, shown in the catalog.</summary>
    public string? Summary { get; private init; }

    /// <summary>The value when a request has none; null if there is no default.</summary>
    public ParameterValue? Default { get; private set; }

    /// <summary>Whether a request may leave it out without a default; it is NULL then.</summary>
    public bool Optional { get; private init; }

    /// <summary>The values it can have, as written; null for any.</summary>
    public IReadOnlyList<string>? Enum { get; private set; }

    /// <summary>The smallest value, as written; null for none.</summary>
    public string? Minimum { get; private init; }

    /// <summary>The largest value, as written; null for none.</summary>
    public string? Maximum { get; private init; }

    /// <summary>A .NET regular expression that the whole text must match; null for none.</summary>
    public string? Pattern { get; private init; }

    /// <summary>The most characters (of a list: the most elements); null for no limit.</summary>
    public int? MaxLength { get; private init; }

    /// <summary>The claim of the caller's token that is its value; null where the request gives it.</summary>
    public string? Claim { get; private init; }

    /// <summary>Reads a declaration from front matter; faults go to the file.</summary>
    public static Parameter? Read(string name, FrontMatter declarations, Settings settings)
    {
        if (!ParameterName().IsMatch(name))
        {
            declarations.Fault(name, $"'{name}' cannot be a parameter's name; letters, digits and _ can, and a digit not first");
            return null;
        }
        if (declarations.Map(name) is not { } declared)
            return null;
        var typeName = declared.Text("type") ?? "";
        if (ParameterType.Parse(typeName) is not { } type)
        {
            declared.Fault("type", $"parameter '{name}' has type '{typeName}'; expected a DuckDB scalar type such as varchar, integer, decimal(18,2), date or timestamp, or a list of one, varchar[]");
            return null;
        }
        var parameter = new Parameter(name, type)
        {
            Summary = declared.Text("summary"),
            // 'default: null' says the same in other words.
            Optional = declared.Boolean("optional") || declared.IsNull("default"),
            Minimum = declared.Text("minimum"),
            Maximum = declared.Text("maximum"),
            Pattern = declared.Text("pattern"),
            MaxLength = (int?)declared.Integer("maxLength", 0, int.MaxValue),
            Enum = declared.List("enum"),
            Claim = declared.Text("claim"),
        };
        parameter.ReadConstraints(declared);
        parameter.ReadDefault(declared, settings);
        parameter.CheckClaim(declared, settings);
        declared.RejectUnknown($"parameter '{name}'");
        return parameter;
    }

    /// <summary>Reads and checks a value given as text; of a list, its elements.</summary>
    /// <param name="texts">One text for a scalar, any number for a list.</param>
    /// <param name="value">The checked value.</param>
    /// <returns>What is wrong, naming the parameter; null if nothing is.</returns>
    public string? TryRead(IReadOnlyList<string> texts, out ParameterValue? value)
    {
        value = null;
        if (Type.Element is { } element)
        {
            if (texts.Count > MaxLength)
                return $"'{Name}' has {texts.Count} elements; at most {MaxLength} are allowed.";
            var items = new List<string>(texts.Count);
            foreach (var text in texts)
            {
                if (element.Read(text) is not { } item)
                    return $"'{Name}' has an element, number {items.Count + 1}, that is not {element.Expected}.";
                if (Check(text, item) is { } fault)
                    return $"'{Name}', element {items.Count + 1}: {fault}";
                items.Add(item.Text);
            }
            value = new(JsonSerializer.Serialize(items));
            return null;
        }
        if (texts.Count != 1)
            return $"'{Name}' was given {texts.Count} times; expected one value.";
        if (Type.Read(texts[0]) is not { } scalar)
            return $"'{Name}' is not {Type.Expected}.";
        if (texts[0].Length > MaxLength)
            return $"'{Name}' has {texts[0].Length} characters; at most {MaxLength} are allowed.";
        if (Check(texts[0], scalar) is { } wrong)
            return $"'{Name}' {wrong}";
        value = scalar;
        return null;
    }

    /// <summary>Reads and checks a JSON value, its numbers digit by digit.</summary>
    /// <inheritdoc cref="TryRead(IReadOnlyList{string}, out ParameterValue?)"/>
    public string? TryRead(JsonElement json, out ParameterValue? value)
    {
        value = null;
        if (Type.Element is not { } element)
            return Text(json, Type) is { } text ? TryRead([text], out value) : $"'{Name}' is not {Type.Expected}.";
        if (json.ValueKind != JsonValueKind.Array)
            return $"'{Name}' is not a JSON array.";
        var texts = new List<string>(json.GetArrayLength());
        foreach (var item in json.EnumerateArray())
        {
            if (Text(item, element) is not { } itemText)
                return $"'{Name}' has an element, number {texts.Count + 1}, that is not {element.Expected}.";
            texts.Add(itemText);
        }
        return TryRead(texts, out value);
    }

    // Numbers may come as JSON strings: JavaScript cannot write all of their digits otherwise.
    private static string? Text(JsonElement json, ParameterType type) => json.ValueKind switch
    {
        _ when type.Name == "JSON" => json.GetRawText(),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False when type.IsBareInJson => json.GetRawText(),
        _ => null,
    };

    private string? Check(string text, ParameterValue value)
    {
        if (Enum is not null && !Enum.Contains(text, StringComparer.Ordinal))
            return $"is not one of {string.Join(", ", Enum)}.";
        // NaN compares below every number, so it is outside whatever bound there is.
        var isNaN = value.Order is double.NaN;
        if (_minimum is not null && (isNaN || value.Order!.CompareTo(_minimum.Order) < 0))
            return $"is below the minimum, {Minimum}.";
        if (_maximum is not null && (isNaN || value.Order!.CompareTo(_maximum.Order) > 0))
            return $"is above the maximum, {Maximum}.";
        return _pattern is not null && !_pattern.IsMatch(text) ? $"does not match the pattern {Pattern}." : null;
    }

    private void ReadConstraints(FrontMatter declared)
    {
        var scalar = Type.Element ?? Type;
        _minimum = Bound("minimum", Minimum);
        _maximum = Bound("maximum", Maximum);
        if (_minimum?.Order is { } minimum && _maximum?.Order is { } maximum && minimum.CompareTo(maximum) > 0)
            declared.Fault("minimum", $"parameter '{Name}': the minimum {Minimum} is above the maximum {Maximum}");
        foreach (var word in Enum?.Where(word => scalar.Read(word) is null) ?? [])
            declared.Fault("enum", $"parameter '{Name}': '{word}' in its enum is not {scalar.Expected}");
        if (Enum is { Count: 0 })
            declared.Fault("enum", $"parameter '{Name}': its enum is empty");
        if (Pattern is not null)
        {
            try
            {
                // Callers choose the text: an engine without backtracking leaves them nothing to blow up.
                _pattern = new Regex($"^(?:{Pattern})\\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            }
            catch (Exception e) when (e is ArgumentException or NotSupportedException)
            {
                declared.Fault("pattern", $"parameter '{Name}': its pattern is not a regular expression that can be run safely: {e.Message}");
            }
        }

        ParameterValue? Bound(string key, string? text)
        {
            if (text is null)
                return null;
            if (scalar.Read(text) is { Order: not null } bound)
                return bound;
            declared.Fault(key, $"parameter '{Name}': its {key} '{text}' is not {scalar.Expected}, or {scalar.Name} has no order");
            return null;
        }
    }

    // A value that a token lacks must not become another one.
    private void CheckClaim(FrontMatter declared, Settings settings)
    {
        if (Claim is null && !declared.IsNull("claim"))
            return;
        if (string.IsNullOrWhiteSpace(Claim))
            declared.Fault("claim", $"parameter '{Name}': its claim has no name");
        if (Optional || Default is not null)
            declared.Fault("claim", $"parameter '{Name}': its value is a claim of the caller's token, so it has no default and is not optional");
        if (settings.Text("Auth:Authority") is null)
            declared.Fault("claim", $"parameter '{Name}': its claim needs the setting Auth:Authority, which is not set: without it callers have no tokens");
    }

    private void ReadDefault(FrontMatter declared, Settings settings)
    {
        if (declared.List("default") is not { } texts)
            return;
        texts = [.. texts.Select(text => declared.Resolve("default", $"parameter '{Name}': its default", text, settings))];
        if (TryRead(texts, out var value) is { } fault)
            declared.Fault("default", $"parameter '{Name}': its default is wrong: {fault}");
        Default = value;
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$")]
    private static partial Regex ParameterName();
}
