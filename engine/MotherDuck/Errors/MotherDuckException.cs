namespace MdFunctions.Engine.MotherDuck;

/// <summary>A failure to reach MotherDuck that we can say more about than Npgsql does.</summary>
internal sealed class MotherDuckException(MotherDuckError error, Exception? inner = null) : Exception(error.Message, inner)
{
    /// <summary>What went wrong.</summary>
    public MotherDuckError Error { get; } = error;
}
