using System.Text.RegularExpressions;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Queries;
using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Ingest;

/// <summary>A file of <c>sql/ingest</c>: a SELECT over the relation <c>body</c>, the rows of a request.</summary>
internal sealed partial record IngestTemplate
{
    /// <summary>The most bytes a body can be allowed: GitHub's own limit, and below the 30 MB at which the web server stops reading.</summary>
    public const int MostBytes = 25 * 1024 * 1024;

    /// <summary>The statement.</summary>
    public required Template Template { get; init; }

    /// <summary>The ingest's name.</summary>
    public string Name => Template.Name;

    /// <summary>The table that gets the rows; it is made from the statement where it is missing.</summary>
    public required TableName Target { get; init; }

    /// <summary>The columns of <c>body</c>; a key that is not among them is left out, or refused.</summary>
    public required StructColumn Columns { get; init; }

    /// <summary>How senders sign.</summary>
    public required Signature Signature { get; init; }

    /// <summary>How the sender asks whether the URL wants its webhooks; null if it does not.</summary>
    public Handshake? Handshake { get; init; }

    /// <summary>The headers of which the first that is there holds the delivery's id, which is stored once; empty for none.</summary>
    public IReadOnlyList<string> IdHeaders { get; init; } = [];

    /// <summary>Where the id stands in the body; null if it stands in a header or there is none.</summary>
    public Place? IdField { get; init; }

    /// <summary>Whether deliveries have ids.</summary>
    public bool HasId => IdHeaders.Count > 0 || IdField is not null;

    /// <summary>How long the ids of deliveries are kept; null for ever. Default 30 days.</summary>
    public TimeSpan? KeepDeliveries { get; init; }

    /// <summary>The field of a form that holds the JSON; null if each field is a column.</summary>
    public string? Form { get; init; }

    /// <summary>A media type, in lower case, whose bodies are taken for JSON too; null for none.</summary>
    public string? ContentType { get; init; }

    /// <summary>Whether rows that do not fit go to <c>md_functions.ingest_rejects</c> while the others are stored; else one such row refuses the body. Default false.</summary>
    public bool SkipsMisfits { get; init; }

    /// <summary>The most bytes of a body, as sent and unpacked. Default 10 MiB.</summary>
    public int MaxBytes { get; init; }

    /// <summary>The most rows of a body. Default 100,000.</summary>
    public int MaxRows { get; init; }

    /// <summary>The most levels of objects and arrays in a body, its outer array included. Default 64.</summary>
    public int MaxDepth { get; init; }

    /// <summary>How long a body may wait and take once it is here; 503 or 504 after that. Default 30 seconds.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>The headers that the statement reads, in the order of its parameters <c>$2</c>, <c>$3</c>...</summary>
    public required IReadOnlyList<string> Headers { get; init; }

    /// <summary>A body's rows as the statement makes them, given the SQL of <see cref="IngestRows.Json"/>, which is <c>$1</c>; the other parameters are the headers' values.</summary>
    public required Func<string, string> Select { get; init; }

    /// <summary>The same of no body, which tells the columns.</summary>
    public required string EmptySelect { get; init; }

    /// <summary>Whether columns that the target lacks are added to it; else they refuse every delivery, and the log says so at the start.</summary>
    public bool AddColumns { get; init; }

    /// <summary>Makes the target from the statement where it is missing.</summary>
    public required string CreateTarget { get; init; }

    /// <summary>Reads a file; faults go to it.</summary>
    public static IngestTemplate Read(SqlFile file, Settings settings)
    {
        var frontMatter = FrontMatter.Read(file);
        var template = Template.Read(file, frontMatter, settings, name => HeaderName().IsMatch(name));
        if (template.Parameters.Count > 0)
            frontMatter.Fault("parameters", "an ingest has no parameters of its own; its statement reads 'body' and the request's headers, $header_NAME");
        var target = TableName.Parse(frontMatter.Text("target") ?? "");
        if (target is null)
            frontMatter.Fault("target", "'target' is not a table's full name, database.schema.table");
        var columns = ReadColumns(frontMatter);
        var signature = Signature.Read(frontMatter, settings.Text("PublicUrl")?.TrimEnd('/'));
        var id = frontMatter.Text("id") is { } text ? ReadId(frontMatter, text) : null;
        var onError = frontMatter.Choice("onError", "reject", "skip");
        if (file.Statement.Count > 0 && !file.Statement.Any(token => token.Is("body") || token.Text.Equals("\"body\"", StringComparison.OrdinalIgnoreCase)))
            file.FaultAt(file.Statement[0], "the statement does not read 'body', the relation that holds the request's rows");

        StatementChecks.CheckTableFunctions(file);
        StatementChecks.CheckPivots(file);

        var headers = new List<string>();
        // DuckDB folds a function of a NULL to a NULL without a type while it plans; behind a subquery, which cannot stand in a lambda, it does not see the value.
        var isHidden = !file.Statement.Any(token => token.Is("lambda"));
        var statement = template.Write(name =>
        {
            if (!HeaderName().IsMatch(name))
                return "NULL"; // A fault already.
            var header = name["header_".Length..].Replace('_', '-');
            var index = headers.FindIndex(known => known.Equals(header, StringComparison.OrdinalIgnoreCase));
            if (index < 0)
            {
                index = headers.Count;
                headers.Add(header);
            }
            var value = $"CAST(${index + 2} AS VARCHAR)";
            return isHidden ? $"(SELECT {value})" : value;
        });
        var empty = $"WITH body AS ({EmptyBody(columns)}) SELECT * FROM (\n{template.Write(_ => Template.UnknownValue("VARCHAR"))}\n)";
        var ingest = new IngestTemplate
        {
            Template = template,
            Target = target ?? new("", "", ""),
            Columns = columns,
            Signature = signature ?? new SharedSecret("", "", new("header", "")),
            Handshake = Handshake.Read(frontMatter),
            IdHeaders = id is null ? signature?.IdHeaders ?? [] : id.Kind == "header" ? [id.Name] : [],
            IdField = id is { Kind: "body" } ? id : null,
            KeepDeliveries = ReadKeep(frontMatter),
            Form = frontMatter.Text("form") ?? (signature?.Scheme == "github" ? "payload" : null),
            ContentType = ReadContentType(frontMatter),
            SkipsMisfits = onError == "skip",
            MaxBytes = (int)(frontMatter.Integer("maxBytes", 1, MostBytes) ?? 10 * 1024 * 1024),
            MaxRows = (int)(frontMatter.Integer("maxRows", 1, 1_000_000) ?? 100_000),
            MaxDepth = (int)(frontMatter.Integer("maxDepth", 1, 256) ?? 64),
            Timeout = frontMatter.Duration("timeout", TimeSpan.FromMilliseconds(1), QueryOptions.MaxTimeout) ?? TimeSpan.FromSeconds(30),
            Headers = headers,
            AddColumns = frontMatter.Choice("onSchemaChange", "fail", "addColumns") == "addColumns",
            Select = json => $"WITH body AS ({Body(columns, json)}) SELECT * FROM (\n{statement}\n)",
            EmptySelect = empty,
            CreateTarget = $"CREATE TABLE IF NOT EXISTS {target} AS {empty} LIMIT 0",
        };
        frontMatter.RejectUnknown("an ingest");
        return ingest;
    }

