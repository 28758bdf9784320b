using System.Text.RegularExpressions;
using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Remote;
using MdFunctions.Endpoint.Settings;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Policy.Rules;

/// <summary>The rules that follow from a statement's first words.</summary>
internal sealed partial class StatementRules(Examination found, Behaviour behaviour)
{
    private readonly Token[] _tokens = found.Tokens;

    private static EndpointException Refused(string message) => EndpointException.Refused(message);

    /// <summary>Checks the statement that begins at a token: the first, or the one after EXPLAIN or PREPARE ... AS.</summary>
    /// <exception cref="EndpointException">It is refused.</exception>
    public void Check(int at)
    {
        switch (_tokens.IsWord(at) ? _tokens[at].Value : "")
        {
            case "install" or "load":
                throw Extensions(_tokens[at].Value.ToUpperInvariant());
            case "force" when _tokens.IsWord(at + 1, "install"):
                throw Extensions("FORCE INSTALL");
            case "update" when _tokens.IsWord(at + 1, "extensions"):
                throw Extensions("UPDATE EXTENSIONS");
            case "export" or "import":
                throw Refused($"{_tokens[at].Value.ToUpperInvariant()} DATABASE is not supported: it works on local files. Use a DuckDB client instead");
            case "copy":
                CheckCopy(at);
                break;
            case "attach":
                CheckAttach(at);
                break;
            case "detach":
                throw Refused("DETACH is not supported: the databases belong to the account. Use DROP DATABASE to remove one");
            case "set" or "reset" or "discard" or "savepoint" or "release" or "deallocate" or "close" or "unlisten"
                when behaviour == Behaviour.Documented && SettingStatement.Read(_tokens, at) is { } action:
                if (at == 0) found.Setting = action;
                break;
            case "set" or "reset":
                CheckSet(at);
                break;
            case "pragma":
                CheckPragma(at);
                break;
            case "use" when _tokens.Name(at + 1) is "temp" or "system" or "pg_temp":
                throw Refused($"USE {_tokens.Name(at + 1)} is not supported: temporary objects are not available over the Postgres endpoint");
            case "create":
                new CreateRules(found).Check(at);
                break;
            case "drop":
                CheckDrop(at);
                break;
            case "alter" when _tokens.IsWord(at + 1, "database"):
                throw Refused("ALTER DATABASE is not supported by the local endpoint. Create a database with the name that you want");
            case "show" when _tokens.IsWord(at + 1, "all") && _tokens.IsWord(at + 2, "databases"):
                found.Edits.Add(new(_tokens[at + 1].Start, _tokens[at + 1].End, ""));
                break;
            case "explain":
                CheckExplained(at + 1);
                break;
            case "prepare" when Array.FindIndex(_tokens, at, token => token is { Kind: TokenKind.Word, Value: "as" }) is > 0 and var inner:
                CheckInner(inner + 1);
                found.Stored = "prepared statement";
                break;
            default:
                if (behaviour == Behaviour.Documented) PostgresOnly.Check(_tokens, at);
                break;
        }
    }

    private static EndpointException Extensions(string what) =>
        Refused($"{what} is not supported: extensions are managed by MotherDuck. It is not available over the Postgres endpoint");

    private void CheckExplained(int at)
    {
        if (_tokens.IsWord(at, "analyze")) at++;
        if (_tokens.IsPunctuation(at, "(")) at = _tokens.Closing(at) + 1;
        CheckInner(at);
    }

    /// <summary>A statement inside of another is not carried out here: what it would do to whole databases is left to DuckDB to refuse.</summary>
    private void CheckInner(int at)
    {
        Check(at);
        found.Database = null;
    }

    private void CheckCopy(int at)
    {
        if (_tokens.IsWord(at + 1, "from") && _tokens.IsWord(at + 2, "database")) return;
        var depth = 0;
        var to = false;
        for (var i = at + 1; i < _tokens.Length; i++)
        {
            if (_tokens[i].Opens()) depth++;
            if (_tokens[i].Closes()) depth--;
            if (depth != 0 || !_tokens.IsWord(i, "from", "to")) continue;
            to = _tokens[i].Value == "to";
            if (_tokens.IsWord(i + 1, "stdin", "stdout")) throw CopyStream(_tokens[i + 1].Value);
            if (!to && _tokens.IsString(i + 1) && RemoteUrl.IsReadable(_tokens[i + 1].Value))
            {
                var target = _tokens[i + 1];
                found.Remote.Add(new(target.Start, target.End, RemoteForm.Single, "read_csv", [target.Value]));
                return;
            }
            break;
        }
        throw Refused(to
            ? "COPY ... TO a local file is not supported over the Postgres endpoint: the server has no access to your files. Read the rows with SELECT and write the file yourself"
            : "COPY ... FROM a local file is not supported over the Postgres endpoint: the server has no access to your files. Put the file where the server can read it and use read_csv, read_parquet or read_json with its URL");
    }

