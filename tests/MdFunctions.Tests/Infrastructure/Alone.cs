namespace MdFunctions.Tests.Infrastructure;

/// <summary>Tests that look at the process's memory or at who is busy: nothing else runs beside them.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class Alone;
