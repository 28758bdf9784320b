using System.Globalization;
using MdFunctions.Endpoint.Native;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Databases;

/// <summary>
/// The account's databases on one DuckDB instance: my_db, the default, the share sample_data, and those that CREATE DATABASE adds.
/// With a data folder they are files that stay; without one all but the share live in memory.
/// </summary>
/// <remarks>
/// DuckDB itself keeps statements away from local files: external access is off but for the endpoint's own folders (its databases, and
/// the cache of remote files), and the configuration is locked but for the session's time zone. That the endpoint's own folders are not
/// read by name, the policy sees to.
/// </remarks>
internal sealed class AccountDatabases : IDisposable
{
    public const string Default = "my_db";
    public const string Samples = "sample_data";

    private readonly Lock _gate = new();
    private readonly string? _directory;
    private readonly Engine _engine;
    private readonly Connection _admin;
    private readonly SpareThreads _spare;

    private AccountDatabases(string? dataDirectory, string workDirectory)
    {
        _directory = dataDirectory is null ? null : Folder(dataDirectory, "databases");
        CacheDirectory = Folder(workDirectory, "cache");
        var sampleFile = SampleData.File(Folder(dataDirectory ?? workDirectory, "samples"));
        _engine = Engine.Open(
            ":memory:",
            ("autoinstall_known_extensions", "false"),
            ("autoload_known_extensions", "false"),
            // See SpareThreads.
            ("threads", SpareThreads.PerStatement.ToString(CultureInfo.InvariantCulture)),
            ("external_threads", SpareThreads.PerStatement.ToString(CultureInfo.InvariantCulture)),
            // A plan would hold what the data was like when it was made: run again after other rows have come, it finds too few or wrong ones.
            ("disabled_optimizers", "statistics_propagation"),
            ("temp_directory", Folder(workDirectory, "spill")));
        _spare = new SpareThreads(_engine);
        _admin = _engine.Connect();
        Prepare(sampleFile);
    }

    /// <summary>Opens them.</summary>
    /// <param name="dataDirectory">Where they are kept, or null for memory.</param>
    /// <param name="workDirectory">A folder of this endpoint's own, which goes when it ends.</param>
    /// <exception cref="EndpointException">DuckDB cannot open a file: another endpoint may have it.</exception>
    public static AccountDatabases Open(string? dataDirectory, string workDirectory) => new(dataDirectory, workDirectory);

    /// <summary>Where remote files are cached: with the databases the only folder that DuckDB can read.</summary>
    public string CacheDirectory { get; }

