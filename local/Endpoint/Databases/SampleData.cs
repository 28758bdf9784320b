using MdFunctions.Endpoint.Native;

namespace MdFunctions.Endpoint.Databases;

/// <summary>The file of the sample database. Making it takes a while, so a process makes it once and keeps its bytes.</summary>
internal static class SampleData
{
    private static readonly Lazy<byte[]> Bytes = new(Make);

    /// <summary>The file in a folder; it is made where it is not there yet. Endpoints that start at the same moment may each make it, and one wins.</summary>
    public static string File(string folder)
    {
        var file = Path.Combine(folder, $"{AccountDatabases.Samples}-{SampleTables.Version}.duckdb");
        if (System.IO.File.Exists(file)) return file;
        var temporary = Path.Combine(folder, $"{Guid.NewGuid():N}.tmp");
        System.IO.File.WriteAllBytes(temporary, Bytes.Value);
        System.IO.File.Move(temporary, file, overwrite: true);
        return file;
    }

    private static byte[] Make()
    {
        var folder = Directory.CreateTempSubdirectory("motherduck-samples-");
        try
        {
            var file = Path.Combine(folder.FullName, "samples.duckdb");
            using (var engine = Engine.Open(file, ("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false")))
            using (var connection = engine.Connect())
            {
                foreach (var statement in SampleTables.Statements) connection.Run(statement);
                connection.Run("CHECKPOINT");
            }
            return System.IO.File.ReadAllBytes(file);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
