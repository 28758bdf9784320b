using System.Globalization;
using MdFunctions.Endpoint;
using MdFunctions.Local;
using MdFunctions.Tests.Infrastructure;
using MdFunctions.Tests.Ingest;

namespace MdFunctions.Tests.Doctor;

/// <summary>An app whose endpoint changes some messages.</summary>
public sealed class ForgedApp : IAsyncDisposable
{
    private ForgedApp(LocalApp app, ForgingProxy proxy) => (App, Proxy) = (app, proxy);

    public LocalApp App { get; }

    public ForgingProxy Proxy { get; }

    public static async Task<ForgedApp> StartAsync(Forgery? forgery, IReadOnlyDictionary<string, string> files, Behaviour behaviour = Behaviour.Observed)
    {
        var options = await DoctorEndpoint.OfAsync(behaviour);
        var proxy = new ForgingProxy(options.Port, forgery);
        var settings = new Dictionary<string, string?>(Webhook.Settings)
        {
            ["MOTHERDUCK_TOKEN"] = options.Token,
            ["MotherDuck:Host"] = "localhost",
            ["MotherDuck:Port"] = proxy.Port.ToString(CultureInfo.InvariantCulture),
            ["MotherDuck:SslMode"] = "Require",
            ["MotherDuck:SessionName"] = $"forged-app-{proxy.Port}",
            ["WEATHER_CSV_URL"] = (await DoctorEndpoint.PatientAsync()).Csv.AbsoluteUri,
        };
        return new ForgedApp(await LocalApp.StartAsync(new LocalOptions { MotherDuck = true, Settings = settings }, files), proxy);
    }

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await Proxy.DisposeAsync();
    }
}
