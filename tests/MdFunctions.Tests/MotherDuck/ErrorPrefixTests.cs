using MdFunctions.Engine.MotherDuck;
using Npgsql;

namespace MdFunctions.Tests.MotherDuck;

/// <summary>Every kind of error that DuckDB has is known by its prefix, and nothing else passes for one.</summary>
public sealed class ErrorPrefixTests
{
    [Theory]
    [InlineData("Out of Range Error: Overflow in addition of INT32 (2147483647 + 1)!", "Out of Range Error")]
    [InlineData("Out of Memory Error: failed to pin block", "Out of Memory Error")]
    [InlineData("TransactionContext Error: Catalog write-write conflict", "TransactionContext Error")]
    [InlineData("Not implemented Error: x", "Not implemented Error")]
    [InlineData("Divide by Zero Error: x", "Divide by Zero Error")]
    [InlineData("Parameter Not Resolved Error: x", "Parameter Not Resolved Error")]
    [InlineData("Invalid type Error: x", "Invalid type Error")]
    [InlineData("INTERNAL Error: x", "INTERNAL Error")]
    [InlineData("Dependency Error: x", "Dependency Error")]
    [InlineData("Ann Miller Error: x", "SQLSTATE XX000")]
    [InlineData("no prefix", "SQLSTATE XX000")]
    public void A_prefix_is_the_reason(string message, string reason) =>
        Assert.Equal(reason, MotherDuckError.From(new PostgresException(message, "ERROR", "ERROR", "XX000"))?.Reason);
}
