using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using MdFunctions.Engine.MotherDuck;
using Npgsql;
using static MdFunctions.Local.Doctor.Asking;

namespace MdFunctions.Local.Doctor.Probes;

/// <summary>From the first byte to a session.</summary>
internal static class ConnectionProbes
{
    private const string NoTls = "no TLS";
    private const string Known = "refused, and known as such";
    private const string NoDatabase = "mdfunctions_no_such_database";

    // How long a connection without TLS gets an answer: the live endpoint was said to give none.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The probes.</summary>
    public static IReadOnlyList<Probe> All { get; } =
    [
        new("tls", "The endpoint speaks TLS when it is asked to.", FactSource.Page,
            "Asks for TLS on every connection and checks the certificate (`verify-full`).",
            "Nothing connects, and no token is sent. Check MotherDuck:Region and MotherDuck:Host.",
            Severity.Fails, ["TLS"],
            async (patient, stop) => await BeginAsync(patient, SslRequest(), stop) switch { 'S' => "TLS", 'N' => NoTls, var other => $"'{other}'" }),
        new("without-tls", "A connection without TLS is not served.", FactSource.Page,
            "Sends nothing on such a connection.",
            "Other clients of yours may send their token unprotected. The app does not.",
            Severity.Copes, [Refused, "no answer"],
            async (patient, stop) => await BeginAsync(patient, StartupWithoutTls(), stop) switch { 'E' or '\0' => Refused, '-' => "no answer", 'R' => Taken, var other => $"'{other}'" }),
        new("user", "Any user name will do.", FactSource.Page,
            "Logs in as `postgres`.",
            "Nothing to set: the app's own user name is taken.",
            Severity.Copes, [Taken], AskWithUserAsync),
        new("database-md", "`md:` is the account's default database.", FactSource.Page,
            "`MotherDuck:Database` is `md:` unless it is set.",
            "Set MotherDuck:Database to the name of a database.",
            Severity.Fails, ["a database"],
            (patient, stop) => patient.OnOtherAsync(patient.MotherDuck with { Database = "md:" }, null,
                async connection => await connection.ScalarAsync("SELECT current_database() AS md", stop) is { Length: > 0 } ? "a database" : "no database", stop)),
        new("database-name", "The name of a database is taken in place of `md:`.", FactSource.Page,
            "`MotherDuck:Database` takes a name.",
            "Leave MotherDuck:Database at md: and write the database's name in SQL.",
            Severity.Copes, ["that database"],
            (patient, stop) => patient.OnOtherAsync(patient.MotherDuck with { Database = patient.Database }, null,
                async connection => await connection.ScalarAsync("SELECT current_database() AS named", stop) == patient.Database ? "that database" : "another database", stop)),
        new("database-unknown", "A database that is not there is refused at the login.", FactSource.Guess,
            "Says that MotherDuck refused the login's database.",
            "A misspelt MotherDuck:Database shows as missing tables.",
            Severity.Copes, [Refused], async (patient, stop) =>
            {
                try
                {
                    return await patient.OnOtherAsync(patient.MotherDuck with { Database = NoDatabase }, null, _ => Task.FromResult(Taken), stop);
                }
                catch (PostgresException)
                {
                    return Refused;
                }
            }),
        new("session-name", "`options` takes `--session_name`; with a read-scaling token it picks the replica.", FactSource.Page,
            "Names each instance's session after it (`MotherDuck:SessionName`).",
            "Nothing connects.",
            Severity.Fails, [Taken],
            (patient, stop) => patient.OnOtherAsync(patient.MotherDuck with { SessionName = "mdfunctions-doctor" }, null,
                async connection => await connection.GoesOnAsync(stop) ? Taken : Refused, stop)),
        new("attach-mode", "`options` takes `--attach_mode=single`.", FactSource.Page,
            "Sends it where `MotherDuck:AttachMode` is set.",
            "Leave MotherDuck:AttachMode unset.",
            Severity.Copes, [Taken],
            (patient, stop) => patient.OnOtherAsync(patient.MotherDuck with { AttachMode = "single" }, null,
                async connection => await connection.GoesOnAsync(stop) ? Taken : Refused, stop)),
        new("token-refused", "A wrong token is refused with `28P01`, or in words about the token.", FactSource.Guess,
            "Reads the token again from Key Vault, tries once more, and answers 503.",
            "After a rotation the app takes MotherDuck:TokenRefreshInterval to find the new token: set it to some minutes.",
            Severity.Copes, [Known], async (patient, stop) =>
            {
                try
                {
                    return await patient.OnOtherAsync(patient.MotherDuck, "mdfunctions-doctor-no-token", _ => Task.FromResult(Taken), stop);
                }
                catch (Exception e) when (MotherDuckError.From(e) is { } error)
                {
                    return error.Kind == MotherDuckErrorKind.LoginRefused ? Known : $"refused: {patient.Redact(e)}";
                }
            }),
        new("read-token", "A session of a read token cannot write.", FactSource.Page,
            "Queries use it where one is set, so that a query cannot change anything.",
            "A query that writes does write. Use a read-scaling token as MOTHERDUCK_READ_TOKEN.",
            Severity.Copes, [Refused], async (patient, stop) =>
            {
                var options = patient.MotherDuck;
                if ((options.KeyVaultUri is null ? options.ReadToken : options.ReadTokenSecret) is null)
                    throw new NotAskedException("no read token is set");
                await using var connection = await patient.Sources.Read.OpenAsync(stop);
                return await connection.RefusalAsync($"CREATE TABLE {patient.Table("read_token")} (n INTEGER)", stop);
            }),
    ];

    private static async Task<string> AskWithUserAsync(Patient patient, CancellationToken stop)
    {
        var settings = new NpgsqlConnectionStringBuilder(patient.MotherDuck.ToConnectionString()) { Username = "anybody_at_all", Pooling = false, Password = patient.Sources.Write.Token.Current!.Value };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        if (patient.MotherDuck.VerifyCertificate)
            builder.UseSslClientAuthenticationOptionsCallback(new CertificateCheck(patient.MotherDuck.Host, patient.MotherDuck.RootCertificates).Configure);
        await using var source = builder.Build();
        try
        {
            await using var connection = await source.OpenConnectionAsync(stop);
            return Taken;
        }
        catch (PostgresException)
        {
            return Refused;
        }
    }

    // The type of the first message; '-' for none, and NUL for a connection that was closed.
    private static async Task<char> BeginAsync(Patient patient, byte[] first, CancellationToken stop)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(patient.MotherDuck.Host, patient.MotherDuck.Port, stop);
        await socket.SendAsync(first, stop);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        var answer = new byte[1];
        try
        {
            return await socket.ReceiveAsync(answer, limit.Token) == 0 ? '\0' : (char)answer[0];
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return '-';
        }
        catch (SocketException)
        {
            return '\0';
        }
    }

    private static byte[] SslRequest() => [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

    private static byte[] StartupWithoutTls()
    {
        byte[] message = [0, 0, 0, 0, 0, 3, 0, 0, .. Encoding.ASCII.GetBytes("user\0postgres\0database\0md:\0\0")];
        BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
        return message;
    }
}
