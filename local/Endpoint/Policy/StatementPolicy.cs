using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

internal static class StatementPolicy
{
    /// <summary>Looks at one statement, and says what it is.</summary>
    /// <exception cref="EndpointException">It is refused.</exception>
    public static Examination Examine(SqlStatement statement, Behaviour behaviour) => throw new NotImplementedException();
}
