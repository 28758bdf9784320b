using System.Text.Json;

namespace MdFunctions.Local.Worker;

/// <summary>Which occurrence each timer waits for, kept in a file as the Functions host keeps it in its storage account.</summary>
/// <param name="file">The file; null to keep nothing.</param>
public sealed class TimerState(string? file)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTime> _next = file is not null && File.Exists(file)
        ? JsonSerializer.Deserialize<Dictionary<string, DateTime>>(File.ReadAllText(file))!
        : [];

    /// <summary>The occurrence that a timer waited for when the host stopped; null if it never waited.</summary>
    public DateTime? Next(string timer)
    {
        lock (_lock)
            return _next.TryGetValue(timer, out var next) ? next : null;
    }

    /// <summary>Remembers the occurrence that a timer waits for now.</summary>
    public void Expect(string timer, DateTime next)
    {
        if (file is null)
            return;
        lock (_lock)
        {
            _next[timer] = next;
            File.WriteAllText(file + ".new", JsonSerializer.Serialize(_next));
            File.Move(file + ".new", file, overwrite: true);
        }
    }
}
