using System.Text.Encodings.Web;
using System.Text.Json;
using MdFunctions.Engine.Exact;
using MdFunctions.Engine.MotherDuck;

namespace MdFunctions.Engine.Queries;

/// <summary>
/// The SQL that turns a column into text which means the same whichever way the endpoint writes values, and into what answers promise: inside of lists,
/// structs and maps the same as outside.
/// </summary>
internal static class ColumnText
{
    /// <summary>How a column is written, and the SQL for it.</summary>
    /// <returns>The expression is null where the column's own text will do.</returns>
    public static (ColumnKind Kind, string? Expression) Of(DuckType type, string column) => type.Name switch
    {
        "BOOLEAN" => (ColumnKind.Boolean, null),
        "TINYINT" or "SMALLINT" or "INTEGER" or "BIGINT" or "HUGEINT" or
        "UTINYINT" or "USMALLINT" or "UINTEGER" or "UBIGINT" or "UHUGEINT" or
        "FLOAT" or "DOUBLE" or "DECIMAL" => (ColumnKind.Number, null),
        "BIGNUM" => (ColumnKind.Number, Varchar(column)),
        "VARCHAR" or "UUID" or "TIME" or "ENUM" => (ColumnKind.Text, null),
        "DATE" or "TIMESTAMP" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" or "TIMESTAMP WITH TIME ZONE" => (ColumnKind.Timestamp, null),
        "JSON" => (ColumnKind.Json, null),
        "BLOB" => (ColumnKind.Text, $"base64({column})"),
        "LIST" or "ARRAY" or "STRUCT" or "MAP" or "UNION" or "VARIANT" => (ColumnKind.Json, JsonText(type, column, 0)),
        _ => (ColumnKind.Text, Varchar(column)),
    };

    private static string Varchar(string value) => $"CAST({value} AS VARCHAR)";

