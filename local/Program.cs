using MdFunctions.Engine;
using MdFunctions.Local;
using MdFunctions.Local.Doctor;

if (args is ["doctor", .. var rest])
    return await DoctorCommand.RunAsync(rest);
try
{
    var options = LocalOptions.Parse(args);
    if (options.Help)
    {
        Console.WriteLine(LocalOptions.HelpText);
        return 0;
    }

    await using var host = await LocalHost.StartAsync(options, Console.WriteLine, CancellationToken.None);
    Console.WriteLine(Banner.For(host));
    await host.WaitForShutdownAsync();
    return 0;
}
catch (Exception e) when (e is LocalException or StartupException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
