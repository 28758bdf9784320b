using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>The services that reach MotherDuck.</summary>
internal static class MotherDuckServices
{
    /// <summary>
    /// Adds the pools and what they log in with. An <see cref="HttpPipelineTransport"/> or a <see cref="TokenCredential"/> that is registered takes the place of
    /// the usual ones, where Key Vault is behind a proxy or a private certificate authority.
    /// </summary>
    public static IServiceCollection AddMotherDuck(this IServiceCollection services, MotherDuckOptions options)
    {
        services.AddMetrics();
        // At level Information Npgsql logs each statement's text, with the URLs in it.
        services.AddLogging(logging => logging.AddFilter("Npgsql.Command", LogLevel.Warning));
        services.TryAddSingleton(_ => Credential(options));
        if (options.KeyVaultUri is { } vault)
            services.AddSingleton(provider => new KeyVault(Client(provider, vault)));
        services.AddSingleton(options).AddSingleton<Telemetry>().AddSingleton(Create).AddHostedService<WarmUp>();
        return services;
    }

    private static MotherDuckDataSources Create(IServiceProvider services)
    {
        var options = services.GetRequiredService<MotherDuckOptions>();
        var telemetry = services.GetRequiredService<Telemetry>();
        var time = services.GetRequiredService<TimeProvider>();
        var loggers = services.GetRequiredService<ILoggerFactory>();
        var vault = services.GetService<KeyVault>();

        var write = Token("MOTHERDUCK_TOKEN", options.Token, "MotherDuck:TokenSecret", options.TokenSecret);
        var hasReadToken = (vault is null ? options.ReadToken : options.ReadTokenSecret) is not null;
        var read = hasReadToken ? Token("MOTHERDUCK_READ_TOKEN", options.ReadToken, "MotherDuck:ReadTokenSecret", options.ReadTokenSecret!) : write;
        telemetry.ObserveAge("read", read, time);
        telemetry.ObserveAge("write", write, time);
        var sources = new MotherDuckDataSources(new(options, read, writes: false, loggers), new(options, write, writes: true, loggers));
        telemetry.ObserveWaiting("read", () => sources.Read.Waiting);
        telemetry.ObserveWaiting("write", () => sources.Write.Waiting);
        return sources;

        AccessToken Token(string setting, string? value, string secretSetting, string secret) => new(
            vault is null ? setting : $"Key Vault secret '{secret}' ({secretSetting})",
            vault is null
                ? _ => Task.FromResult(new Token(value!, null, null, time.GetUtcNow()))
                : cancellationToken => vault.ReadTokenAsync(secret, secretSetting, time, cancellationToken),
            options, time, loggers.CreateLogger<AccessToken>());
    }

    private static SecretClient Client(IServiceProvider services, Uri vault)
    {
        var options = new SecretClientOptions
        {
            Retry = { MaxRetries = 3, Delay = TimeSpan.FromMilliseconds(200), MaxDelay = TimeSpan.FromSeconds(5), NetworkTimeout = TimeSpan.FromSeconds(5) },
        };
        if (services.GetService<HttpPipelineTransport>() is { } transport)
            options.Transport = transport;
        return new SecretClient(vault, services.GetRequiredService<TokenCredential>(), options);
    }

    private static TokenCredential Credential(MotherDuckOptions options)
    {
        if (options.HasManagedIdentity)
            return new ManagedIdentityCredential(options.ClientId is null ? ManagedIdentityId.SystemAssigned : ManagedIdentityId.FromUserAssignedClientId(options.ClientId));
        // Only who is signed in on a developer's machine; the rest of the usual chain is slow to fail there and surprising when it does not.
        return new DefaultAzureCredential(new DefaultAzureCredentialOptions
        {
            ExcludeEnvironmentCredential = true,
            ExcludeWorkloadIdentityCredential = true,
            ExcludeManagedIdentityCredential = true,
            ExcludeVisualStudioCodeCredential = true,
            ExcludeAzurePowerShellCredential = true,
            ExcludeBrokerCredential = true,
        });
    }
}