    // JSON as text. DuckDB's to_json reads what is JSON already and writes it anew, with the digits that a DOUBLE has: what holds JSON is put together here.
    private static string JsonText(DuckType type, string value, int depth)
    {
        if (!HoldsJson(type))
            return Varchar($"to_json({Inner(type, value, depth)})");
        var item = $"x{depth}";
        switch (type.Name)
        {
            case "JSON":
                return Varchar(value);
            case "LIST" or "ARRAY":
                return IfThere(value, $"'[' || array_to_string(list_transform({value}, lambda {item}: {Part(type.Parts[0].Type, item, depth + 1)}), ',') || ']'");
            case "STRUCT" when type.Parts.All(part => part.Name.Length == 0):
                return IfThere(value, $"'[' || {string.Join(" || ',' || ", type.Parts.Select((part, i) => Part(part.Type, $"struct_extract_at({value}, {i + 1})", depth)))} || ']'");
            case "STRUCT":
                return IfThere(value, $"'{{' || {string.Join(" || ',' || ", type.Parts.Select(part => $"{Key(part.Name)} || {Part(part.Type, Field("struct_extract", value, part.Name), depth)}"))} || '}}'");
            case "MAP":
                var key = Varchar($"to_json({Varchar(MapKey(type, item, depth + 1))})");
                return IfThere(value, $"'{{' || array_to_string(list_transform(map_entries({value}), lambda {item}: {key} || ':' || {Part(type.Parts[1].Type, $"{item}.value", depth + 1)}), ',') || '}}'");
            case "UNION":
                return $"CASE {Varchar($"union_tag({value})")} {string.Join(" ", type.Parts.Select(part =>
                    $"WHEN {Sql.Literal(part.Name)} THEN '{{' || {Key(part.Name)} || {Part(part.Type, Field("union_extract", value, part.Name), depth)} || '}}'"))} END";
            default:
                return Varchar($"CAST({value} AS JSON)");
        }

        static string Part(DuckType type, string value, int depth) => $"coalesce({JsonText(type, value, depth)}, 'null')";

        static string Key(string name) => Sql.Literal($"\"{JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\":");
    }

    private static bool HoldsJson(DuckType type) => type.Name is "JSON" or "VARIANT" || type.Parts.Any(part => HoldsJson(part.Type));

    // What to_json writes as the answers' contract says. A value that it writes so already stays as it is, and costs nothing.
    private static string Inner(DuckType type, string value, int depth)
    {
        if (type.Name == "STRUCT" && type.Parts.All(part => part.Name.Length == 0))
            return IfThere(value, $"json_array({Join(type.Parts.Select((part, i) => Inner(part.Type, $"struct_extract_at({value}, {i + 1})", depth)))})");
        switch (type.Name)
        {
            // By way of its text: a FLOAT as a DOUBLE has digits that it never had.
            case "FLOAT":
                return $"CAST({Varchar(value)} AS DOUBLE)";
            case "BLOB":
                return $"base64({value})";
            case "DATE":
                return IsoText(value, text => text, type.Name);
            case "TIMESTAMP" or "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS":
                return IsoText(value, WithT, type.Name);
            case "TIMESTAMP WITH TIME ZONE":
                return IsoText(value, text => $"regexp_replace({WithT(text)}, '([+-][0-9]{{2}})$', '\\1:00')", type.Name);
            case "LIST" or "ARRAY":
                var item = $"x{depth}";
                return Changed(type.Parts[0].Type, item, depth + 1) is { } element ? $"list_transform({value}, lambda {item}: {element})" : value;
            case "STRUCT" when type.Parts.Any(part => Changed(part.Type, "x", depth) is not null):
                return IfThere(value, $"struct_pack({Join(type.Parts.Select(part => $"{Sql.Identifier(part.Name)} := {Inner(part.Type, Field("struct_extract", value, part.Name), depth)}"))})");
            case "MAP" when type.Parts.Any(part => Changed(part.Type, "x", depth) is not null):
                var entry = $"x{depth}";
                return $"map_from_entries(list_transform(map_entries({value}), lambda {entry}: struct_pack(k := {MapKey(type, entry, depth + 1)}, v := {Inner(type.Parts[1].Type, $"{entry}.value", depth + 1)})))";
            case "UNION" when type.Parts.Any(part => Changed(part.Type, "x", depth) is not null):
                return $"CASE {Varchar($"union_tag({value})")} {string.Join(" ", type.Parts.Select(part =>
                    $"WHEN {Sql.Literal(part.Name)} THEN json_object({Sql.Literal(part.Name)}, {Inner(part.Type, Field("union_extract", value, part.Name), depth)})"))} END";
            default:
                return value;
        }
    }

    // A key is text in JSON. One that is nested has DuckDB's text.
    private static string MapKey(DuckType map, string entry, int depth) =>
        map.Parts[0].Type.Parts.Count == 0 ? Inner(map.Parts[0].Type, $"{entry}.key", depth) : $"{entry}.key";

    private static string? Changed(DuckType type, string value, int depth) => Inner(type, value, depth) is { } changed && changed != value ? changed : null;

    private static string IfThere(string value, string expression) => $"CASE WHEN {value} IS NOT NULL THEN {expression} END";

    private static string Field(string function, string value, string name) => $"{function}({value}, {Sql.Literal(name)})";

    private static string Join(IEnumerable<string> parts) => string.Join(", ", parts);

    // Years before 1 and beyond 9999 have a sign and six digits in ISO 8601, where DuckDB writes (BC); 'infinity' is a text of its own. The same is done
    // outside of nested values by WireText.Timestamp.
    private static string IsoText(string value, Func<string, string> iso, string type)
    {
        // The year of a TIMESTAMPTZ has no sign.
        var year = type == "TIMESTAMP WITH TIME ZONE" ? $"year(CAST({value} AS TIMESTAMP))" : $"year({value})";
        var far = $"CASE WHEN {year} = 0 THEN '0000' ELSE format('{{}}{{:06d}}', CASE WHEN {year} < 0 THEN '-' ELSE '+' END, abs({year})) END "
            + $"|| regexp_replace({iso($"replace({Varchar(value)}, ' (BC)', '')")}, '^[0-9]+', '')";
        return $"CASE WHEN {year} BETWEEN 1 AND 9999 THEN {iso(Varchar(value))} WHEN isfinite({value}) THEN {far} ELSE {Varchar(value)} END";
    }

    private static string WithT(string text) => $"replace({text}, ' ', 'T')";
}
