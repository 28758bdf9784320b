namespace MdFunctions.Endpoint.Databases;

internal enum DatabaseVerb { Create, Drop, Attach }

/// <summary>A statement about a whole database.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Name">The database; empty for <c>ATTACH 'md:'</c>.</param>
internal sealed record DatabaseAction(DatabaseVerb Verb, string Name)
{
    public bool IfExists { get; init; }

    public bool IfNotExists { get; init; }

    public bool OrReplace { get; init; }

    /// <summary>The database to copy from, or null.</summary>
    public string? Source { get; init; }
}
