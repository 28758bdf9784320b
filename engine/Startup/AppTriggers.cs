using System.Reflection;

namespace MdFunctions.Engine;

/// <summary>
/// What the app's trigger methods say about themselves. The engine has no reference to the Functions packages, so it reads their attributes by name.
/// </summary>
/// <param name="Timers">The timers that run loads: the method's name in lower case, and its schedule (an NCRONTAB expression, or a setting's name in <c>%…%</c>).</param>
/// <param name="Others">The app's other timers: the function's name, and its schedule.</param>
internal sealed record AppTriggers(IReadOnlyDictionary<string, string> Timers, IReadOnlyDictionary<string, string> Others)
{
    /// <summary>The HTTP triggers of the classes that hand requests to the engine.</summary>
    public IReadOnlyList<HttpTrigger> Http { get; init; } = [];

    /// <summary>Reads the methods of the class whose timers run loads, and of the others in its assembly.</summary>
    public static AppTriggers Of(Type loadFunctions)
    {
        var own = loadFunctions.GetMethods();
        var others = loadFunctions.Assembly.GetExportedTypes().Where(type => type != loadFunctions).SelectMany(type => type.GetMethods()).ToArray();
        return new(Read(own, method => method.Name.ToLowerInvariant()), Read(others, FunctionName))
        {
            Http = [.. own.Concat(others).Select(HttpTrigger.Read).OfType<HttpTrigger>()],
        };
    }

    private static Dictionary<string, string> Read(IEnumerable<MethodInfo> methods, Func<MethodInfo, string> name)
    {
        var schedules = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var method in methods)
        {
            if (Schedule(method) is { } schedule)
                schedules.TryAdd(name(method), schedule);
        }
        return schedules;
    }

    internal static string FunctionName(MethodInfo method) =>
        Argument(method.GetCustomAttributesData(), "FunctionAttribute") ?? $"{method.DeclaringType?.Name}.{method.Name}";

    private static string? Schedule(MethodInfo method) =>
        Argument(method.GetParameters().SelectMany(parameter => parameter.GetCustomAttributesData()), "TimerTriggerAttribute");

    private static string? Argument(IEnumerable<CustomAttributeData> attributes, string name) => attributes
        .Where(attribute => attribute.AttributeType.Name == name)
        .Select(attribute => attribute.ConstructorArguments[0].Value as string)
        .FirstOrDefault();
}
