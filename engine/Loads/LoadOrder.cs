namespace MdFunctions.Engine.Loads;

/// <summary>The order that <c>after</c> asks for.</summary>
internal static class LoadOrder
{
    /// <summary>What is wrong with the order: a load that is not there or on another schedule, or a cycle.</summary>
    public static IEnumerable<string> Faults(IReadOnlyDictionary<string, LoadTemplate> loads)
    {
        foreach (var load in loads.Values.OrderBy(load => load.Name, StringComparer.Ordinal))
        {
            foreach (var name in load.After)
            {
                if (!loads.TryGetValue(name, out var before))
                    yield return $"loads/{load.Name}.sql: 'after' names '{name}', but there is no such load";
                else if (before.Schedule != load.Schedule || load.Schedule == "none")
                    yield return $"loads/{load.Name}.sql: 'after' names '{name}', but the two are not on the same schedule ({load.Schedule}, {before.Schedule}), and 'after' orders the loads of one";
            }
            if (Reaches(load.Name, load.Name, loads, []))
                yield return $"loads/{load.Name}.sql: 'after' leads back to '{load.Name}' itself, in a cycle";
        }
    }

    /// <summary>Loads with each one behind those it comes after.</summary>
    public static IReadOnlyList<LoadTemplate> Sort(IEnumerable<LoadTemplate> loads)
    {
        var left = loads.OrderBy(load => load.Name, StringComparer.Ordinal).ToList();
        var sorted = new List<LoadTemplate>(left.Count);
        while (left.Count > 0)
        {
            var next = left.First(load => !load.After.Any(name => left.Exists(other => other.Name == name)));
            sorted.Add(next);
            left.Remove(next);
        }
        return sorted;
    }

    private static bool Reaches(string from, string to, IReadOnlyDictionary<string, LoadTemplate> loads, HashSet<string> seen) =>
        loads.TryGetValue(from, out var load) && load.After.Any(name => name == to || (seen.Add(name) && Reaches(name, to, loads, seen)));
}
