// azd runs this after it provisioned: the secrets are in Key Vault now, and leave azd's environment, which is a plain file.
using System.Diagnostics;

var environment = Environment.GetEnvironmentVariable("AZURE_ENV_NAME") ?? "";
return Math.Max(Set("MOTHERDUCK_TOKEN", "keep"), Set("VAULT_SECRETS", "{}"));

int Set(string name, string value)
{
    using var azd = Process.Start("azd", ["env", "set", name, value, "--environment", environment]);
    azd.WaitForExit();
    return azd.ExitCode;
}
