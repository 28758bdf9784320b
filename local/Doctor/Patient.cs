using MdFunctions.Engine.MotherDuck;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace MdFunctions.Local.Doctor;

/// <summary>What is asked beside the endpoint itself.</summary>
internal sealed record PatientOptions
{
    /// <summary>A small CSV file that the endpoint can read: columns <c>city</c> and <c>temp_lo</c> among others.</summary>
    public required Uri Csv { get; init; }

    /// <summary>How long a connection rests before it is used again.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a probe may take beside that.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(40);
}

/// <summary>
/// An endpoint under examination: connections from the app's own pool, and a schema that is dropped at the end. Nothing is written anywhere else.
/// </summary>
internal sealed class Patient : IAsyncDisposable
{
    /// <summary>How many connections the probes need at once.</summary>
    public const int Sessions = 8;

    private static readonly TimeSpan DropLimit = TimeSpan.FromSeconds(15);

    private readonly ServiceProvider _services;
    private bool _hasSchema;

    private Patient(MotherDuckOptions motherDuck, PatientOptions options)
    {
        // As the app is set up, but for the number of connections.
        (MotherDuck, Options) = (motherDuck with { MaxPoolSize = 2, MaxWritePoolSize = Sessions + 2, WarmUp = false }, options);
        _services = new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddMotherDuck(MotherDuck).BuildServiceProvider();
    }

    /// <summary>How the endpoint is reached.</summary>
    public MotherDuckOptions MotherDuck { get; }

    /// <summary>What is asked beside it.</summary>
    public PatientOptions Options { get; }

    /// <summary>The app's two pools.</summary>
    public MotherDuckDataSources Sources => _services.GetRequiredService<MotherDuckDataSources>();

    /// <summary>The database that sessions start in.</summary>
    public string Database { get; private set; } = "";

    /// <summary>DuckDB's version.</summary>
    public string Version { get; private set; } = "";

    /// <summary>The schema that is written in.</summary>
    public string Schema { get; } = $"mdfunctions_doctor_{Guid.NewGuid():N}"[..27];

    /// <summary>The schema as SQL, with its database.</summary>
    public string QualifiedSchema => $"{Sql.Identifier(Database)}.{Schema}";

    /// <summary>Connects and makes the schema.</summary>
    /// <exception cref="LocalException">The endpoint cannot be reached, refuses the token, or lets nothing be written.</exception>
    public static async Task<Patient> StartAsync(MotherDuckOptions motherDuck, PatientOptions options, CancellationToken cancellationToken)
    {
        var patient = new Patient(motherDuck, options);
        try
        {
            await patient.Sources.Write.RunAsync(motherDuck.ConnectTimeout * 2, async (connection, stop) =>
            {
                patient.Database = await connection.ScalarAsync("SELECT current_database()", stop) ?? "";
                patient.Version = await connection.ScalarAsync("SELECT version()", stop) ?? "";
                patient._hasSchema = true;
                await connection.ScalarAsync($"CREATE SCHEMA {patient.QualifiedSchema}", stop);
            }, _ => false, cancellationToken);
            return patient;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var sentence = patient.Explain(e);
            await patient.DisposeAsync();
            throw new LocalException(sentence, e);
        }
        catch
        {
            await patient.DisposeAsync();
            throw;
        }
    }

    /// <summary>A table of the schema, as SQL.</summary>
    public string Table(string name) => $"{QualifiedSchema}.{Sql.Identifier(name)}";

    /// <summary>A connection of the app's pool for loads and ingests.</summary>
    public Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => Sources.Write.OpenAsync(cancellationToken);

    /// <summary>Asks on a connection of the app's pool.</summary>
    public async Task<string> OnAsync(Func<NpgsqlConnection, Task<string>> ask, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        return await ask(connection);
    }

    /// <summary>Asks on two connections, which nobody uses afterwards, whatever state they are in.</summary>
    public async Task<string> OnTwoAsync(Func<NpgsqlConnection, NpgsqlConnection, Task<string>> ask, CancellationToken cancellationToken)
    {
        await using var first = await OpenAsync(cancellationToken);
        await using var second = await OpenAsync(cancellationToken);
        try
        {
            return await ask(first, second);
        }
        finally
        {
            ConnectionPool.Discard(first);
            ConnectionPool.Discard(second);
        }
    }

