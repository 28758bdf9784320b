using System.Reflection;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Docs;
using MdFunctions.Engine.Loads;
using MdFunctions.Engine.Mcp;
using MdFunctions.Engine.Queries;

namespace MdFunctions.Engine;

/// <summary>An HTTP trigger of a class that hands requests to the engine, as its attribute says.</summary>
/// <param name="Function">The function's name.</param>
/// <param name="Route">The route, below the prefix; null where the attribute names none.</param>
/// <param name="IsOpen">Whether the platform asks for no key: <c>AuthorizationLevel.Anonymous</c>.</param>
/// <param name="Serves">What the class hands requests to.</param>
internal sealed record HttpTrigger(string Function, string? Route, bool IsOpen, IReadOnlySet<Type> Serves)
{
    // What needs to know who asks; webhooks are signed, and health tells nothing that is anybody's.
    private static readonly Type[] WithCallers = [typeof(QueryRequests), typeof(LoadRequests), typeof(StorageEvents), typeof(DocsRequests), typeof(McpRequests)];

    /// <summary>Whether its route is for callers that are known; the page and the metadata hold no data.</summary>
    public bool NeedsCaller => Serves.Any(WithCallers.Contains) && Route is not ("docs" or Admission.MetadataRoute);

    /// <summary>Reads a method's attributes by name; null where it is no HTTP trigger, or of a class that uses nothing of the engine.</summary>
    public static HttpTrigger? Read(MethodInfo method)
    {
        var attribute = method.GetParameters().SelectMany(parameter => parameter.GetCustomAttributesData()).FirstOrDefault(attribute => attribute.AttributeType.Name == "HttpTriggerAttribute");
        var serves = method.DeclaringType!.GetConstructors().SelectMany(constructor => constructor.GetParameters()).Select(parameter => parameter.ParameterType)
            .Where(type => type.Assembly == typeof(HttpTrigger).Assembly).ToHashSet();
        if (attribute is null || serves.Count == 0)
            return null;
        // Of AuthorizationLevel, 0 is Anonymous; what is not said is Function.
        var level = attribute.ConstructorArguments.Where(argument => argument.ArgumentType.Name == "AuthorizationLevel").Select(argument => argument.Value).FirstOrDefault();
        var route = attribute.NamedArguments.Where(argument => argument.MemberName == "Route").Select(argument => argument.TypedValue.Value as string).FirstOrDefault();
        return new(AppTriggers.FunctionName(method), route, level is 0, serves);
    }
}
