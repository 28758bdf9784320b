using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Xml.Linq;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Template.Tests;

/// <summary><c>dotnet pack engine</c> makes a package that is fit to publish.</summary>
[Collection(nameof(WindowsClone))]
public sealed class EnginePackageTests(WindowsClone clone)
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    [Fact]
    public async Task The_package_has_all_that_its_users_need()
    {
        var folder = Path.Combine(clone.Work, "engine-package");
        await Command.RunAsync(clone.Root, "dotnet", "pack", "engine", "-o", folder);

        using var package = ZipFile.OpenRead(Directory.EnumerateFiles(folder, "*.nupkg").Single());
        var names = package.Entries.Select(entry => entry.FullName).ToList();
        Assert.Subset(names.ToHashSet(), new HashSet<string> { "README.md", "LICENSE", "lib/net10.0/MdFunctions.Engine.dll", "lib/net10.0/MdFunctions.Engine.xml" });

        var nuspec = XDocument.Parse(Text(package, "MdFunctions.Engine.nuspec"));
        string? Element(string name) => nuspec.Descendants().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
        Assert.Equal(("MIT", "README.md"), (Element("license"), Element("readme")));
        var repository = nuspec.Descendants().Single(element => element.Name.LocalName == "repository");
        Assert.Equal("https://github.com/example/mdfunctions", repository.Attribute("url")?.Value);
        Assert.Equal(40, repository.Attribute("commit")?.Value.Length);
        Assert.DoesNotContain(nuspec.Descendants(), element => element.Name.LocalName == "dependency" && element.Attribute("id")!.Value.Contains("Azure.Functions", StringComparison.OrdinalIgnoreCase));

        // Everything public is documented.
        var documented = XDocument.Parse(Text(package, "lib/net10.0/MdFunctions.Engine.xml")).Descendants("member").Select(member => member.Attribute("name")!.Value).ToHashSet();
        Assert.Contains("T:MdFunctions.Engine.EngineServices", documented);

        // The same sources give the same bytes, wherever they lie.
        using var assembly = new PEReader(new MemoryStream(Bytes(package, "lib/net10.0/MdFunctions.Engine.dll")));
        Assert.Contains(assembly.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.Reproducible);

        using var symbols = ZipFile.OpenRead(Directory.EnumerateFiles(folder, "*.snupkg").Single());
        using var pdb = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(Bytes(symbols, "lib/net10.0/MdFunctions.Engine.pdb")));
        var reader = pdb.GetMetadataReader();
        Assert.All(reader.Documents, document => Assert.StartsWith("/_", reader.GetString(reader.GetDocument(document).Name), StringComparison.Ordinal));
        var links = reader.CustomDebugInformation.Select(reader.GetCustomDebugInformation).Where(information => reader.GetGuid(information.Kind) == SourceLink)
            .Select(information => Encoding.UTF8.GetString(reader.GetBlobBytes(information.Value))).ToList();
        Assert.Contains("https://raw.githubusercontent.com/example/mdfunctions/", Assert.Single(links), StringComparison.Ordinal);
    }

    private static byte[] Bytes(ZipArchive archive, string name)
    {
        using var stream = archive.GetEntry(name)!.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static string Text(ZipArchive archive, string name) => Encoding.UTF8.GetString(Bytes(archive, name)).TrimStart('\uFEFF');
}
