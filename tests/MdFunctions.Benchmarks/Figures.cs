namespace MdFunctions.Benchmarks;

/// <summary>Medians, and lines of a table.</summary>
public static class Figures
{
    /// <summary>The middle of some figures.</summary>
    public static double Median(this IEnumerable<double> figures)
    {
        var sorted = figures.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>Prints a figure beside what it is compared with.</summary>
    public static void Print(string name, double figure, string unit, double? baseline = null, string? goal = null) =>
        Console.WriteLine(FormattableString.Invariant(
            $"{name,-58} {figure,10:0.##} {unit,-8}{(baseline is { } one ? FormattableString.Invariant($"{figure / one,8:0.00}x") : ""),9}{(goal is null ? "" : $"   goal: {goal}")}"));
}
