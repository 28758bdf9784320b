using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy.Rules;

/// <summary>Where a parameter may stand.</summary>
internal readonly struct ParameterRules(Token[] tokens, Behaviour behaviour)
{
    public static EndpointException InTableFunction() => new(
        "Binder Error: a parameter in a table function's arguments is not supported over the Postgres endpoint. Write the value as a literal");

    /// <summary>Checks the parameter at a place.</summary>
    /// <exception cref="EndpointException">It may not stand there, or, observed, not be cast to what it is cast to.</exception>
    public void Check(int i, bool inTableArguments)
    {
        if (inTableArguments) throw InTableFunction();
        if (behaviour == Behaviour.Documented || CastType(i) is not { } type || !tokens.IsName(type)) return;
        var name = tokens.Name(type);
        if (KnownNames.TextTypes.Contains(name) && !IsArray(type)) return;
        var written = tokens[i].Value == "?" ? "?" : $"${tokens[i].Value}";
        name = name.ToUpperInvariant();
        throw new EndpointException(
            $"Invalid Input Error: a bound string cannot be cast to {name} over the Postgres endpoint. Write CAST(CAST({written} AS VARCHAR) AS {name})");
    }

    /// <summary>Where the type is that the parameter is cast straight to, or null.</summary>
    private int? CastType(int i)
    {
        // ($1) is $1.
        var (from, to) = (i, i);
        while (tokens.IsPunctuation(from - 1, "(") && tokens.IsPunctuation(to + 1, ")") && !IsCall(from - 2)) (from, to) = (from - 1, to + 1);
        if (tokens.IsPunctuation(to + 1, "::")) return to + 2;
        return tokens.IsPunctuation(from - 1, "(") && tokens.IsWord(from - 2, "cast", "try_cast") && tokens.IsWord(to + 1, "as") ? to + 2 : null;
    }

    private bool IsCall(int i) => tokens.IsName(i) && !(tokens.IsWord(i) && KnownNames.NotFunctions.Contains(tokens[i].Value));

    private bool IsArray(int type) =>
        tokens.IsPunctuation(type + 1, "[") || (tokens.IsPunctuation(type + 1, "(") && tokens.IsPunctuation(tokens.Closing(type + 1) + 1, "["));
}