    private static string Folder(string parent, string name)
    {
        var folder = Path.Combine(parent, name);
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    private void Prepare(string sampleFile)
    {
        _admin.Run("SET GLOBAL TimeZone = 'UTC'");
        foreach (var name in Existing()) Attach(name);
        _admin.Run($"ATTACH {SqlText.Literal(sampleFile)} AS {Samples} (READ_ONLY)");
        _admin.Run($"USE {Default}");
        _admin.Run("DETACH memory");
        var allowed = new[] { CacheDirectory, _directory }.OfType<string>().Select(folder => SqlText.Literal(folder + Path.DirectorySeparatorChar));
        _admin.Run($"SET allowed_directories = [{string.Join(", ", allowed)}]");
        _admin.Run("SET allowed_configs = ['TimeZone']");
        _admin.Run("SET enable_external_access = false");
        _admin.Run("SET lock_configuration = true");
    }

    private IEnumerable<string> Existing()
    {
        var kept = _directory is null ? [] : Directory.EnumerateFiles(_directory, "*.duckdb").Select(file => Uri.UnescapeDataString(Path.GetFileNameWithoutExtension(file)));
        return kept.Prepend(Default).Distinct().ToList();
    }

    private string FileOf(string name) => Path.Combine(_directory!, $"{Uri.EscapeDataString(name)}.duckdb");

    private void Attach(string name) => _admin.Run($"ATTACH {(_directory is null ? "':memory:'" : SqlText.Literal(FileOf(name)))} AS {SqlText.Identifier(name)}");

    /// <summary>The databases of the account, as SHOW DATABASES lists them.</summary>
    public IReadOnlyList<string> List()
    {
        lock (_gate) return [.. _admin.Rows("SELECT database_name FROM duckdb_databases() WHERE NOT internal ORDER BY 1").Select(row => row[0]!)];
    }

    /// <summary>The name as it is spelled, or null: names are compared without case, as DuckDB does.</summary>
    public string? Find(string name) => List().FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>A connection for a session, in its database.</summary>
    public Connection Connect(string database)
    {
        var connection = _engine.Connect();
        connection.Run($"USE {SqlText.Identifier(database)}");
        return connection;
    }

    /// <summary>Whether there are statements that have been running for a while, and get more threads.</summary>
    public void Help(bool isNeeded) => _spare.Help(isNeeded);

    /// <summary>Carries out a statement about a whole database for a session that is in <paramref name="current"/>.</summary>
    /// <exception cref="EndpointException">There is no such database, or there is one already, or it cannot be dropped.</exception>
    public void Run(DatabaseAction action, string current)
    {
        lock (_gate)
        {
            switch (action.Verb)
            {
                case DatabaseVerb.Create:
                    Create(action, current);
                    break;
                case DatabaseVerb.Drop:
                    if (Find(action.Name) is { } known) Drop(known, current);
                    else if (!action.IfExists) throw Missing(action.Name);
                    break;
                case DatabaseVerb.Attach when action.Name != "" && Find(action.Name) is null:
                    throw Missing(action.Name);
            }
        }
    }

    private static EndpointException Missing(string name) => new($"Catalog Error: Database \"{name}\" does not exist");

    private void Create(DatabaseAction action, string current)
    {
        var name = action.Name;
        if (name.ToLowerInvariant() is "" or "system" or "temp" or "memory" or Samples || name.Length > 200)
            throw new EndpointException($"Catalog Error: a database cannot have the name \"{name}\"");
        var source = action.Source is null ? null : Find(action.Source) ?? throw Missing(action.Source);
        if (Find(name) is { } known)
        {
            if (action.IfNotExists) return;
            if (!action.OrReplace) throw new EndpointException($"Catalog Error: Failed to create database \"{name}\": a database with this name already exists");
            if (known == source) throw new EndpointException($"Catalog Error: Database \"{name}\" cannot be replaced by a copy of itself");
            Drop(known, current);
        }
        Attach(name);
        if (source is not null) _admin.Run($"COPY FROM DATABASE {SqlText.Identifier(source)} TO {SqlText.Identifier(name)}");
    }

    private void Drop(string known, string current)
    {
        if (known.Equals(current, StringComparison.OrdinalIgnoreCase))
            throw new EndpointException($"Binder Error: Cannot drop database \"{known}\" because it is the session's current database. Connect to another or USE another first");
        if (known == Samples) throw new EndpointException($"Permission Error: \"{known}\" is a share and cannot be dropped");
        if (known == Default)
            throw new EndpointException($"Permission Error: \"{known}\" is the account's default database and cannot be dropped in the local endpoint");
        _admin.Run($"DETACH {SqlText.Identifier(known)}");
        if (_directory is null) return;
        File.Delete(FileOf(known));
        File.Delete($"{FileOf(known)}.wal");
    }

    /// <summary>Closes DuckDB; what is in files is complete then.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var name in _directory is null ? [] : List().Where(name => name != Samples)) Checkpoint(name);
            _admin.Dispose();
            _spare.Dispose();
            _engine.Dispose();
        }
    }

    private void Checkpoint(string name)
    {
        try
        {
            _admin.Run($"CHECKPOINT {SqlText.Identifier(name)}");
        }
        catch (EndpointException)
        {
            // A transaction may still be open. What it has not committed is lost, as it should be; the rest is in the write-ahead log.
        }
    }
}
