using MdFunctions.Benchmarks;

// Figures of one run are compared with each other, never with those of another run or machine.
var benchmarks = new Dictionary<string, Func<Task>>
{
    ["queries"] = QueryBenchmark.RunAsync,
    ["tokens"] = TokenBenchmark.RunAsync,
    ["pool"] = PoolBenchmark.RunAsync,
    ["ingest"] = IngestBenchmark.RunAsync,
    ["signatures"] = SignatureBenchmark.RunAsync,
    ["loads"] = LoadBenchmark.RunAsync,
    ["errors"] = ErrorBenchmark.RunAsync,
    ["pressure"] = PressureBenchmark.RunAsync,
    ["overload"] = PressureBenchmark.RunOverloadAsync,
    ["refusals"] = RefusalBenchmark.RunAsync,
    ["endpoint"] = EndpointBenchmark.RunAsync,
    ["apps"] = AppBenchmark.RunAsync,
    ["start"] = StartBenchmark.RunAsync,
    ["request"] = RequestBenchmark.RunAsync,
};
if (args is [FileServer.Word, var folder])
{
    await FileServer.RunAsync(folder);
    return 0;
}
if (args is [Callers.Word, .. var calling])
{
    await Callers.RunAsync(calling);
    return 0;
}
if (args.FirstOrDefault(arg => !benchmarks.ContainsKey(arg)) is { } unknown)
{
    Console.Error.WriteLine($"There is no benchmark '{unknown}'. There are: {string.Join(", ", benchmarks.Keys)}; without arguments all of them run.");
    return 2;
}
foreach (var name in args.Length > 0 ? args : [.. benchmarks.Keys.Where(name => name != "overload")]) // A part of pressure.
{
    Console.WriteLine($"== {name}");
    await benchmarks[name]();
    Console.WriteLine();
}
return 0;