    // Unpacked first and cast column by column: to cast the list of structs as a whole takes half as long again.
    private static string Body(StructColumn columns, string json) =>
        $"SELECT {string.Join(", ", columns.Fields.Select(field => $"CAST({Sql.Identifier(field.Name)} AS {field.Type.Sql}) AS {Sql.Identifier(field.Name)}"))} "
        + $"FROM (SELECT unnest(from_json({json}, {Sql.Literal($"[{columns.Structure}]")}), max_depth := 2))";

    private static string EmptyBody(StructColumn columns) =>
        $"SELECT {string.Join(", ", columns.Fields.Select(field => $"CAST(NULL AS {field.Type.Sql}) AS {Sql.Identifier(field.Name)}"))} WHERE false";

    private static StructColumn ReadColumns(FrontMatter frontMatter)
    {
        var fields = new List<(string, ColumnType)>();
        var refusesUnknown = frontMatter.Choice("unknownKeys", "drop", "refuse") == "refuse";
        if (frontMatter.Map("columns") is { } map)
        {
            foreach (var name in map.Keys)
            {
                var text = map.Text(name) ?? "";
                if (name.Length == 0 || name.Contains('\0'))
                    map.Fault(name, "a column has an empty name");
                else if (ColumnType.Parse(text, refusesUnknown) is { } type)
                    fields.Add((name, type));
                else
                    map.Fault(name, $"column '{name}' has type '{text}'; expected a DuckDB type such as VARCHAR, BIGINT, DECIMAL(18,2), TIMESTAMPTZ, JSON, STRUCT(name VARCHAR) or a list, VARCHAR[], with or without NOT NULL");
            }
            if (StructColumn.Create(fields, refusesUnknown) is { } columns)
                return columns;
            if (fields.Count == map.Keys.Count())
                frontMatter.Fault("columns", fields.Count == 0 ? "'columns' is empty; expected 'name: TYPE' for each key to take" : "two columns have one name but for upper and lower case");
        }
        else
        {
            frontMatter.Fault("columns", "'columns' is missing; expected 'name: TYPE' for each key of the rows to take");
        }
        return StructColumn.Create([("missing", ColumnType.Parse("JSON")!)], refusesUnknown)!;
    }

    private static Place? ReadId(FrontMatter frontMatter, string id)
    {
        if (id.StartsWith('$') && HeaderName().IsMatch(id[1..]))
            return new("header", id["$header_".Length..].Replace('_', '-'));
        if (id.StartsWith("body.", StringComparison.Ordinal))
            return Place.Read(frontMatter, "id", id, "body.id");
        frontMatter.Fault("id", $"'id' is '{id}'; expected the header that names a delivery, such as $header_x_github_delivery, or where it stands in the body, such as body.id");
        return null;
    }

    private static TimeSpan? ReadKeep(FrontMatter frontMatter) => frontMatter.Text("keepDeliveries") == "forever"
        ? null
        : frontMatter.Duration("keepDeliveries", TimeSpan.FromDays(1), TimeSpan.FromDays(3650)) ?? TimeSpan.FromDays(30);

    private static string? ReadContentType(FrontMatter frontMatter)
    {
        var text = frontMatter.Text("contentType")?.ToLowerInvariant();
        if (text is not null && (!MediaTypeName().IsMatch(text) || text.Contains("xml", StringComparison.Ordinal)))
            frontMatter.Fault("contentType", $"'contentType' is '{text}'; expected the media type under which the sender sends JSON, such as text/plain");
        return text;
    }

    [GeneratedRegex("^[a-z0-9.+-]+/[a-z0-9.+-]+$")]
    private static partial Regex MediaTypeName();

    [GeneratedRegex("^header_[A-Za-z0-9_]+$")]
    private static partial Regex HeaderName();
}
