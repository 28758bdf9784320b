using System.Text.RegularExpressions;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Engine.Templates;
using Npgsql;

namespace MdFunctions.Engine.Queries;

/// <summary>
/// How a statement refers to its values. DuckDB looks at values while it plans, and there are functions that then want a type it does not know yet: a value
/// behind a subquery is not looked at. As that costs DuckDB some of its shortcuts, it is done only for a query that needs it.
/// </summary>
internal enum ValueForm
{
    /// <summary>As they are.</summary>
    Plain,

    /// <summary>Those that are NULL behind a subquery: DuckDB folds a function of NULL to a NULL of no type.</summary>
    HiddenNulls,

    /// <summary>All behind a subquery: <c>len($list)</c> and <c>to_json($list)</c> can be prepared only so.</summary>
    Hidden,
}

/// <summary>Statements that MotherDuck does not prepare.</summary>
internal static partial class Preparing
{
    /// <summary>Whether a statement was refused for what DuckDB knows, or does not know, of its values before it runs.</summary>
    public static bool IsRefusal(PostgresException exception) => MotherDuckError.From(exception)?.Reason switch
    {
        "Parameter Not Resolved Error" or "Parameter Not Allowed Error" => true,
        "Invalid Input Error" => Says(exception, "prepare") || Says(exception, "type of parameters"),
        // A value that is NULL was folded to a NULL of no type, which is no argument for a function.
        "Binder Error" => Says(exception, "type of parameters") || exception.MessageText.Split('\n')[0].Contains("(\"NULL\"", StringComparison.Ordinal),
        _ => false,
    };

    /// <summary>Whether a query was refused for a value that is not a constant.</summary>
    public static bool WantsConstant(QueryTemplate query, PostgresException exception) => query.Template.Parameters.Count > 0
        && MotherDuckError.From(exception)?.Reason is "Invalid Input Error" or "Binder Error" or "Not implemented Error" && Says(exception, "constant");

    /// <summary>The form to try after one that was refused; null if there is none.</summary>
    public static ValueForm? Next(ValueForm form, ParameterValue?[] values) => form switch
    {
        _ when values.Length == 0 => null,
        ValueForm.Plain when values.Contains(null) => ValueForm.HiddenNulls,
        ValueForm.Plain or ValueForm.HiddenNulls => ValueForm.Hidden,
        _ => null,
    };

    /// <summary>The failure, with what to change.</summary>
    public static MotherDuckException Explain(QueryTemplate query, PostgresException exception) => new(
        new(MotherDuckErrorKind.Rejected,
            query.Template.Parameters.Count == 0
                ? "it cannot be prepared; a PIVOT, for one, needs the values of its columns: ON column IN (...)"
                : "it cannot be prepared, as a parameter stands where DuckDB takes only a constant (such as the separator of string_agg, the format of strftime, "
                    + "the digits of round for a DECIMAL, the fraction of quantile_cont). Write the constant into the query's file; for a choice, write CASE around whole calls",
            $"The query '{query.Template.Name}' cannot be prepared: {MotherDuckError.OneLine(exception.MessageText)}"),
        exception);

    // Names in quotes are the author's.
    private static bool Says(PostgresException exception, string words) =>
        QuotedName().Replace(MotherDuckError.OneLine(exception.MessageText), "").Contains(words, StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex QuotedName();
}
