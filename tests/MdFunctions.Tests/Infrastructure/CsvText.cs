using System.Text;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>Reads CSV by RFC 4180, as strictly as it is written.</summary>
public static class CsvText
{
    /// <summary>The rows with their fields, the header first.</summary>
    public static List<List<string>> Read(string text)
    {
        var rows = new List<List<string>>();
        var row = new List<string>();
        for (var at = 0; at < text.Length;)
        {
            var field = new StringBuilder();
            if (text[at] == '"')
            {
                for (at++; text[at] != '"' || (at + 1 < text.Length && text[at + 1] == '"'); at++)
                {
                    field.Append(text[at]);
                    if (text[at] == '"')
                        at++;
                }
                at++;
            }
            else
            {
                while (text[at] is not (',' or '\r'))
                    field.Append(text[at++]);
            }
            row.Add(field.ToString());
            if (text[at] == ',')
            {
                at++;
                continue;
            }
            Assert.Equal("\r\n", text.Substring(at, 2));
            at += 2;
            rows.Add(row);
            row = [];
        }
        return rows;
    }
}
