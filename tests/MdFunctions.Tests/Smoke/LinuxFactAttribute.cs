namespace MdFunctions.Tests.Smoke;

/// <summary>A test of what is published, which is for Linux. Skipped by name elsewhere.</summary>
public sealed class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "the app is published for Linux";
    }
}
