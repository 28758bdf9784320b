using MdFunctions.Engine.Templates;

namespace MdFunctions.Tests.Templates;

/// <summary>Numbers for FLOAT and DOUBLE, in requests and webhooks: one that would become another number is refused.</summary>
public sealed class FloatTextTests
{
    [Theory]
    [InlineData("FLOAT", "16777216")]
    [InlineData("FLOAT", "-0.1")]
    [InlineData("FLOAT", "0.100000001")] // 0.1 in all the digits that a FLOAT can have.
    [InlineData("FLOAT", "33554432.000")]
    [InlineData("FLOAT", "3.4028235e38")]
    [InlineData("FLOAT", "1e10")]
    [InlineData("DOUBLE", "9007199254740992")]
    [InlineData("DOUBLE", "0.30000000000000004")]
    [InlineData("DOUBLE", "0.10000000000000001")] // 0.1 in all the digits that a DOUBLE can have.
    [InlineData("DOUBLE", "1.7976931348623157E+308")]
    [InlineData("DOUBLE", "100000000000000000000000")]
    [InlineData("DOUBLE", "0.50000000000000000000000000")]
    [InlineData("DOUBLE", "5e-324")]
    [InlineData("DOUBLE", "NaN")]
    public void A_number_that_the_type_keeps_is_taken_as_it_is(string type, string text) => Assert.Equal(text, ParameterType.Parse(type)!.Read(text)!.Text);

    [Theory]
    [InlineData("FLOAT", "16777217")]
    [InlineData("FLOAT", "12345678.9")]
    [InlineData("FLOAT", "3.14159265358979")]
    [InlineData("FLOAT", "3.5e38")]
    [InlineData("FLOAT", "1e-50")]
    [InlineData("DOUBLE", "9007199254740993")]
    [InlineData("DOUBLE", "-12345678901234567890")]
    [InlineData("DOUBLE", "0.1234567890123456789")]
    [InlineData("DOUBLE", "3.14159265358979323846")]
    [InlineData("DOUBLE", "1e400")]
    public void A_number_that_would_become_another_is_none(string type, string text) => Assert.Null(ParameterType.Parse(type)!.Read(text));
}
