using System.Text.RegularExpressions;

namespace MdFunctions.Endpoint.Settings;

/// <summary>The settings of PostgreSQL's that drivers send and ask for.</summary>
internal static partial class PostgresSettings
{
    /// <summary>The version of PostgreSQL whose protocol and habits the endpoint tells drivers.</summary>
    public const string ServerVersion = "16.0";

    /// <summary>A setting: its default, and what a client may set it to.</summary>
    /// <param name="Default">Its value at first.</param>
    /// <param name="Accept">Gives the value as it is kept, or null where it is not one that the endpoint can have; null: it cannot be set.</param>
    /// <param name="Title">Its name in a ParameterStatus, or null where there is none.</param>
    private sealed record Setting(string Default, Func<string, string?>? Accept = null, string? Title = null);

    private static readonly Dictionary<string, Setting> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["server_version"] = new(ServerVersion, Title: "server_version"),
        ["server_encoding"] = new("UTF8", Title: "server_encoding"),
        ["client_encoding"] = new("UTF8", Utf8, "client_encoding"),
        ["application_name"] = new("", value => value, "application_name"),
        ["datestyle"] = new("ISO, MDY", DateStyle, "DateStyle"),
        ["intervalstyle"] = new("postgres", OnlyOf("postgres"), "IntervalStyle"),
        ["integer_datetimes"] = new("on", Title: "integer_datetimes"),
        ["standard_conforming_strings"] = new("on", value => IsOn(value) ? "on" : null, "standard_conforming_strings"),
        ["is_superuser"] = new("off", Title: "is_superuser"),
        ["session_authorization"] = new("", Title: "session_authorization"),
        ["default_transaction_read_only"] = new("off", value => IsOff(value) ? "off" : null, "default_transaction_read_only"),
        ["in_hot_standby"] = new("off", Title: "in_hot_standby"),
        ["extra_float_digits"] = new("1", value => int.TryParse(value, out var digits) && digits is >= -15 and <= 3 ? value : null),
        ["bytea_output"] = new("hex", OnlyOf("hex")),
        ["client_min_messages"] = new("notice", value => MessageLevel().IsMatch(value) ? value.ToLowerInvariant() : null),
        ["statement_timeout"] = new("0", Duration),
        ["lock_timeout"] = new("0", Duration),
        ["idle_in_transaction_session_timeout"] = new("0", Duration),
        ["idle_session_timeout"] = new("0", Duration),
        ["tcp_keepalives_idle"] = new("0", Duration),
        ["jit"] = new("off", value => IsOff(value) ? "off" : null),
        ["escape_string_warning"] = new("on", value => IsOn(value) ? "on" : IsOff(value) ? "off" : null),
        ["server_version_num"] = new("160000"),
        ["transaction_isolation"] = new("repeatable read"),
        ["default_transaction_isolation"] = new("repeatable read"),
        ["transaction_read_only"] = new("off"),
        ["search_path"] = new("main"),
        ["max_identifier_length"] = new("63"),
        ["max_index_keys"] = new("32"),
        ["lc_collate"] = new("C"),
        ["lc_ctype"] = new("C"),
        ["lc_monetary"] = new("C"),
        ["lc_numeric"] = new("C"),
        ["lc_time"] = new("C"),
        ["ssl"] = new("on"),
        ["password_encryption"] = new("scram-sha-256"),
        ["wal_level"] = new("minimal"),
        ["default_tablespace"] = new(""),
        ["default_table_access_method"] = new("heap"),
    };

    /// <summary>All of them, in lower case.</summary>
    public static IEnumerable<string> Names => Known.Keys;

    public static bool IsKnown(string name) => Known.ContainsKey(name);

    public static bool IsSettable(string name) => Known.TryGetValue(name, out var setting) && setting.Accept is not null;

    public static string Default(string name) => Known[name].Default;

    /// <summary>The setting's name in a ParameterStatus, or null where there is none.</summary>
    public static string? Title(string name) => Known[name].Title;

    /// <summary>A value as the endpoint keeps it.</summary>
    /// <exception cref="EndpointException">It is not one that the endpoint can have.</exception>
    public static string Normalize(string name, string value) => Known[name].Accept!(value) ??
        throw new EndpointException($"invalid value for parameter \"{name}\": \"{value}\". {Expected(name)}", SqlState.InvalidSetting);

    private static string Expected(string name) => name.ToLowerInvariant() switch
    {
        "client_encoding" => "The endpoint speaks UTF8 only",
        "datestyle" => "The endpoint answers dates in ISO form only",
        "intervalstyle" => "The endpoint answers intervals in the form postgres only",
        "bytea_output" => "The endpoint answers in hex only",
        "standard_conforming_strings" => "In DuckDB a backslash in a string is a backslash",
        "default_transaction_read_only" => "Use a token that may only read",
        "extra_float_digits" => "It is a whole number from -15 to 3",
        "client_min_messages" => "It is debug1 to debug5, log, notice, warning or error",
        "jit" => "There is none",
        "escape_string_warning" => "It is on or off",
        _ => "It is a number of milliseconds, or one with a unit: us, ms, s, min, h or d",
    };

    /// <summary>A duration in milliseconds: a number, or one with a unit.</summary>
    public static double Milliseconds(string value)
    {
        var match = DurationForm().Match(value);
        return double.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) * match.Groups[2].Value.ToLowerInvariant() switch
        {
            "us" => 0.001,
            "s" => 1000,
            "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => 1,
        };
    }

    private static string? Utf8(string value) => value.ToUpperInvariant().Replace("-", "", StringComparison.Ordinal) is "UTF8" or "UNICODE" ? "UTF8" : null;

    private static string? DateStyle(string value)
    {
        var match = IsoDates().Match(value);
        return match.Success ? $"ISO, {(match.Groups[1].Success ? match.Groups[1].Value.ToUpperInvariant() : "MDY")}" : null;
    }

    private static Func<string, string?> OnlyOf(string only) => value => value.Equals(only, StringComparison.OrdinalIgnoreCase) ? only : null;

    private static string? Duration(string value) => DurationForm().IsMatch(value) ? value : null;

    private static bool IsOn(string value) => value.ToLowerInvariant() is "on" or "true" or "yes" or "1" or "t" or "y";

    private static bool IsOff(string value) => value.ToLowerInvariant() is "off" or "false" or "no" or "0" or "f" or "n";

    [GeneratedRegex(@"^(?:\s*ISO\s*(?:,\s*(MDY|DMY|YMD))?|\s*(MDY|DMY|YMD)\s*,\s*ISO)\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex IsoDates();

    [GeneratedRegex(@"^\s*(\d{1,9}(?:\.\d{1,6})?)\s*(us|ms|s|min|h|d)?\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex DurationForm();

    [GeneratedRegex("^(debug[1-5]?|log|notice|warning|error)$", RegexOptions.IgnoreCase)]
    private static partial Regex MessageLevel();
}
