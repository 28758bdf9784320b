using System.Diagnostics;
using MdFunctions.Tests.Infrastructure;

namespace MdFunctions.Tests.Infra;

/// <summary>azd's hooks, run as azd runs them (<c>dotnet run FILE</c> in the file's folder), with programs in the place of azd and az that write down how they were called.</summary>
[Collection("Alone")]
public sealed class HookTests : IDisposable
{
    private const string Token = "a-token-of-a-shell";

    private readonly string _scratch = Directory.CreateTempSubdirectory("mdfunctions-hooks-").FullName;

    [SkippableOnWindows]
    public async Task Before_provisioning_a_token_of_the_shell_is_named_and_not_printed()
    {
        var (code, output, calls) = await RunAsync("before-provision.cs", ("MOTHERDUCK_TOKEN", Token));
        Assert.Equal((0, "The MotherDuck token is that of your shell's MOTHERDUCK_TOKEN."), (code, output.Trim()));
        Assert.Equal(["azd env get-value MOTHERDUCK_TOKEN --environment dev"], calls);
    }

    [SkippableOnWindows]
    public async Task Before_provisioning_a_pipeline_is_asked_nothing()
    {
        var (code, output, _) = await RunAsync("before-provision.cs");
        Assert.Equal((0, "No MotherDuck token is set: the app will answer 503 until Key Vault has one."), (code, output.Trim()));
        (code, output, _) = await RunAsync("before-provision.cs", ("MOTHERDUCK_TOKEN", "keep"));
        Assert.Equal((0, "The MotherDuck token in Key Vault stays."), (code, output.Trim()));
    }

    [SkippableOnWindows]
    public async Task A_virtual_network_s_provider_is_registered_or_the_command_is_told()
    {
        var (code, _, calls) = await RunAsync("before-provision.cs", ("VNET_ENABLED", "true"), ("KNOWN", "yes"));
        Assert.Equal(0, code);
        Assert.Equal("az provider register --namespace Microsoft.App --wait", calls[^1]);
        (code, var output, _) = await RunAsync("before-provision.cs", ("VNET_ENABLED", "true"), ("KNOWN", "yes"), ("AZ_FAILS", "yes"));
        Assert.Equal(1, code);
        Assert.Contains("az provider register --namespace Microsoft.App --wait", output, StringComparison.Ordinal);
    }

    [SkippableOnWindows]
    public async Task After_provisioning_no_secret_is_left_in_azd_s_environment()
    {
        var (code, output, calls) = await RunAsync("after-provision.cs", ("MOTHERDUCK_TOKEN", Token), ("KNOWN", "yes"));
        Assert.Equal((0, ""), (code, output));
        Assert.Equal(
            [
                "azd env config unset infra.parameters.motherduckToken --environment dev",
                "azd env set MOTHERDUCK_TOKEN keep --environment dev",
                "azd env set VAULT_SECRETS {} --environment dev",
            ],
            calls);
    }

    public void Dispose() => Directory.Delete(_scratch, recursive: true);

    private async Task<(int Code, string Output, string[] Calls)> RunAsync(string hook, params (string Name, string Value)[] environment)
    {
        var log = Path.Combine(_scratch, "calls");
        File.Delete(log);
        foreach (var program in (string[])["azd", "az"])
        {
            var path = Path.Combine(_scratch, program);
            await File.WriteAllTextAsync(path, $"""
                #!/bin/sh
                echo "{program} $*" >> '{log}'
                [ "{program}" = az ] && [ -n "$AZ_FAILS" ] && exit 1
                [ "$2" = get-value ] && [ -z "$KNOWN" ] && exit 1
                exit 0

                """);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        var start = Command.Start(Path.Combine(Bicep.Root, "infra", "hooks"), "dotnet", "run", hook);
        start.RedirectStandardInput = true;
        start.Environment["PATH"] = _scratch + Path.PathSeparator + start.Environment["PATH"];
        start.Environment["AZURE_ENV_NAME"] = "dev";
        foreach (var name in (string[])["MOTHERDUCK_TOKEN", "VNET_ENABLED", "KNOWN", "AZ_FAILS"])
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors, File.Exists(log) ? await File.ReadAllLinesAsync(log) : []);
    }

    /// <summary>A test whose stand-ins are shell scripts.</summary>
    private sealed class SkippableOnWindowsAttribute : FactAttribute
    {
        public SkippableOnWindowsAttribute() => Skip = OperatingSystem.IsWindows() ? "its stand-ins for azd and az are shell scripts" : null;
    }
}
