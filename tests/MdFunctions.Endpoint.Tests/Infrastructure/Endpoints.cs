namespace MdFunctions.Endpoint.Tests.Infrastructure;

/// <summary>An endpoint that a class of tests shares.</summary>
public abstract class SharedTestEndpoint(Behaviour behaviour) : IAsyncLifetime
{
    public TestEndpoint Endpoint { get; private set; } = null!;

    public async Task InitializeAsync() => Endpoint = await TestEndpoint.StartAsync(new() { Behaviour = behaviour });

    public async Task DisposeAsync() => await Endpoint.DisposeAsync();
}

/// <summary>An endpoint as MotherDuck's pages document it.</summary>
public sealed class DocumentedEndpoint() : SharedTestEndpoint(Behaviour.Documented);

/// <summary>An endpoint as the live one was observed.</summary>
public sealed class ObservedEndpoint() : SharedTestEndpoint(Behaviour.Observed);
