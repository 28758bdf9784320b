using System.Globalization;

namespace MdFunctions.Engine;

/// <summary>Lengths of time as people write them in settings and front matter: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>, <c>7d</c>.</summary>
internal static class Duration
{
    /// <summary>Reads a whole number followed by its unit.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        TimeSpan? unit = digits < 1 ? null : text[digits..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            _ => null,
        };
        if (unit is { } one && int.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= TimeSpan.MaxValue / one)
        {
            duration = number * one;
            return true;
        }
        duration = default;
        return false;
    }

    /// <summary>Writes a length of time in the largest unit that leaves it whole.</summary>
    public static string Write(TimeSpan duration) => duration switch
    {
        { Ticks: 0 } => "0s",
        _ when duration.Ticks % TimeSpan.TicksPerDay == 0 => $"{duration.Ticks / TimeSpan.TicksPerDay}d",
        _ when duration.Ticks % TimeSpan.TicksPerHour == 0 => $"{duration.Ticks / TimeSpan.TicksPerHour}h",
        _ when duration.Ticks % TimeSpan.TicksPerMinute == 0 => $"{duration.Ticks / TimeSpan.TicksPerMinute}m",
        _ when duration.Ticks % TimeSpan.TicksPerSecond == 0 => $"{duration.Ticks / TimeSpan.TicksPerSecond}s",
        _ => $"{duration.Ticks / TimeSpan.TicksPerMillisecond}ms",
    };
}
