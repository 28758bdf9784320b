namespace MdFunctions.Engine.Loads;

/// <summary>A column of a table or a result.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, as DuckDB writes it.</param>
internal sealed record Column(string Name, string Type)
{
    /// <summary>Whether rows that do not name it get a value all the same.</summary>
    public bool HasDefault { get; init; }

    /// <summary>Whether it has a name; upper and lower case are the same, as for DuckDB.</summary>
    public bool Is(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}
