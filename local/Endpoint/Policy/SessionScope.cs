using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

/// <summary>What of the account a session sees.</summary>
/// <param name="Behaviour">The endpoint's behaviour.</param>
/// <param name="Database">The session's current database.</param>
/// <param name="User">The user name that the client gave.</param>
/// <param name="Settings">The session's settings.</param>
/// <param name="Others">With attach_mode=single the other databases of the account, which the session must not see; else null.</param>
internal sealed record SessionScope(Behaviour Behaviour, string Database, string User, SessionSettings Settings, IReadOnlyCollection<string>? Others)
{
    /// <summary>The edits that narrow a statement to what its session sees; what is asked of PostgreSQL's catalog becomes what DuckDB has of it.</summary>
    /// <exception cref="EndpointException">The statement names a database that the session does not see.</exception>
    public IReadOnlyList<TextEdit> Narrow(Examination found) => throw new NotImplementedException();
}
