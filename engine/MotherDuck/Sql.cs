namespace MdFunctions.Engine.MotherDuck;

/// <summary>Names and texts as DuckDB SQL writes them.</summary>
internal static class Sql
{
    /// <summary>An identifier, quoted.</summary>
    public static string Identifier(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A string literal: quotes are doubled, and no backslash means anything.</summary>
    public static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
