using MdFunctions.Endpoint.Connections;
using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Values;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>What all sessions of an endpoint share.</summary>
internal sealed record SharedServices(
    LocalEndpointOptions Options, AccountDatabases Databases, RemoteFiles Remote, TimeZones Zones, AccessTokens Tokens, Action<string> Log)
{
    public Behaviour Behaviour => Options.Behaviour;

    public SchemaChanges Changes { get; } = new();

    /// <summary>Whether ReadyForQuery tells a session's true transaction status.</summary>
    public bool IsTruthful => Options.ReadyStatus switch
    {
        ReadyStatus.Truthful => true,
        ReadyStatus.Idle => false,
        _ => Behaviour == Behaviour.Documented,
    };
}
