using System.Globalization;

namespace MdFunctions.Engine;

/// <summary>Lengths of time as people write them in settings and front matter: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>, <c>7d</c>.</summary>
internal static class Duration
{
    private static readonly (string Name, long Ticks)[] Units =
        [("d", TimeSpan.TicksPerDay), ("h", TimeSpan.TicksPerHour), ("m", TimeSpan.TicksPerMinute), ("s", TimeSpan.TicksPerSecond), ("ms", TimeSpan.TicksPerMillisecond)];

    /// <summary>Reads a whole number followed by its unit.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        var unit = digits < 1 ? 0 : Array.Find(Units, unit => unit.Name == text[digits..]).Ticks;
        if (unit > 0 && int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= TimeSpan.MaxValue.Ticks / unit)
        {
            duration = new(number * unit);
            return true;
        }
        duration = default;
        return false;
    }

    /// <summary>Writes a length of time in the largest unit that leaves it whole.</summary>
    public static string Write(TimeSpan duration)
    {
        var (name, ticks) = duration == TimeSpan.Zero ? Units[3] : Array.Find(Units, unit => duration.Ticks % unit.Ticks == 0 || unit.Name == "ms");
        return $"{duration.Ticks / ticks}{name}";
    }
}
