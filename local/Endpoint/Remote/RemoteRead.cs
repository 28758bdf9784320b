namespace MdFunctions.Endpoint.Remote;

internal enum RemoteForm
{
    /// <summary>A string as a table function's argument.</summary>
    Argument,

    /// <summary>A list of strings as a table function's argument.</summary>
    List,

    /// <summary>An expression as a table function's argument: what it gives is known only when DuckDB has evaluated it.</summary>
    Expression,

    /// <summary><c>FROM 'https://...'</c>.</summary>
    Relation,

    /// <summary>COPY ... FROM, which takes one file.</summary>
    Single,
}

/// <summary>A place in a statement that names remote files.</summary>
/// <param name="Start">Where it begins in the text.</param>
/// <param name="End">Where the text goes on after it.</param>
/// <param name="Form">What stands there.</param>
/// <param name="Reader">The table function that reads them.</param>
/// <param name="Urls">The URLs; empty for an expression.</param>
internal sealed record RemoteRead(int Start, int End, RemoteForm Form, string Reader, IReadOnlyList<string> Urls);

/// <summary>A remote file, and where it is cached.</summary>
internal sealed record RemoteFile(string Url, string Path);
