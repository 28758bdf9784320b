using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Wire;

namespace MdFunctions.Endpoint.Sessions;

/// <summary>Statements that DuckDB never sees: about whole databases, and PostgreSQL's settings.</summary>
internal static class OwnStatements
{
    /// <summary>Carries it out; tells whether it was one.</summary>
    /// <exception cref="EndpointException">It fails.</exception>
    public static bool Run(Session session, PreparedStatement prepared)
    {
        if (prepared.Found.Database is { } action)
            session.Services.Databases.Run(action, session.Database);
        else if (prepared.Found.Setting is { } setting)
            Apply(session, setting, prepared);
        else
            return false;
        session.Transaction.ChangeSchema();
        return true;
    }

    private static void Apply(Session session, SettingAction setting, PreparedStatement prepared)
    {
        foreach (var (name, value) in session.Settings.Apply(setting))
            Messages.ParameterStatus(session.Output, name, value);
        if (setting.Verb is SettingVerb.ResetAll or SettingVerb.DiscardAll)
            session.ResetTimeZone();
        if (setting.Verb is SettingVerb.Deallocate or SettingVerb.DiscardAll)
            session.Deallocate(setting.Name, prepared);
    }
}
