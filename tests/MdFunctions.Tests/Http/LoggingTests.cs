using MdFunctions.Engine;
using MdFunctions.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MdFunctions.Tests.Http;

/// <summary>What libraries log of their own accord, whichever host the app runs under.</summary>
public sealed class LoggingTests
{
    [Theory]
    [InlineData("Microsoft.AspNetCore.Hosting.Diagnostics")] // each request's URL: its function key and parameters
    [InlineData("Npgsql.Command")] // each statement's text
    public void Urls_and_statements_are_not_logged_whatever_the_level(string category)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["MotherDuck:Region"] = "us-east-1",
            ["MOTHERDUCK_TOKEN"] = "token",
            ["SqlDirectory"] = "none",
            ["LOADS_HOURLY_SCHEDULE"] = "0 5 * * * *",
            ["LOADS_DAILY_SCHEDULE"] = "0 30 2 * * *",
        }).Build();
        using var lines = new LogLines();
        var services = new ServiceCollection().AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(lines));
        using var provider = services.AddMdFunctions(configuration, typeof(LoadFunctions)).BuildServiceProvider();
        var logger = provider.GetRequiredService<ILoggerFactory>().CreateLogger(category);
        Assert.False(logger.IsEnabled(LogLevel.Information));
        Assert.True(logger.IsEnabled(LogLevel.Warning));
    }
}
