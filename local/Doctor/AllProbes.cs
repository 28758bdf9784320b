using MdFunctions.Local.Doctor.Probes;

namespace MdFunctions.Local.Doctor;

/// <summary>All that the app relies on.</summary>
internal static class AllProbes
{
    /// <summary>The probes, in the order in which they are asked.</summary>
    public static IReadOnlyList<ProbeGroup> Groups { get; } =
    [
        new("Connection", ConnectionProbes.All),
        new("Statements and parameters", StatementProbes.All),
        new("Results", ResultProbes.All),
        new("What statements report", CountProbes.All),
        new("Errors", ErrorProbes.All),
        new("Transactions", TransactionProbes.All),
        new("Cancelling", CancelProbes.All),
        new("Loads and webhooks", LoadProbes.All),
        new("Metadata", MetadataProbes.All),
        new("Sessions", SessionProbes.All),
        new("What is refused", RefusalProbes.All),
    ];
}
