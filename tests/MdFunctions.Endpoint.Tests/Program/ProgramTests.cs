using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Program;

/// <summary>The endpoint as a program: its options, its exit codes, its files.</summary>
public sealed class ProgramTests
{
    [Fact]
    public async Task Help_tells_every_option()
    {
        var (code, output, _) = await EndpointProgram.RunAsync("--help");
        Assert.Equal(0, code);
        foreach (var option in new[]
        {
            "behaviour", "host", "port", "data", "ca-dir", "token", "read-only-token", "token-file", "ready-status", "certificate", "max-message",
            "max-download", "azure-connection-string", "exit-with-stdin", "quiet", "help",
        })
        {
            Assert.Matches($@"--{option}\b", output);
        }
    }

    [Theory]
    [InlineData("unknown option \"--nope\"", "--nope")]
    [InlineData("--port must be a whole number", "--port", "x")]
    [InlineData("--behaviour must be one of documented, observed", "--behaviour", "kind")]
    [InlineData("--port must be a whole number from 0 to 65535, not \"70000\"", "--port", "70000")]
    [InlineData("--ready-status must be one of", "--ready-status", "maybe")]
    [InlineData("--certificate must be one of", "--certificate=old")]
    [InlineData("unknown option \"extra\"", "extra")]
    [InlineData("--token must not be empty", "--token=")]
    public async Task Wrong_options_end_with_2_and_one_clear_line(string message, params string[] arguments)
    {
        var (code, output, error) = await EndpointProgram.RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.Contains(message, error);
        Assert.Single(error.Trim().Split('\n'));
        Assert.Equal("", output);
    }

    [Fact]
    public async Task A_port_that_is_taken_ends_with_3_and_one_clear_line()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var (code, _, error) = await EndpointProgram.RunAsync("--port", $"{port}");
        Assert.Equal(3, code);
        Assert.Matches($@"^motherduck-local-endpoint: port {port} on 127\.0\.0\.1 is taken[^\n]*\r?\n$", error);
    }

    [Fact]
    public async Task It_says_where_it_listens_and_leaves_nothing_behind()
    {
        await using var program = await EndpointProgram.StartAsync();
        Assert.Equal("ready", program.Ready.GetProperty("event").GetString());
        Assert.Equal("127.0.0.1", program.Ready.GetProperty("host").GetString());
        Assert.True(Path.IsPathFullyQualified(program.CaFile));
        Assert.Equal(["my_db", "sample_data"], program.Ready.GetProperty("databases").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal(0, await program.StopAsync());
        Assert.False(File.Exists(program.CaFile));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("stdin")]
    public async Task It_stops_with_work_under_way(string how)
    {
        await using var program = await EndpointProgram.StartAsync();
        await using var client = await RawClient.ConnectAsync(program.Port);
        await client.SendAsync(Frames.Query("SELECT count(*) FROM range(100000000000) t(i) WHERE hash(i) % 7 = 3"));
        if (how == "stdin")
            program.Process.StandardInput.Close();
        else
            await program.SignalAsync(how);
        Assert.Equal(0, await program.WaitForExitAsync());
    }

    [Fact]
    public async Task With_data_the_databases_and_the_certificate_authority_stay()
    {
        using var folder = new TemporaryFolder();
        var data = folder.File("not yet there");
        string authority;
        await using (var first = await EndpointProgram.StartAsync("--data", data))
        {
            authority = await File.ReadAllTextAsync(first.CaFile);
            await using var client = await RawClient.ConnectAsync(first.Port);
            await client.AskAsync("CREATE TABLE kept AS SELECT 42 AS a");
            await client.AskAsync("CREATE DATABASE \"Another one\"");
            await client.AskAsync("CREATE TABLE \"Another one\".main.t AS SELECT 1 AS b");
            Assert.Equal(0, await first.StopAsync());
        }
        // It ends with a checkpoint.
        Assert.Empty(Directory.GetFiles(Path.Combine(data, "databases"), "*.wal"));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(data, "ca-with-key.pem")));

        await using var second = await EndpointProgram.StartAsync("--data", data);
        Assert.Equal(authority, await File.ReadAllTextAsync(second.CaFile));
        await using var again = await RawClient.ConnectAsync(second.Port);
        Assert.Equal([["42"]], await again.RowsAsync("SELECT a FROM kept"));
        Assert.Equal([["1"]], await again.RowsAsync("SELECT b FROM \"Another one\".t"));
        var (code, _, error) = await EndpointProgram.RunAsync("--port", "0", "--data", data);
        Assert.Equal(1, code);
        Assert.Contains("in use by another", error);
    }

    [Fact]
    public async Task What_was_committed_survives_a_kill()
    {
        using var folder = new TemporaryFolder();
        await using (var first = await EndpointProgram.StartAsync("--data", folder.Path))
        {
            await using var client = await RawClient.ConnectAsync(first.Port);
            await client.AskAsync("CREATE TABLE kept AS SELECT 42 AS a");
            first.Process.Kill();
            await first.WaitForExitAsync();
        }
        await using var second = await EndpointProgram.StartAsync("--data", folder.Path);
        await using var again = await RawClient.ConnectAsync(second.Port);
        Assert.Equal([["42"]], await again.RowsAsync("SELECT a FROM kept"));
    }

    [Fact]
    public async Task Tokens_come_from_the_environment_too()
    {
        await using var program = await EndpointProgram.StartAsync(
            new Dictionary<string, string> { ["MOTHERDUCK_LOCAL_TOKEN"] = "from-environment", ["MOTHERDUCK_LOCAL_READ_ONLY_TOKEN"] = "reader" });
        foreach (var (token, isTaken) in new[] { ("from-environment", true), ("reader", true), ("local", false) })
        {
            await using var client = await RawClient.ConnectAsync(program.Port, token);
            Assert.Equal((token, isTaken), (token, client.Greeting[^1].Type == 'Z'));
        }
    }
}

