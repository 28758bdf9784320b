using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy;

/// <summary>The rules of CREATE.</summary>
internal sealed class CreateRules(Examination found)
{
    private readonly Token[] tokens = found.Tokens;

    public void Check(int at)
    {
        var orReplace = tokens.IsWord(at + 1, "or");
        at++;
        while (tokens.IsWord(at, "or", "replace", "local", "global", "unlogged", "recursive")) at++;
        if (tokens.IsWord(at, "temp", "temporary") && !tokens.IsPunctuation(at + 1, "(")) throw Temporary();
        if (tokens.IsWord(at, "persistent")) at++;
        switch (tokens.IsWord(at) ? tokens[at].Value : "")
        {
            case "temp" or "temporary":
                throw Temporary();
            case "secret":
                throw Refused("CREATE SECRET is not supported over the Postgres endpoint. Create the secret with a DuckDB client or in the MotherDuck UI");
            case "result":
                throw Refused("CREATE RESULT is not supported over the Postgres endpoint. Use CREATE TABLE ... AS");
            case "unique" or "index":
                throw Refused("CREATE INDEX is not supported over the Postgres endpoint. Declare a PRIMARY KEY or UNIQUE constraint with the table where you need one");
            case "sequence":
                throw Refused("CREATE SEQUENCE is not supported over the Postgres endpoint. Make keys in the query, for example with row_number() or uuid()");
            case "procedure":
                throw Refused("CREATE PROCEDURE is not supported over the Postgres endpoint: DuckDB has no stored procedures");
            case "view" or "macro" or "function":
                found.Stored = tokens[at].Value;
                break;
            case "database":
                CreateDatabase(at + 1, orReplace);
                return;
        }
        var name = tokens.IsWord(at + 1, "if") ? at + 4 : at + 1;
        if (tokens.Name(name) is "temp" or "pg_temp" && tokens.IsPunctuation(name + 1, "."))
            throw Refused("temporary objects are not supported over the Postgres endpoint");
    }

    private static EndpointException Refused(string message) => EndpointException.Refused(message);

    private static EndpointException Temporary() => Refused(
        "CREATE TEMP is not supported over the Postgres endpoint. Use a table of your own and drop it, or a common table expression (WITH ... AS)");

    private void CreateDatabase(int at, bool orReplace)
    {
        var ifNotExists = tokens.IsWord(at, "if");
        if (ifNotExists) at += 3;
        if (!tokens.IsName(at)) return;
        var action = new DatabaseAction(DatabaseVerb.Create, tokens[at++].Value) { IfNotExists = ifNotExists, OrReplace = orReplace };
        if (tokens.IsWord(at, "from"))
        {
            if (tokens.IsString(at + 1))
                throw Refused("CREATE DATABASE ... FROM a path is not supported over the Postgres endpoint: the server has no access to your files. Use CREATE DATABASE and load the tables, or a DuckDB client");
            if (!tokens.IsName(at + 1)) return;
            action = action with { Source = tokens[at + 1].Value };
            at += 2;
        }
        if (at == tokens.Length) found.Database = action;
    }
}
