namespace MdFunctions.Endpoint;

/// <summary>Which of two readings of MotherDuck's endpoint this one follows.</summary>
public enum Behaviour
{
    /// <summary>What MotherDuck's pages promise: every example in them runs as it stands there.</summary>
    Documented,

    /// <summary>What was recorded on the live endpoint, and the harsher reading wherever nothing was.</summary>
    Observed,
}
