using MdFunctions.Engine.Templates;

namespace MdFunctions.Engine.Queries;

/// <summary>What can be seen of a statement, before it is ever sent, that MotherDuck cannot prepare.</summary>
internal static class StatementChecks
{
    // Table functions take no parameters at MotherDuck. What stands where a table could and has parentheses is one, and so are the readers, wherever they stand.
    private static readonly string[] TableFunctionPrefixes = ["read_", "parquet_", "sniff_"];
    private static readonly string[] TableFunctionNames = ["glob", "query", "query_table", "parquet_scan", "iceberg_scan", "delta_scan"];

    // Functions whose arguments are kept apart by the word FROM.
    private static readonly string[] CallsWithFrom = ["extract", "trim", "substring", "overlay", "position"];

    private static readonly string[] EndsOfFrom =
        ["SELECT", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "VALUES"];

    private static readonly string[] EndsOfPivot = ["USING", "GROUP", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT"];

    /// <summary>Faults parameters among the arguments of a table function.</summary>
    public static void CheckTableFunctions(SqlFile file)
    {
        var tokens = Content(file);
        var open = new Stack<Scope>([new Scope()]);
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            var scope = open.Peek();
            var before = i > 0 ? tokens[i - 1] : SqlToken.None;
            if (token.Text == "(")
            {
                var isTableFunction = IsName(before) && (scope.AfterTable || IsReader(before));
                open.Push(new Scope
                {
                    IsArguments = scope.IsArguments || isTableFunction,
                    IsCallWithFrom = IsName(before) && Is(before, CallsWithFrom),
                    // FROM (a JOIN b)
                    InFrom = scope.ExpectsTable,
                    ExpectsTable = scope.ExpectsTable,
                });
                (scope.ExpectsTable, scope.AfterTable) = (false, false);
            }
            else if (token.Text == ")")
            {
                if (open.Count > 1)
                    open.Pop();
            }
            else if (token.Kind == SqlTokenKind.Parameter && scope.IsArguments)
            {
                file.FaultAt(token, $"{token.Text} is an argument of a table function, where MotherDuck takes no parameters");
            }
            else
            {
                Follow(scope, token, before, i + 1 < tokens.Count ? tokens[i + 1] : SqlToken.None);
            }
        }
    }

    /// <summary>Faults a PIVOT that leaves the values of its columns to be looked up: that is two statements to DuckDB, and cannot be prepared.</summary>
    public static void CheckPivots(SqlFile file)
    {
        var tokens = Content(file);
        for (var i = 0; i < tokens.Count; i++)
        {
            if ((tokens[i].Is("PIVOT") || tokens[i].Is("PIVOT_WIDER")) && !IsTableForm(tokens, i + 1) && !NamesItsValues(tokens, i + 1))
                file.FaultAt(tokens[i], "a PIVOT without the values of its columns cannot be prepared; name them: ON column IN ('a', 'b')");
        }
    }

    // FROM t PIVOT (sum(x) FOR column IN (...)) always names them.
    private static bool IsTableForm(List<SqlToken> tokens, int at)
    {
        if (at == tokens.Count || tokens[at].Text != "(")
            return false;
        var depth = 0;
        for (; at < tokens.Count; at++)
        {
            depth += tokens[at].Text switch { "(" => 1, ")" => -1, _ => 0 };
            if (depth == 1 && tokens[at].Is("FOR"))
                return true;
            if (depth == 0)
                return false;
        }
        return false;
    }

    private static bool NamesItsValues(List<SqlToken> tokens, int at)
    {
        var depth = 0;
        int? on = null;
        var end = at;
        for (; end < tokens.Count && depth >= 0; end++)
        {
            depth += tokens[end].Text switch { "(" => 1, ")" => -1, _ => 0 };
            if (depth == 0 && on is not null && Is(tokens[end], EndsOfPivot))
                break;
            if (depth == 0 && tokens[end].Is("ON"))
                on = end;
        }
        if (on is null)
            return true;
        // Each of several columns has its own IN.
        var named = false;
        depth = 0;
        for (var i = on.Value + 1; i < end; i++)
        {
            depth += tokens[i].Text switch { "(" => 1, ")" => -1, _ => 0 };
            if (depth == 0 && tokens[i].Is("IN"))
                named = true;
            else if (depth == 0 && tokens[i].Text == ",")
            {
                if (!named)
                    return false;
                named = false;
            }
        }
        return named;
    }

    private static void Follow(Scope scope, SqlToken token, SqlToken before, SqlToken next)
    {
        var isFrom = token.Is("FROM") && !scope.IsCallWithFrom && !before.Is("DISTINCT");
        if (isFrom || token.Is("JOIN") || token.Is("PIVOT") || token.Is("UNPIVOT") || (token.Text == "," && scope.InFrom))
            (scope.InFrom, scope.ExpectsTable, scope.AfterTable) = (true, true, false);
        else if (token.Kind == SqlTokenKind.Word && Is(token, EndsOfFrom))
            (scope.InFrom, scope.ExpectsTable, scope.AfterTable) = (false, false, false);
        else if (scope.ExpectsTable && IsName(token) && !token.Is("LATERAL") && !(next.Text == ":"))
            (scope.ExpectsTable, scope.AfterTable) = (false, true);
        // The parts of a name, database.schema.name; and an alias before its table, alias: name.
        else if (scope.AfterTable && !(token.Text == "." || before.Text == "."))
            scope.AfterTable = false;
    }

    private static List<SqlToken> Content(SqlFile file) => [.. file.Statement.Where(token => token.Kind != SqlTokenKind.Space)];

    private static bool IsName(SqlToken token) => token.Name is not null;

    private static bool IsReader(SqlToken token) =>
        TableFunctionPrefixes.Any(prefix => token.Name!.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) || Is(token, TableFunctionNames);

    private static bool Is(SqlToken token, string[] words) => token.Name is { } name && words.Contains(name, StringComparer.OrdinalIgnoreCase);

    // What is known between two parentheses.
    private sealed class Scope
    {
        public bool IsArguments { get; init; }

        public bool IsCallWithFrom { get; init; }

        // In a FROM clause, where a comma is followed by another table.
        public bool InFrom { get; set; }

        // A table or table function is next.
        public bool ExpectsTable { get; set; }

        // Behind the name of a table, or of a table function.
        public bool AfterTable { get; set; }
    }
}
