using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Catalog;

/// <summary>What drivers write around the catalog's tables, and DuckDB does not know: casts to regclass, format_type, current_setting.</summary>
internal sealed class CatalogExpressions(Token[] tokens, SessionSettings settings, List<TextEdit> edits, Func<string, string> query)
{
    /// <summary>Adds the edits that a token asks for.</summary>
    /// <param name="i">The token.</param>
    /// <param name="isRelation">Whether it begins a relation's name, which is another's to change.</param>
    public void Look(int i, bool isRelation)
    {
        if (tokens.IsPunctuation(i, "::")) Cast(i);
        if (!tokens.IsName(i)) return;
        var qualified = tokens.IsName(i, "pg_catalog") && tokens.IsPunctuation(i + 1, ".") && !tokens.IsPunctuation(i - 1, ".");
        if (qualified && !isRelation && tokens.Name(i + 2) is not "version") Replace(i, i + 1, "");
        else if (tokens.IsPunctuation(i + 1, "(")) Call(i);
        else if (qualified && tokens.IsPunctuation(i + 3, "(")) Replace(i, tokens.Closing(i + 3), $"'PostgreSQL {PostgresSettings.ServerVersion} (DuckDB ' || version() || ')'");
    }

    private void Replace(int from, int to, string text) => edits.Add(new(tokens[from].Start, tokens[to].End, text));

    private void Insert(int before, string text) => edits.Add(new(tokens[before].Start, tokens[before].Start, text));

    private void Call(int name)
    {
        var (open, close) = (name + 1, tokens.Closing(name + 1));
        if (close >= tokens.Length) return;
        switch (tokens.Name(name))
        {
            case "current_setting" when tokens.IsString(open + 1) && settings.Get(tokens[open + 1].Value) is { } value:
                Replace(name, close, SqlText.Literal(value));
                break;
            case "format_type" when Comma(open, close) is { } comma:
                Replace(name, open, "(SELECT coalesce(" + PostgresTypes.Titles + "[o] || CASE WHEN o = 1700 AND m >= 4 THEN '(' || ((m - 4) >> 16) || ',' || ((m - 4) & 65535) || ')' ELSE '' END, (SELECT typname FROM (" + query("pg_type") + ") WHERE oid = o), '???') FROM (SELECT (");
                Replace(comma, comma, ") AS o, (");
                Replace(close, close, ") AS m))");
                break;
            case "to_regtype":
                Replace(name, open, $"(SELECT min(oid) FROM ({query("pg_type")}) WHERE typname = lower(");
                Replace(close, close, "))");
                break;
            case "to_regclass":
                Replace(name, open, $"(SELECT min(oid) FROM ({query("pg_class")}) WHERE relname = (");
                Replace(close, close, "))");
                break;
        }
    }

    /// <summary>The comma between a call's two arguments.</summary>
    private int? Comma(int open, int close)
    {
        var depth = 0;
        for (var i = open + 1; i < close; i++)
        {
            if (tokens[i].Opens()) depth++;
            else if (tokens[i].Closes()) depth--;
            else if (depth == 0 && tokens.IsPunctuation(i, ",")) return i;
        }
        return null;
    }

    private void Cast(int i)
    {
        switch (tokens.Name(i + 1))
        {
            case "name":
                Replace(i + 1, i + 1, "VARCHAR");
                break;
            case "regclass" when tokens.IsString(i - 1):
                Replace(i - 1, i + 1, ClassOid(tokens[i - 1].Value));
                break;
            // A text, or a parameter, is a name whose number is wanted. Anything else is a number to be shown as a name.
            case "regtype" when tokens.IsString(i - 1) || tokens.IsParameter(i - 1):
                Insert(i - 1, $"(SELECT min(oid) FROM ({query("pg_type")}) WHERE typname = lower(CAST(");
                Replace(i, i + 1, " AS VARCHAR)))");
                break;
            case "regclass" when tokens.IsParameter(i - 1):
                Insert(i - 1, $"(SELECT min(oid) FROM ({query("pg_class")}) WHERE relname = CAST(");
                Replace(i, i + 1, " AS VARCHAR))");
                break;
            case "regclass":
                Named(i, "relname", "pg_class");
                break;
            case "regtype":
                Named(i, "typname", "pg_type");
                break;
            case "regnamespace":
                Named(i, "nspname", "pg_namespace");
                break;
        }
    }

    private string ClassOid(string written)
    {
        var name = written.Replace("\"", "", StringComparison.Ordinal).Split('.')[^1];
        if (CatalogRelations.FixedOids.TryGetValue(name, out var known)) return known.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return $"(SELECT min(oid) FROM ({query("pg_class")}) WHERE relname = {SqlText.Literal(name)})";
    }

    /// <summary>A number that is shown as the name that it stands for.</summary>
    private void Named(int cast, string column, string table)
    {
        var start = Operand(cast);
        Insert(start, $"(SELECT coalesce(min({column}), min(n)::VARCHAR) FROM (SELECT (");
        Replace(cast, cast + 1, $") AS n) LEFT JOIN ({query(table)}) ON oid = n)");
    }

    /// <summary>Where the operand of a cast begins: a name, a literal, a call, what is in parentheses.</summary>
    private int Operand(int cast)
    {
        var i = cast - 1;
        while (i > 0)
        {
            if (tokens[i].Closes())
            {
                i = Opening(i);
                if (!tokens.IsName(i - 1)) break;
                i--;
            }
            else if (tokens.IsPunctuation(i - 1, ".") || tokens.IsPunctuation(i - 1, "::")) i -= 2;
            else break;
        }
        return Math.Max(i, 0);
    }

    private int Opening(int close)
    {
        var depth = 0;
        for (var i = close; i > 0; i--)
        {
            if (tokens[i].Closes()) depth++;
            else if (tokens[i].Opens() && --depth == 0) return i;
        }
        return 0;
    }
}
