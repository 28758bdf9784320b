using MdFunctions.Local.Doctor;
using MdFunctions.Tests.Docs;

namespace MdFunctions.Tests.Doctor;

/// <summary>docs/endpoint-facts.md and the probes say the same.</summary>
public sealed class FactsPageTests
{
    private const string Start = "<!-- made from the probes by `dotnet run --project local -- doctor --facts` -->";
    private const string End = "<!-- end of what is made -->";

    [Fact]
    public void The_page_is_made_from_the_probes()
    {
        var page = DocPages.All["docs/endpoint-facts.md"];
        var start = page.IndexOf(Start, StringComparison.Ordinal);
        Assert.True(start >= 0, "the mark is missing");
        var made = page[(start + Start.Length)..page.IndexOf(End, StringComparison.Ordinal)];
        Assert.True(FactsPage.Write().Trim() == made.Trim(), "docs/endpoint-facts.md differs from the probes: put what `doctor --facts` prints between its marks");
    }
}
