using System.Text;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Http;

/// <summary>The query string as it was sent. ASP.NET Core leaves what is not UTF-8 as it stands, percent signs and all, so that it becomes another text.</summary>
internal static class QueryText
{
    /// <summary>400 if a part of the query string is not UTF-8; null if all is well.</summary>
    public static Problem? Check(HttpRequest request)
    {
        var query = request.QueryString.Value;
        if (query is null || !query.Contains('%'))
            return null;
        foreach (var part in query[1..].Split('&'))
        {
            if (Utf8.IsValid(Decode(part)))
                continue;
            var name = part.Split('=')[0];
            return Utf8.IsValid(Decode(name))
                ? Problem.BadInput(new Dictionary<string, string[]> { [Text(name)] = [$"'{Text(name)}' is not UTF-8 in the query string."] })
                : Problem.BadRequest("A name in the query string is not UTF-8.");
        }
        return null;
    }

    private static string Text(string part) => Encoding.UTF8.GetString(Decode(part));

    private static byte[] Decode(string part)
    {
        var bytes = new List<byte>(part.Length);
        for (var i = 0; i < part.Length; i++)
        {
            if (part[i] == '%' && i + 2 < part.Length && char.IsAsciiHexDigit(part[i + 1]) && char.IsAsciiHexDigit(part[i + 2]))
            {
                bytes.Add(Convert.FromHexString(part.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(part[i] == '+' ? " " : part[i].ToString()));
            }
        }
        return [.. bytes];
    }
}
