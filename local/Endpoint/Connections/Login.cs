using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Sessions;
using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Connections;

/// <summary>What a client has said and shown before its session begins.</summary>
/// <param name="User">The user name; any will do.</param>
/// <param name="Database">The database, as it is spelled.</param>
/// <param name="IsReadOnly">Whether its token allows reading only.</param>
/// <param name="Options">Its options.</param>
/// <param name="Settings">The settings that it begins with.</param>
internal sealed record LoginResult(string User, string Database, bool IsReadOnly, StartupOptions Options, SessionSettings Settings);

/// <summary>The first messages of a connection: the start-up parameters, then the password, which is the token.</summary>
internal sealed partial class Login(SharedServices services)
{
    private const int CleartextPassword = 3;

    /// <summary>Carries it out.</summary>
    /// <returns>Who has logged in, or null where the client has left or only wanted to cancel.</returns>
    /// <exception cref="EndpointException">The login is refused.</exception>
    public LoginResult? Run(ClientStream client, Negotiation negotiation)
    {
        if (!client.Next(true, out _, out var startup))
            return null;
        var fields = new Fields(startup.Span);
        var version = fields.Int32();
        if (version == Messages.CancelRequest)
        {
            negotiation.Cancel(startup.Span[4..]);
            return null;
        }
        if (version >> 16 != 3)
        {
            throw EndpointException.Fatal(
                $"unsupported frontend protocol {version >>> 16}.{version & 0xffff}: this endpoint supports 3.0", SqlState.NotSupported);
        }
        var parameters = ReadParameters(ref fields);
        Ask(client, parameters, isNewer: (version & 0xffff) > 0);
        if (!client.Next(false, out var type, out var password))
            return null;
        if (type != 'p')
            throw EndpointException.Fatal($"expected the password, got a message of type '{type}'", SqlState.ProtocolViolation);
        var access = services.Tokens.Check(new Fields(password.Span).CString());
        return Admit(parameters, access);
    }

    private static void Ask(ClientStream client, Dictionary<string, string> parameters, bool isNewer)
    {
        var output = new Output();
        var unknown = parameters.Keys.Where(name => name.StartsWith("_pq_.", StringComparison.Ordinal)).ToList();
        if (isNewer || unknown.Count > 0)
            Messages.NegotiateVersion(output, unknown);
        Messages.Authentication(output, CleartextPassword);
        client.Write(output.Written);
    }

    private LoginResult Admit(Dictionary<string, string> parameters, Access access)
    {
        var user = parameters.GetValueOrDefault("user", "");
        if (parameters.TryGetValue("replication", out var replication) && !IsFalse().IsMatch(replication))
            throw EndpointException.Fatal("replication is not supported", SqlState.NotSupported);
        var options = StartupOptions.Parse(parameters.GetValueOrDefault("options", ""));
        var wanted = parameters.GetValueOrDefault("database", user);
        if (wanted.StartsWith("md:", StringComparison.OrdinalIgnoreCase))
        {
            var parts = wanted[3..].Split('?', 2);
            wanted = parts[0] == "" ? AccountDatabases.Default : parts[0];
            options = options.WithDatabaseQuery(parts.ElementAtOrDefault(1) ?? "");
        }
        var database = services.Databases.Find(wanted)
            ?? throw EndpointException.Fatal(
                $"Catalog Error: database \"{wanted}\" does not exist. Use md: for the default database", SqlState.UnknownDatabase);
        var startup = new Dictionary<string, string>(parameters, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in options.Settings)
            startup[name] = value;
        return new LoginResult(user, database, access == Access.ReadOnly, options, new SessionSettings(services.Behaviour, user, startup));
    }

    private static Dictionary<string, string> ReadParameters(ref Fields fields)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        while (fields.CString() is { Length: > 0 } name)
            parameters[name] = fields.CString();
        return parameters;
    }

    [GeneratedRegex("^(false|off|no|0)$", RegexOptions.IgnoreCase)]
    private static partial Regex IsFalse();
}
