using System.Diagnostics;
using System.Text;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>A program that people run at a prompt, such as <c>dotnet</c>.</summary>
public static class Command
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    /// <summary>Runs it to its end, which must be a success, and answers what it printed.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="file">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    public static async Task<string> RunAsync(string folder, string file, params IEnumerable<string> arguments)
    {
        using var process = new Process { StartInfo = Start(folder, file, arguments) };
        var output = new StringBuilder();
        void Take(object _, DataReceivedEventArgs line)
        {
            lock (output)
                output.AppendLine(line.Data);
        }
        process.OutputDataReceived += Take;
        process.ErrorDataReceived += Take;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(new CancellationTokenSource(Limit).Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{file} {string.Join(' ', arguments)} did not end:\n{output}");
        }
        Assert.True(process.ExitCode == 0, $"{file} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{output}");
        return output.ToString();
    }

    /// <summary>How to start it: with its output redirected, and without what this test run's own <c>dotnet</c> left in the environment.</summary>
    /// <inheritdoc cref="RunAsync"/>
    public static ProcessStartInfo Start(string folder, string file, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        // Nothing outlives the test: what does holds the output open, and its end is waited for.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        return start;
    }
}