    /// <summary>Asks on a connection that is opened otherwise than the app does it.</summary>
    /// <param name="motherDuck">How.</param>
    /// <param name="token">The token; null for the app's own.</param>
    /// <param name="ask">Asks.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string> OnOtherAsync(MotherDuckOptions motherDuck, string? token, Func<NpgsqlConnection, Task<string>> ask, CancellationToken cancellationToken)
    {
        var value = token ?? Sources.Write.Token.Current!.Value;
        var access = new AccessToken("the probe", _ => Task.FromResult(new Token(value, null, null, DateTimeOffset.UtcNow)), motherDuck, TimeProvider.System, NullLogger<AccessToken>.Instance);
        await using var source = new MotherDuckDataSource(motherDuck, access, writes: true, NullLoggerFactory.Instance);
        await using var connection = await source.OpenAsync(cancellationToken);
        return await ask(connection);
    }

    /// <summary>What went wrong, without anything that says whose endpoint it is.</summary>
    public string Redact(Exception exception)
    {
        var text = exception is PostgresException e ? $"{e.SqlState} {MotherDuckError.OneLine(e.MessageText)}" : MotherDuckError.From(exception)?.Reason ?? exception.GetType().Name;
        foreach (var guess in (string[])[" Did you mean", " Candidate ", " Possible "]) // What follows are names of the account.
        {
            if (text.IndexOf(guess, StringComparison.Ordinal) is > 0 and var at)
                text = text[..at];
        }
        foreach (var (secret, word) in ((string?, string)[])[(Sources.Write.Token.Current?.Value, "[token]"), (MotherDuck.Host, "[host]"), (Schema, "[schema]"), (Database, "[database]")])
        {
            if (secret is { Length: > 0 })
                text = text.Replace(secret, word, StringComparison.OrdinalIgnoreCase);
        }
        return text.Length <= 160 ? text : $"{text[..160]}...";
    }

    /// <summary>Why nothing can be asked, in a sentence.</summary>
    public string Explain(Exception exception)
    {
        var error = MotherDuckError.From(exception);
        return error?.Kind switch
        {
            MotherDuckErrorKind.LoginRefused when exception.InnerException is PostgresException && Sources.Write.Token is { Current: { } token } access => access.Explain(token),
            MotherDuckErrorKind.Unreachable or MotherDuckErrorKind.Timeout => $"MotherDuck cannot be reached: {error.Message.TrimEnd('.')}.",
            MotherDuckErrorKind.Rejected or MotherDuckErrorKind.SourceUnavailable => $"MotherDuck refused what the doctor begins with: {Redact(exception)}.",
            null => $"MotherDuck answers in a way that no client understands: {Redact(exception)}.",
            _ => error.Message,
        };
    }

    /// <summary>Drops the schema.</summary>
    /// <returns>Null, or what has to be done by hand.</returns>
    public async Task<string?> DropAsync()
    {
        if (!_hasSchema)
            return null;
        try
        {
            // On a connection that no probe has touched, and also when everything else was stopped.
            return await OnOtherAsync(MotherDuck, null, async connection =>
            {
                using var limit = new CancellationTokenSource(DropLimit);
                await connection.ScalarAsync($"DROP SCHEMA IF EXISTS {QualifiedSchema} CASCADE", limit.Token);
                _hasSchema = false;
                return null!;
            }, new CancellationTokenSource(DropLimit).Token);
        }
        catch (Exception e)
        {
            return $"The schema {Schema} could not be dropped ({Redact(e)}). Drop it by hand: DROP SCHEMA {Schema} CASCADE";
        }
    }

    /// <summary>Closes the connections; the schema goes too, if <see cref="DropAsync"/> was not called.</summary>
    public async ValueTask DisposeAsync()
    {
        await DropAsync();
        await _services.DisposeAsync();
    }
}