    private static EndpointException CopyStream(string stream) => Refused(stream == "stdout"
        ? "COPY ... TO STDOUT is not supported over the Postgres endpoint. Read the rows with SELECT and write the file yourself"
        : "COPY ... FROM STDIN is not supported over the Postgres endpoint. Use INSERT with several rows of VALUES, or read a remote file on the server: INSERT INTO ... SELECT ... FROM read_csv('https://...')");

    private void CheckAttach(int at)
    {
        var target = Array.Find(_tokens[at..], token => token.Kind == TokenKind.String).Value;
        if (target?.StartsWith("md:", StringComparison.OrdinalIgnoreCase) != true)
            throw Refused("ATTACH of a local file, of memory or of another system is not supported over the Postgres endpoint. Use CREATE DATABASE for a database of MotherDuck's own");
        var name = target[3..].Split('?')[0];
        if (name.StartsWith("_share/", StringComparison.OrdinalIgnoreCase))
            throw Refused("ATTACH 'md:_share/...' is not supported by the local endpoint, which has no shares other than sample_data");
        found.Database = new(DatabaseVerb.Attach, name);
    }

    private void CheckSet(int at)
    {
        var verb = _tokens[at].Value.ToUpperInvariant();
        var name = at + 1;
        var global = _tokens.IsWord(name, "global");
        if (_tokens.IsWord(name, "session", "local", "global")) name++;
        var zone = (_tokens.IsWord(name, "time") && _tokens.IsWord(name + 1, "zone")) || _tokens.IsName(name, "timezone");
        if (zone && !global)
        {
            CheckZone();
            return;
        }
        var what = _tokens.IsName(name) ? $" {_tokens[name].Value}" : "";
        var instead = _tokens.Name(name) is "schema" or "search_path" ? "Use USE database.schema, or names with their schema" : "Only the session's time zone can be set (SET TimeZone = '...')";
        throw Refused($"{verb}{what} is not supported over the Postgres endpoint: MotherDuck runs in SaaS mode, where configuration is locked. {instead}");
    }

    // The live endpoint was seen to refuse US/Eastern: the areas of IANA's own names are taken, and those kept for old programs' sake are not.
    private void CheckZone()
    {
        if (behaviour == Behaviour.Observed && _tokens[^1] is { Kind: TokenKind.String, Value: { } name } && !ZoneOfToday().IsMatch(name))
            throw Refused($"the time zone '{name}' is not supported: use a name of today's, such as America/New_York");
    }

    private void CheckPragma(int at)
    {
        var name = _tokens.Name(at + 1);
        if (!KnownNames.Pragmas.Contains(name) || _tokens.IsPunctuation(at + 2, "="))
            throw Refused($"PRAGMA {name} is not supported over the Postgres endpoint: MotherDuck runs in SaaS mode, where configuration is locked");
    }

    private void CheckDrop(int at)
    {
        var kind = _tokens.IsWord(at + 1, "persistent", "temporary", "temp") ? at + 2 : at + 1;
        if (_tokens.IsWord(kind, "secret")) throw Refused("DROP SECRET is not supported over the Postgres endpoint");
        if (!_tokens.IsWord(at + 1, "database")) return;
        var name = at + 2;
        var ifExists = _tokens.IsWord(name, "if");
        if (ifExists) name += 2;
        if (!_tokens.IsName(name)) return;
        var end = _tokens.IsWord(name + 1, "cascade", "restrict") ? name + 2 : name + 1;
        if (end == _tokens.Length) found.Database = new(DatabaseVerb.Drop, _tokens[name].Value) { IfExists = ifExists };
    }

    [GeneratedRegex("^((Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)/.*|UTC|GMT)$", RegexOptions.IgnoreCase)]
    private static partial Regex ZoneOfToday();
}
