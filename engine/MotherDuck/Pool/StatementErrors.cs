using System.Reflection;
using Npgsql;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// Keeps connections whose statement was refused. MotherDuck's code for nearly every error, XX000, is PostgreSQL's for a dying server, at which Npgsql closes the
/// connection; the next caller would pay for a login, and with one caller in ten at fault the others' slowest answers take 2.6 times as long.
/// </summary>
/// <remarks>
/// Npgsql has no option for it, so its list of such codes is changed, for the process: XX001 (corrupt data) takes the place of XX. A version of Npgsql
/// that has no such list closes the connection as before, which costs time and nothing else; a test notices.
/// </remarks>
internal static class StatementErrors
{
    /// <summary>Changes Npgsql's list.</summary>
    /// <returns>False if there is none.</returns>
    public static bool KeepConnections()
    {
        if (typeof(PostgresErrorCodes).GetField("CriticalFailureCodes", BindingFlags.NonPublic | BindingFlags.Static)?.GetValue(null) is not string[] codes)
            return false;
        if (Array.IndexOf(codes, "XX") is >= 0 and var index)
            codes[index] = PostgresErrorCodes.DataCorrupted;
        return codes.Contains(PostgresErrorCodes.DataCorrupted);
    }

    /// <summary>Whether a connection is as good as before: one of DuckDB's own errors, and not one after which its database is no more.</summary>
    public static bool IsHarmless(PostgresException exception) =>
        MotherDuckError.DuckDbReason(exception.MessageText) is { } reason && reason is not ("FATAL Error" or "INTERNAL Error");
}
