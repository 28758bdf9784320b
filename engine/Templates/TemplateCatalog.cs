using System.Collections.Frozen;
using System.Text.RegularExpressions;
using MdFunctions.Engine.Ingest;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Queries;

namespace MdFunctions.Engine.Templates;

/// <summary>All SQL files of the app, read once at start-up.</summary>
internal sealed partial class TemplateCatalog
{
    private readonly List<string> _faults = [];

    private TemplateCatalog(Settings settings, QueryOptions queries, AppTriggers triggers, string folder)
    {
        Queries = ReadAll(Path.Combine(folder, "queries"), file => QueryTemplate.Read(file, settings, queries), template => template.Template.Name);
        Loads = ReadAll(Path.Combine(folder, "loads"), file => LoadTemplate.Read(file, settings, triggers), template => template.Template.Name);
        Ingests = ReadAll(Path.Combine(folder, "ingest"), file => IngestTemplate.Read(file, settings), template => template.Template.Name);
        _faults.AddRange(LoadOrder.Faults(Loads));
    }

    /// <summary>The queries, by name.</summary>
    public FrozenDictionary<string, QueryTemplate> Queries { get; }

    /// <summary>The loads, by name.</summary>
    public FrozenDictionary<string, LoadTemplate> Loads { get; }

    /// <summary>The ingests, by name.</summary>
    public FrozenDictionary<string, IngestTemplate> Ingests { get; }

    /// <summary>What is wrong with the files, a line each: <c>queries/name.sql:LINE: what</c>.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>Reads the folders <c>queries</c>, <c>loads</c> and <c>ingest</c> of a folder; one that is not there has no files.</summary>
    public static TemplateCatalog Read(Settings settings, QueryOptions queries, AppTriggers triggers, string folder) => new(settings, queries, triggers, folder);

    private FrozenDictionary<string, T> ReadAll<T>(string folder, Func<SqlFile, T> read, Func<T, string> name)
    {
        if (!Directory.Exists(folder))
            return FrozenDictionary<string, T>.Empty;
        var templates = new List<T>();
        foreach (var path in Directory.EnumerateFiles(folder, "*.sql").Order(StringComparer.Ordinal))
        {
            var file = SqlFile.Read(path);
            if (!TemplateName().IsMatch(file.Name))
                file.FaultAtLine(1, "the file's name is the template's: letters, digits, _ and - only");
            templates.Add(read(file));
            _faults.AddRange(file.Faults);
        }
        return templates.ToFrozenDictionary(name, StringComparer.Ordinal);
    }

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    private static partial Regex TemplateName();
}
