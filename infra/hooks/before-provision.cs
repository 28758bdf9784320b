// azd runs this before it provisions: asks for the MotherDuck token where none is set, and registers what a virtual network needs.
// after-provision.cs takes the token out of azd's environment again.
using System.Diagnostics;
using System.Text;

var environment = Environment.GetEnvironmentVariable("AZURE_ENV_NAME") ?? "";
if (Run("azd", ["env", "get-value", "MOTHERDUCK_TOKEN", "--environment", environment]) != 0)
{
    if (Environment.GetEnvironmentVariable("MOTHERDUCK_TOKEN") is { Length: > 0 } fromShell)
        Console.WriteLine(fromShell == "keep" ? "The MotherDuck token in Key Vault stays." : "The MotherDuck token is that of your shell's MOTHERDUCK_TOKEN.");
    else if (!Console.IsInputRedirected && Environment.GetEnvironmentVariable("CI") is null && Ask() is { Length: > 0 } token)
        return Run("azd", ["env", "set", "MOTHERDUCK_TOKEN", token, "--environment", environment]);
    else
        Console.WriteLine("No MotherDuck token is set: the app will answer 503 until Key Vault has one.");
}

// Azure registers by itself what the template names; this one is named by a subnet only.
if (bool.TryParse(Environment.GetEnvironmentVariable("VNET_ENABLED"), out var network) && network
    && Run("az", ["provider", "register", "--namespace", "Microsoft.App", "--wait"]) != 0)
{
    Console.Error.WriteLine("VNET_ENABLED needs the resource provider Microsoft.App. Register it: az provider register --namespace Microsoft.App --wait");
    return 1;
}
return 0;

static string Ask()
{
    Console.Write("MotherDuck access token (Enter: set it in Key Vault later): ");
    var typed = new StringBuilder();
    while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
    {
        if (key.Key == ConsoleKey.Backspace)
            typed.Length = Math.Max(0, typed.Length - 1);
        else if (!char.IsControl(key.KeyChar))
            typed.Append(key.KeyChar);
    }
    Console.WriteLine();
    return typed.ToString().Trim();
}

// What it prints is dropped: it may be a secret. On Windows az is a script, which only the shell starts.
static int Run(string command, string[] arguments)
{
    var start = OperatingSystem.IsWindows() ? new ProcessStartInfo("cmd", ["/c", command, .. arguments]) : new ProcessStartInfo(command, arguments);
    (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
    try
    {
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return process.ExitCode;
    }
    catch (System.ComponentModel.Win32Exception)
    {
        return -1; // It is not installed.
    }
}
