namespace MdFunctions.Engine;

/// <summary>The app cannot start because its settings or SQL files are wrong. The message lists every fault at once, a line each.</summary>
public sealed class StartupException(IReadOnlyCollection<string> faults)
    : Exception($"The app cannot start; {faults.Count} {(faults.Count == 1 ? "thing is" : "things are")} wrong:\n  {string.Join("\n  ", faults)}")
{
    /// <summary>Each fault with the setting, or the file and line, that has it.</summary>
    public IReadOnlyCollection<string> Faults { get; } = faults;

    /// <summary>All of them in one line: <c>The app cannot start: A | B</c>.</summary>
    public string Line => $"The app cannot start: {string.Join(" | ", Faults.Select(fault => fault.ReplaceLineEndings(" ")))}";
}
