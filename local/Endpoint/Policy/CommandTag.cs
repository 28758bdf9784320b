using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

internal static class CommandTag
{
    public static string Of(Token[] tokens) => throw new NotImplementedException();
}
