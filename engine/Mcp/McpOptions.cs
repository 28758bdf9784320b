namespace MdFunctions.Engine.Mcp;

/// <summary>What the Model Context Protocol's tools may do.</summary>
/// <param name="MaxRows">The most rows of a tool's answer. Default 100; a model reads them all.</param>
internal sealed record McpOptions(int MaxRows = 100)
{
    /// <summary>Reads the settings <c>Mcp:…</c>.</summary>
    public static McpOptions Read(Settings settings) => new(settings.Integer("Mcp:MaxRows", 100, 1, 10_000));
}
