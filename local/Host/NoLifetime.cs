using Microsoft.Extensions.Hosting;

namespace MdFunctions.Local.Host;

/// <summary>Leaves Ctrl+C to the host in front, which stops the parts in their order.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