/// <summary>The endpoint within a process, as tests and the local host hold it.</summary>
public sealed class LocalEndpointTests
{
    [Fact]
    public async Task A_process_may_hold_several_that_know_nothing_of_each_other()
    {
        await using var first = await LocalEndpoint.StartAsync();
        await using var second = await LocalEndpoint.StartAsync();
        await using var client = await RawClient.ConnectAsync(first.Port);
        await using var other = await RawClient.ConnectAsync(second.Port);
        await client.AskAsync("CREATE TABLE mine (a INT)");
        Assert.Contains("does not exist", (await other.AskAsync("SELECT * FROM mine")).ErrorText());
        await first.DisposeAsync();
        Assert.False(File.Exists(first.CaFile));
        Assert.Equal([["1"]], await other.RowsAsync("SELECT 1"));
    }

    [Fact]
    public async Task It_ends_with_statements_and_connections_under_way()
    {
        var endpoint = await LocalEndpoint.StartAsync();
        await using var client = await RawClient.ConnectAsync(endpoint.Port);
        using var silent = await RawClient.OpenAsync(endpoint.Port);
        await client.SendAsync(Frames.Query("SELECT count(*) FROM range(100000000000) t(i) WHERE hash(i) % 7 = 3"));
        await endpoint.DisposeAsync();
        await endpoint.DisposeAsync();
        Assert.Empty((await client.UntilAsync('Z')).Rows());
    }

