namespace MdFunctions.Endpoint;

/// <summary>The certificate that the endpoint serves with.</summary>
public enum CertificateKind
{
    /// <summary>For localhost, 127.0.0.1 and ::1, signed by the endpoint's own authority.</summary>
    Valid,

    /// <summary>One whose time is over.</summary>
    Expired,

    /// <summary>One for another host.</summary>
    WrongHost,

    /// <summary>One of an authority that is not in the endpoint's CA file.</summary>
    UnknownCa,
}
