using DuckDB.NET.Native;

namespace MdFunctions.Endpoint.Native;

/// <summary>One DuckDB instance.</summary>
internal sealed class Engine : IDisposable
{
    private readonly DuckDBDatabase _database;

    private Engine(DuckDBDatabase database) => _database = database;

    /// <summary>Opens a database file, or <c>:memory:</c>, with DuckDB's settings by name.</summary>
    /// <exception cref="EndpointException">DuckDB's own words where it cannot.</exception>
    public static Engine Open(string path, params ReadOnlySpan<(string Name, string Value)> settings)
    {
        NativeMethods.Configuration.DuckDBCreateConfig(out var config);
        using (config)
        {
            foreach (var (name, value) in settings)
            {
                if (NativeMethods.Configuration.DuckDBSetConfig(config, name, value) != DuckDBState.Success)
                    throw EndpointException.FromEngine($"Invalid Input Error: DuckDB does not take the setting {name} = {value}");
            }
            if (NativeMethods.Startup.DuckDBOpen(path, out var database, config, out var error) != DuckDBState.Success)
                throw EndpointException.FromEngine(error);
            return new Engine(database);
        }
    }

    /// <summary>A connection of its own: to be used by one thread at a time.</summary>
    /// <exception cref="EndpointException">DuckDB cannot.</exception>
    public Connection Connect()
        => NativeMethods.Startup.DuckDBConnect(_database, out var connection) == DuckDBState.Success
            ? new Connection(connection)
            : throw EndpointException.FromEngine("Connection Error: DuckDB does not take another connection");

    /// <summary>Works on what its statements have to do, if there is anything within some milliseconds; any thread may.</summary>
    public void Work() => MissingNativeMethods.ExecuteTasks(_database, 1);

    /// <summary>Closes the instance; its files are closed once the last connection is.</summary>
    public void Dispose() => _database.Dispose();
}
