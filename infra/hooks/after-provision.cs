// azd runs this after it provisioned: the secrets are in Key Vault now, and leave azd's environment, which is a plain file.
using System.Diagnostics;

var environment = Environment.GetEnvironmentVariable("AZURE_ENV_NAME") ?? "";
Azd("env", "config", "unset", "infra.parameters.motherduckToken"); // What azd itself asked for once; nothing, as a rule.
return Math.Max(Azd("env", "set", "MOTHERDUCK_TOKEN", "keep"), Azd("env", "set", "VAULT_SECRETS", "{}"));

int Azd(params string[] arguments)
{
    using var azd = Process.Start(new ProcessStartInfo("azd", [.. arguments, "--environment", environment]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    azd.OutputDataReceived += (_, _) => { };
    azd.BeginOutputReadLine();
    var errors = azd.StandardError.ReadToEnd();
    azd.WaitForExit();
    if (azd.ExitCode != 0 && arguments[1] != "config")
        Console.Error.WriteLine(errors);
    return azd.ExitCode;
}
