using MdFunctions.Engine.Access;

namespace MdFunctions.Engine.Templates;

/// <summary>What a query, a load and an ingest have in common: a SELECT with declared parameters.</summary>
internal sealed class Template
{
    private readonly IReadOnlyList<SqlToken> _statement;

    private Template(SqlFile file, string? summary, string? description, IReadOnlyList<Parameter> parameters)
    {
        (Name, _statement, Summary, Description, Parameters) = (file.Name, file.Statement, summary, description, parameters);
        RequestParameters = [.. parameters.Where(parameter => parameter.Claim is null)];
    }

    /// <summary>The file's name without its ending.</summary>
    public string Name { get; }

    /// <summary>One line for the catalog.</summary>
    public string? Summary { get; }

    /// <summary>More than a line of it: for the page, for OpenAPI, and for models that choose a tool.</summary>
    public string? Description { get; }

    /// <summary>The declared parameters, in the order of their declaration.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Those of them that requests give; the others come from claims of the caller's token.</summary>
    public IReadOnlyList<Parameter> RequestParameters { get; }

    /// <summary>Whether answers depend on who asks.</summary>
    public bool HasClaims => RequestParameters.Count < Parameters.Count;

    /// <summary>Who may run it.</summary>
    public AccessRule Access { get; private init; } = AccessRule.None;

    /// <summary>Whether audit lines tell the parameters' values too.</summary>
    public bool AuditsParameters { get; private init; }

    /// <summary>Whether the statement reads anything but its parameters: what it reads may change, and its columns with it.</summary>
    public bool ReadsTables => _statement.Any(token => token.Is("FROM") || token.Is("TABLE") || token.Is("PIVOT") || token.Is("PIVOT_WIDER") || token.Is("UNPIVOT"));

    /// <summary>
    /// Reads what all templates have; faults go to the file. Parameters that the feature itself provides need no declaration and need not be used; where callers
    /// run it, front matter says who may.
    /// </summary>
    public static Template Read(SqlFile file, FrontMatter frontMatter, Settings settings, Func<string, bool> isGiven, bool hasCallers = false)
    {
        HashSet<string> known = [];
        var (summary, description) = (frontMatter.Text("summary"), frontMatter.Text("description"));
        var parameters = new List<Parameter>();
        if (frontMatter.Map("parameters") is { } declarations)
        {
            foreach (var name in declarations.Keys)
            {
                if (isGiven(name))
                    declarations.Fault(name, $"'{name}' is provided and cannot be declared");
                else if (Parameter.Read(name, declarations, settings) is { } parameter)
                    parameters.Add(parameter);
            }
            var used = file.Statement.Where(token => token.Kind == SqlTokenKind.Parameter).Select(token => token.Text[1..]).ToHashSet(StringComparer.Ordinal);
            foreach (var unused in parameters.Where(parameter => !used.Contains(parameter.Name)))
                declarations.Fault(unused.Name, $"parameter '{unused.Name}' is declared but ${unused.Name} is not in the statement");
            known.UnionWith(declarations.Keys);
        }
        foreach (var undeclared in file.Statement.Where(token => token.Kind == SqlTokenKind.Parameter && !known.Contains(token.Text[1..]) && !isGiven(token.Text[1..])).DistinctBy(token => token.Text))
            file.FaultAt(undeclared, $"{undeclared.Text} is not declared under 'parameters'");
        return new(file, summary, description, parameters)
        {
            Access = hasCallers ? AccessRule.Read(frontMatter, settings) : AccessRule.None,
            AuditsParameters = hasCallers && frontMatter.Choice("audit", "parameters") is not null,
        };
    }

    /// <summary>The statement with every <c>$name</c> replaced.</summary>
    public string Write(Func<string, string> parameter) =>
        string.Concat(_statement.Select(token => token.Kind == SqlTokenKind.Parameter ? parameter(token.Text[1..]) : token.Text));

    /// <summary>
    /// The statement for values that travel beside it: <c>$since</c>, declared <c>date</c>, becomes <c>CAST(CAST($2 AS VARCHAR) AS DATE)</c>, where 2 is its place
    /// in <see cref="Parameters"/>. MotherDuck settles types when it prepares a statement, and takes parameters for text.
    /// </summary>
    /// <param name="isOpaque">Tells by its place a value that DuckDB is not to see while it plans; such a one is behind a subquery.</param>
    public string WithPlaceholders(Func<int, bool>? isOpaque = null) => Write(name =>
    {
        var index = Index(name);
        var value = Parameters[index].Type.FromVarchar($"CAST(${index + 1} AS VARCHAR)");
        return isOpaque?.Invoke(index) == true ? $"(SELECT {value})" : value;
    });

    /// <summary>
    /// The statement with an expression of the right type for each parameter, whose value nobody can know before it runs: for <c>DESCRIBE</c>, which does not
    /// run it. A NULL will not do: DuckDB folds a function of NULL to a NULL without a type, and calls that an INTEGER.
    /// </summary>
    public string WithUnknownValues() => Write(name => UnknownValue(Parameters[Index(name)].Type.Name));

    /// <summary>An expression of a type whose value DuckDB does not know before it runs.</summary>
    public static string UnknownValue(string type) => type == "VARCHAR" ? "CAST(random() AS VARCHAR)" : $"CAST(CAST(random() AS VARCHAR) AS {type})";

    /// <summary>The place of a declared parameter in <see cref="Parameters"/>.</summary>
    public int Index(string name) => IndexOf(Parameters, name) is >= 0 and var index ? index : throw new InvalidOperationException($"Template '{Name}' has no parameter '{name}'.");

    /// <summary>The place of a parameter; -1 if there is none of that name.</summary>
    public static int IndexOf(IReadOnlyList<Parameter> parameters, string name)
    {
        var i = parameters.Count - 1;
        while (i >= 0 && parameters[i].Name != name)
            i--;
        return i;
    }
}
