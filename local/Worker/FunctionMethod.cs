using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;

namespace MdFunctions.Local.Worker;

/// <summary>A method that carries <see cref="FunctionAttribute"/>, found by reflection as the worker's generator finds it.</summary>
/// <param name="Name">The function's name.</param>
/// <param name="Method">The method to call.</param>
/// <param name="Http">Its HTTP trigger, if it has one.</param>
/// <param name="Timer">Its timer trigger, if it has one.</param>
public sealed record FunctionMethod(string Name, MethodInfo Method, HttpTriggerAttribute? Http, TimerTriggerAttribute? Timer)
{
    /// <summary>All functions of an assembly, in the order of their names.</summary>
    /// <exception cref="InvalidOperationException">Two functions share a name, or one has no trigger that this host knows.</exception>
    public static IReadOnlyList<FunctionMethod> Discover(Assembly assembly)
    {
        var functions = assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => method.IsDefined(typeof(FunctionAttribute)))
            .Select(method => new FunctionMethod(
                method.GetCustomAttribute<FunctionAttribute>()!.Name,
                method,
                Trigger<HttpTriggerAttribute>(method),
                Trigger<TimerTriggerAttribute>(method)))
            .OrderBy(function => function.Name, StringComparer.Ordinal)
            .ToList();

        foreach (var function in functions)
        {
            if (function.Http is null && function.Timer is null)
                throw new InvalidOperationException($"Function '{function.Name}' has no HTTP or timer trigger on a parameter.");
        }
        if (functions.GroupBy(f => f.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InvalidOperationException($"Two functions are named '{twice.Key}'; names must be unique.");
        return functions;
    }

    /// <summary>Calls the method on a new instance of its class, as the worker does.</summary>
    /// <returns>The method's result, awaited; null for one that returns nothing.</returns>
    public async Task<object?> InvokeAsync(IServiceProvider services, Func<ParameterInfo, object?> argument)
    {
        var instance = Method.IsStatic ? null : ActivatorUtilities.CreateInstance(services, Method.DeclaringType!);
        var arguments = Method.GetParameters().Select(argument).ToArray();
        var returned = Method.Invoke(instance, BindingFlags.DoNotWrapExceptions, null, arguments, null);
        switch (returned)
        {
            case Task<IResult> result:
                return await result;
            case Task task:
                await task;
                return null;
            default:
                return returned;
        }
    }

    private static T? Trigger<T>(MethodInfo method) where T : Attribute =>
        method.GetParameters().Select(p => p.GetCustomAttribute<T>()).FirstOrDefault(a => a is not null);
}
