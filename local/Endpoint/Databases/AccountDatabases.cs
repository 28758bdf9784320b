namespace MdFunctions.Endpoint.Databases;

/// <summary>The account's databases on one DuckDB instance.</summary>
internal sealed class AccountDatabases : IDisposable
{
    public const string Default = "my_db";
    public const string Samples = "sample_data";

    /// <summary>Opens them.</summary>
    /// <param name="dataDirectory">Where they are kept, or null for memory.</param>
    /// <param name="workDirectory">A folder of this endpoint's own, which goes when it ends.</param>
    public static AccountDatabases Open(string? dataDirectory, string workDirectory) => throw new NotImplementedException();

    /// <summary>Where remote files are cached: the only folder that statements can read.</summary>
    public string CacheDirectory => throw new NotImplementedException();

    /// <summary>The databases of the account, as SHOW DATABASES lists them.</summary>
    public IReadOnlyList<string> List() => throw new NotImplementedException();

    /// <summary>The name as it is spelled, or null: names are compared without case, as DuckDB does.</summary>
    public string? Find(string name) => throw new NotImplementedException();

    /// <summary>Carries out a statement about a whole database for a session that is in <paramref name="current"/>.</summary>
    public void Run(DatabaseAction action, string current) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
