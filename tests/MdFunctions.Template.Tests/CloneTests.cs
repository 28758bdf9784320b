using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Template.Tests;

/// <summary>A clone on Windows is the same as everywhere.</summary>
[Collection(nameof(WindowsClone))]
public sealed class CloneTests(WindowsClone clone)
{
    [Fact]
    public async Task Its_lines_end_as_everywhere()
    {
        var files = (await Command.RunAsync(clone.Root, "git", "ls-files", "--eol")).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.True(files.Length > 200);
        Assert.DoesNotContain(files, file => file.Contains("w/crlf", StringComparison.Ordinal) || file.Contains("w/mixed", StringComparison.Ordinal));
        Assert.Equal("", (await Command.RunAsync(clone.Root, "git", "status", "--porcelain")).Trim());
    }

    [Fact]
    public async Task It_builds_and_passes_the_format_check()
    {
        await clone.BuildAsync();
        await Command.RunAsync(clone.Root, "dotnet", "format", "MdFunctions.sln", "--verify-no-changes");
    }

    [Fact]
    public async Task A_copy_made_from_it_is_the_copy_made_anywhere()
    {
        var elsewhere = Path.Combine(clone.Work, "elsewhere");
        await Command.RunAsync(clone.Work, "git", "clone", "--quiet", "-c", "core.autocrlf=false", clone.Root, elsewhere);
        string[] hive = ["--debug:custom-hive", Path.Combine(clone.Work, "hive"), "--debug:disable-sdk-templates"];
        await Command.RunAsync(clone.Work, "dotnet", ["new", "install", elsewhere, .. hive]);
        await Command.RunAsync(clone.Work, "dotnet", ["new", "mdfunctions", "-n", "Acme.Data", "-o", "from-clone", .. hive]);
        // From the package, of the clone with the other setting.
        var copy = await clone.CopyAsync("from-package", "-n", "Acme.Data");

        var other = Path.Combine(clone.Work, "from-clone");
        Assert.Equal(WindowsClone.Files(other), WindowsClone.Files(copy));
        Assert.All(WindowsClone.Files(copy), file => Assert.Equal(File.ReadAllBytes(Path.Combine(other, file)), File.ReadAllBytes(Path.Combine(copy, file))));
    }
}
