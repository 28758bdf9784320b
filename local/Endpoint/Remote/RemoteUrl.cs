using System.Text.RegularExpressions;

namespace MdFunctions.Endpoint.Remote;

/// <summary>What a URL says of itself.</summary>
internal static partial class RemoteUrl
{
    /// <summary>Whether the endpoint can read it.</summary>
    public static bool IsReadable(string text) => Readable().IsMatch(text);

    /// <summary>Refuses what is no URL that the endpoint can read.</summary>
    /// <exception cref="EndpointException">It is a local path, or of another kind of storage.</exception>
    public static void Check(string url, string reader)
    {
        if (IsReadable(url)) return;
        if (IsElsewhere(url)) throw EndpointException.Refused($"the local endpoint reads http://, https://, az:// and azure:// only, not '{url}'");
        throw EndpointException.Refused(
            $"{reader} of a local path ('{url}') is not supported over the Postgres endpoint: the server has no access to your files. " +
            "Put the file where the server can read it and give its URL");
    }

    /// <summary>Whether it names another kind of storage.</summary>
    public static bool IsElsewhere(string text) => Elsewhere().IsMatch(text);

    /// <summary>Whether a text after FROM is meant as a file, rather than as a table with a strange name.</summary>
    public static bool LooksLikeFile(string text) => Path().IsMatch(text);

    /// <summary>For logs: what follows the question mark may be a secret, and so may what stands before an at sign.</summary>
    public static string Masked(string url) => Login().Replace(Query().Replace(url, "?***"), "//***@");

    /// <summary>The table function that DuckDB reads a file of this name with.</summary>
    public static string ReaderFor(string url)
    {
        var path = Compression().Replace(url.Split('?', '#')[0], "");
        if (path.EndsWith(".parquet", StringComparison.OrdinalIgnoreCase)) return "read_parquet";
        return Json().IsMatch(path) ? "read_json_auto" : "read_csv_auto";
    }

    [GeneratedRegex("^(https?|az|azure|abfss?)://", RegexOptions.IgnoreCase)]
    private static partial Regex Readable();

    [GeneratedRegex("^(s3|s3a|s3n|gcs|gs|r2|hf|ftp|hdfs)://", RegexOptions.IgnoreCase)]
    private static partial Regex Elsewhere();

    [GeneratedRegex(@"[/\\]|\.(csv|tsv|txt|parquet|json|jsonl|ndjson|db|duckdb|arrow|xlsx)(\.(gz|zst))?$", RegexOptions.IgnoreCase)]
    private static partial Regex Path();

    [GeneratedRegex(@"\?[\s\S]*$")]
    private static partial Regex Query();

    [GeneratedRegex("//[^/@]*@")]
    private static partial Regex Login();

    [GeneratedRegex(@"\.(gz|zst)$", RegexOptions.IgnoreCase)]
    private static partial Regex Compression();

    [GeneratedRegex(@"\.(json|jsonl|ndjson)$", RegexOptions.IgnoreCase)]
    private static partial Regex Json();
}
