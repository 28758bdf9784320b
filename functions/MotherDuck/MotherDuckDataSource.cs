using Microsoft.Extensions.Logging;
using Npgsql;

namespace MdFunctions.MotherDuck;

/// <summary>
/// The process's one pool of connections to MotherDuck. Inject it, open a connection, dispose it soon.
/// </summary>
public sealed class MotherDuckDataSource : IAsyncDisposable
{
    private readonly NpgsqlDataSource _dataSource;

    /// <summary>Sets the pool up; nothing connects before the first <see cref="OpenAsync"/>.</summary>
    public MotherDuckDataSource(MotherDuckOptions options, AccessToken token, ILoggerFactory loggerFactory)
    {
        var builder = new NpgsqlDataSourceBuilder(options.ToConnectionString());
        builder.UseLoggerFactory(loggerFactory);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false)); // There is no pg_catalog to load them from.
        builder.UsePasswordProvider(
            _ => throw new NotSupportedException("Connections are opened asynchronously."),
            (_, cancellationToken) => token.GetAsync(cancellationToken));
        _dataSource = builder.Build();
    }

    /// <summary>Takes a connection from the pool, or opens one; waits while all are in use.</summary>
    /// <exception cref="NpgsqlException">MotherDuck cannot be reached or refuses the login, or no connection came free in time.</exception>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => _dataSource.OpenConnectionAsync(cancellationToken);

    /// <summary>Closes all connections.</summary>
    public ValueTask DisposeAsync() => _dataSource.DisposeAsync();
}