    [Fact]
    public async Task What_keeps_it_from_starting_is_said_on_one_line()
    {
        await using var first = await LocalEndpoint.StartAsync();
        var error = await Assert.ThrowsAsync<EndpointStartException>(() => LocalEndpoint.StartAsync(new LocalEndpointOptions { Port = first.Port }));
        Assert.True(error.IsPortTaken);
        Assert.DoesNotContain('\n', error.Message);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => LocalEndpoint.StartAsync(null, new CancellationToken(true)));
    }

    [Fact]
    public async Task Tokens_of_the_token_file_count_from_one_login_to_the_next()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("tokens");
        await File.WriteAllTextAsync(file, "first\n");
        await using var endpoint = await LocalEndpoint.StartAsync(new LocalEndpointOptions { Tokens = [], TokenFile = file });
        Assert.Equal("ZEE", await TakenAsync(endpoint, "first", "next", "local"));
        await File.WriteAllTextAsync(file, "next\r\n");
        Assert.Equal("EZE", await TakenAsync(endpoint, "first", "next", "local"));
    }

    [Fact]
    public async Task Several_that_start_at_once_share_one_new_certificate_authority()
    {
        using var folder = new TemporaryFolder();
        var directory = folder.File("ca");
        var options = new LocalEndpointOptions { CertificateAuthorityDirectory = directory };
        var endpoints = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => LocalEndpoint.StartAsync(options)));
        foreach (var endpoint in endpoints)
        {
            Assert.Null(await HandshakeErrorAsync(endpoint));
            await endpoint.DisposeAsync();
        }
        Assert.Equal(["ca-with-key.pem", "ca.pem"], Directory.GetFiles(directory).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task An_authority_that_is_at_its_end_or_broken_is_made_anew()
    {
        using var folder = new TemporaryFolder();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var old = new CertificateRequest("CN=old", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UtcNow.AddDays(2));
        foreach (var content in new[] { $"{key.ExportPkcs8PrivateKeyPem()}\n{old.ExportCertificatePem()}\n", "not a certificate" })
        {
            await File.WriteAllTextAsync(folder.File("ca-with-key.pem"), content);
            await using var endpoint = await LocalEndpoint.StartAsync(new LocalEndpointOptions { CertificateAuthorityDirectory = folder.Path });
            Assert.Null(await HandshakeErrorAsync(endpoint));
        }
    }

    [Theory]
    [InlineData(CertificateKind.Valid, null)]
    [InlineData(CertificateKind.Expired, "NotTimeValid")]
    [InlineData(CertificateKind.WrongHost, "RemoteCertificateNameMismatch")]
    [InlineData(CertificateKind.UnknownCa, "RemoteCertificateChainErrors")]
    public async Task Certificates_that_a_client_must_refuse(CertificateKind kind, string? fault)
    {
        await using var endpoint = await LocalEndpoint.StartAsync(new LocalEndpointOptions { Certificate = kind });
        var error = await HandshakeErrorAsync(endpoint);
        if (fault is null)
            Assert.Null(error);
        else
            Assert.Contains(fault, error);
        await using var careless = await RawClient.ConnectAsync(endpoint.Port);
        Assert.Equal([["1"]], await careless.RowsAsync("SELECT 1"));
    }

    private static async Task<string> TakenAsync(LocalEndpoint endpoint, params string[] tokens)
    {
        var answers = "";
        foreach (var token in tokens)
        {
            await using var client = await RawClient.ConnectAsync(endpoint.Port, token);
            answers += client.Greeting[^1].Type;
        }
        return answers;
    }

    // What a client that trusts the endpoint's CA file finds fault with.
    private static async Task<string?> HandshakeErrorAsync(LocalEndpoint endpoint)
    {
        using var socket = await RawClient.OpenAsync(endpoint.Port);
        await socket.SendAsync(Frames.SslRequest);
        await socket.ReceiveAsync(new byte[1]);
        string? faults = null;
        await using var stream = new System.Net.Security.SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(new System.Net.Security.SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(endpoint.CaFile) },
            },
            RemoteCertificateValidationCallback = (_, _, chain, errors) =>
            {
                if (errors != System.Net.Security.SslPolicyErrors.None)
                    faults = $"{errors} {string.Join(' ', chain!.ChainStatus.Select(status => status.Status))}";
                return true;
            },
        });
        return faults;
    }
}
