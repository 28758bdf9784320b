using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy.Rules;

/// <summary>The rules of CREATE.</summary>
internal sealed class CreateRules(Examination found)
{
    private readonly Token[] _tokens = found.Tokens;

    public void Check(int at)
    {
        var orReplace = _tokens.IsWord(at + 1, "or");
        at++;
        while (_tokens.IsWord(at, "or", "replace", "local", "global", "unlogged", "recursive")) at++;
        if (_tokens.IsWord(at, "temp", "temporary") && !_tokens.IsPunctuation(at + 1, "(")) throw Temporary();
        if (_tokens.IsWord(at, "persistent")) at++;
        switch (_tokens.IsWord(at) ? _tokens[at].Value : "")
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
                found.Stored = _tokens[at].Value;
                break;
            case "database":
                CreateDatabase(at + 1, orReplace);
                return;
        }
        var name = _tokens.IsWord(at + 1, "if") ? at + 4 : at + 1;
        if (_tokens.Name(name) is "temp" or "pg_temp" && _tokens.IsPunctuation(name + 1, "."))
            throw Refused("temporary objects are not supported over the Postgres endpoint");
    }

    private static EndpointException Refused(string message) => EndpointException.Refused(message);

    private static EndpointException Temporary() => Refused(
        "CREATE TEMP is not supported over the Postgres endpoint. Use a table of your own and drop it, or a common table expression (WITH ... AS)");

    private void CreateDatabase(int at, bool orReplace)
    {
        var ifNotExists = _tokens.IsWord(at, "if");
        if (ifNotExists) at += 3;
        if (!_tokens.IsName(at)) return;
        var action = new DatabaseAction(DatabaseVerb.Create, _tokens[at++].Value) { IfNotExists = ifNotExists, OrReplace = orReplace };
        if (_tokens.IsWord(at, "from"))
        {
            if (_tokens.IsString(at + 1))
                throw Refused("CREATE DATABASE ... FROM a path is not supported over the Postgres endpoint: the server has no access to your files. Use CREATE DATABASE and load the tables, or a DuckDB client");
            if (!_tokens.IsName(at + 1)) return;
            action = action with { Source = _tokens[at + 1].Value };
            at += 2;
        }
        if (at == _tokens.Length) found.Database = action;
    }
}
