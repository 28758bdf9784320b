using MdFunctions.Endpoint;
using MdFunctions.Engine;
using MdFunctions.Engine.MotherDuck;
using MdFunctions.Local.Doctor;
using Microsoft.Extensions.Configuration;

namespace MdFunctions.Tests.Doctor;

/// <summary>The two endpoints that the doctor is tried with, one of each behaviour, and the files that they read. They end with the test process.</summary>
internal static class DoctorEndpoint
{
    private static readonly Lazy<Task<SampleFiles>> Files = new(() => SampleFiles.StartAsync(CancellationToken.None));

    private static readonly Dictionary<Behaviour, Lazy<Task<LocalPatient>>> Started =
        Enum.GetValues<Behaviour>().ToDictionary(behaviour => behaviour, behaviour => new Lazy<Task<LocalPatient>>(() => LocalPatient.StartAsync(behaviour, CancellationToken.None)));

    public static async Task<MotherDuckOptions> OfAsync(Behaviour behaviour) => (await Started[behaviour].Value).MotherDuck;

    public static async Task<PatientOptions> PatientAsync() => new() { Csv = (await Files.Value).Csv, Rest = TimeSpan.FromMilliseconds(200), Limit = TimeSpan.FromSeconds(30) };

    /// <summary>Options as an app reads them from its settings.</summary>
    public static MotherDuckOptions Read(IReadOnlyDictionary<string, string?> settings)
    {
        var read = new Settings(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        var options = MotherDuckOptions.Read(read);
        Assert.Empty(read.Faults);
        return options;
    }
}
