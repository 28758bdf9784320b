using System.Reflection;

namespace MdFunctions.Engine;

/// <summary>
/// What the app's trigger methods say about themselves. The engine has no reference to the Functions packages, so it reads their attributes by name.
/// </summary>
/// <param name="Timers">The timers that run loads: the method's name in lower case, and its schedule (an NCRONTAB expression, or a setting's name in <c>%…%</c>).</param>
internal sealed record AppTriggers(IReadOnlyDictionary<string, string> Timers)
{
    /// <summary>Reads the methods of the class whose timers run loads.</summary>
    public static AppTriggers Of(Type loadFunctions) => new(loadFunctions.GetMethods()
        .Select(method => (Name: method.Name.ToLowerInvariant(), Schedule: Schedule(method)))
        .Where(timer => timer.Schedule is not null)
        .ToDictionary(timer => timer.Name, timer => timer.Schedule!, StringComparer.Ordinal));

    private static string? Schedule(MethodInfo method) => method.GetParameters()
        .SelectMany(parameter => parameter.GetCustomAttributesData())
        .Where(attribute => attribute.AttributeType.Name == "TimerTriggerAttribute")
        .Select(attribute => attribute.ConstructorArguments[0].Value as string)
        .FirstOrDefault();
}
