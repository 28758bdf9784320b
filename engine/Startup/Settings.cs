using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Engine;

/// <summary>Reads settings by name and collects what is wrong with them, so that a start-up reports all faults together.</summary>
internal sealed class Settings(IConfiguration configuration)
{
    private readonly List<string> _faults = [];

    /// <summary>What was wrong so far: a line each, with the setting's name and what was expected.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>A setting's text; null when it is not set or empty.</summary>
    public string? Text(string name) => configuration[name] is { Length: > 0 } text ? text : null;

    /// <summary>A whole number within bounds.</summary>
    public int Integer(string name, int otherwise, int minimum, int maximum)
    {
        if (Text(name) is not { } text)
            return otherwise;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= minimum && value <= maximum)
            return value;
        Fault(name, $"expected a whole number from {minimum} to {maximum}, not '{text}'");
        return otherwise;
    }

    /// <summary>A length of time, written as a number and a unit: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>.</summary>
    public TimeSpan Duration(string name, TimeSpan otherwise, TimeSpan minimum, TimeSpan maximum)
    {
        if (Text(name) is not { } text)
            return otherwise;
        if (Engine.Duration.TryParse(text, out var value) && value >= minimum && value <= maximum)
            return value;
        Fault(name, $"expected a duration from {Engine.Duration.Write(minimum)} to {Engine.Duration.Write(maximum)}, such as 30s or 5m, not '{text}'");
        return otherwise;
    }

    /// <summary>One of a fixed set of words, in any case.</summary>
    public string Choice(string name, string otherwise, params ReadOnlySpan<string> choices)
    {
        if (Text(name) is not { } text)
            return otherwise;
        foreach (var choice in choices)
        {
            if (choice.Equals(text, StringComparison.OrdinalIgnoreCase))
                return choice;
        }
        Fault(name, $"expected one of {string.Join(", ", choices.ToArray())}, not '{text}'");
        return otherwise;
    }

    /// <summary>Adds a fault of a setting.</summary>
    public void Fault(string name, string fault) => _faults.Add($"Setting {name}: {fault}.");
}
