namespace MdFunctions.Tests.Doctor;

/// <summary>One thing that an endpoint says otherwise than it does.</summary>
/// <param name="Statement">A part of the statement whose exchange is changed; "" for a login.</param>
public sealed record Forgery(string Statement)
{
    /// <summary>A part of statements that stay as they are.</summary>
    public string? Except { get; init; }

    /// <summary>What is run in its place, with as many parameters.</summary>
    public string? Sql { get; init; }

    /// <summary>The first value of every row, in its place.</summary>
    public string? Value { get; init; }

    /// <summary>The SQLSTATE of its error.</summary>
    public string? State { get; init; }

    /// <summary>The message of its error.</summary>
    public string? Message { get; init; }

    /// <summary>The tag of its command.</summary>
    public string? Tag { get; init; }

    /// <summary>The OID of its first column.</summary>
    public int? Oid { get; init; }

    /// <summary>The transaction status after it.</summary>
    public char? Status { get; init; }

    /// <summary>Whether the connection breaks when it comes.</summary>
    public bool Breaks { get; init; }

    /// <summary>Whether requests to cancel are lost.</summary>
    public bool LosesCancels { get; init; }

    /// <summary>A part of a start-up message, and what stands there instead.</summary>
    public (string Part, string Other)? Startup { get; init; }

    /// <summary>A part of a start-up message that is refused.</summary>
    public string? Refuses { get; init; }

    /// <summary>What the second connection gets for its first message, whatever it is.</summary>
    public string? SecondGets { get; init; }
}
