using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Grpc.Net.Client;
using MdFunctions.Local.Host;
using MdFunctions.Local.Host.Rpc;
using Microsoft.Extensions.Configuration;
using RpcException = MdFunctions.Local.Host.Rpc.RpcException;

namespace MdFunctions.Tests.Host;

/// <summary>
/// A worker that says what a test tells it, so that the host's side of the conversation can be seen: the real one keeps to itself what it is told, and waits half a
/// minute before a retry.
/// </summary>
internal sealed class ScriptedWorker(string schedule) : IWorker
{
    private readonly TaskCompletionSource<string> _ended = new();
    private readonly TaskCompletionSource _stopped = new();
    // It takes requests and never answers one.
    private readonly TcpListener _http = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Socket> _requests = [];
    private GrpcChannel? _channel;

    public Task<string> Ended => _ended.Task;

    /// <summary>Every call so far.</summary>
    public ConcurrentQueue<InvocationRequest> Calls { get; } = new();

    /// <summary>How a call ends; called with its number, from 0.</summary>
    public Func<int, Task<bool>> Succeeds { get; set; } = _ => Task.FromResult(true);

    /// <summary>What the timer was told in a call.</summary>
    public static JsonElement Timer(InvocationRequest call) => JsonSerializer.Deserialize<JsonElement>(Assert.Single(call.InputData).Data.Json);

    /// <summary>Starts a host on it.</summary>
    public Task<FunctionsHost> HostAsync(Dictionary<string, string?> settings) => FunctionsHost.StartAsync(
        this,
        new FunctionsHostOptions
        {
            Settings = new ConfigurationBuilder().AddInMemoryCollection(settings).Build(),
            ApplicationDirectory = AppContext.BaseDirectory,
            Logging = _ => { },
        },
        CancellationToken.None);

    public Task StartAsync(Uri host, string workerId, CancellationToken cancellationToken)
    {
        _http.Start();
        _ = Task.Run(async () =>
        {
            while (true)
                _requests.Add(await _http.AcceptSocketAsync(CancellationToken.None));
        }, CancellationToken.None);
        _channel = GrpcChannel.ForAddress(host);
        var stream = new FunctionRpc.FunctionRpcClient(_channel).EventStream(cancellationToken: CancellationToken.None);
        var turn = new SemaphoreSlim(1);
        _ = Task.Run(async () =>
        {
            await SendAsync(new StreamingMessage { StartStream = new StartStream { WorkerId = workerId } });
            while (!_stopped.Task.IsCompleted && await stream.ResponseStream.MoveNext(CancellationToken.None))
            {
                var message = stream.ResponseStream.Current;
                _ = Task.Run(async () => await SendAsync(await AnswerAsync(message)), CancellationToken.None);
            }
        }, CancellationToken.None);
        return Task.CompletedTask;

        async Task SendAsync(StreamingMessage? message)
        {
            if (message is null)
                return;
            await turn.WaitAsync();
            await stream.RequestStream.WriteAsync(message);
            turn.Release();
        }
    }

    /// <summary>Breaks off, as a process that is killed does.</summary>
    public void Break()
    {
        _channel!.Dispose();
        _http.Stop();
        foreach (var request in _requests)
            request.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        _stopped.TrySetResult();
        _channel?.Dispose();
        _http.Stop();
        return ValueTask.CompletedTask;
    }

    private async Task<StreamingMessage?> AnswerAsync(StreamingMessage message)
    {
        var good = new StatusResult { Status = StatusResult.Types.Status.Success };
        var answer = new StreamingMessage { RequestId = message.RequestId };
        switch (message.ContentCase)
        {
            case StreamingMessage.ContentOneofCase.WorkerInitRequest:
                answer.WorkerInitResponse = new WorkerInitResponse { Result = good, Capabilities = { ["HttpUri"] = $"http://{_http.LocalEndpoint}/" } };
                return answer;
            case StreamingMessage.ContentOneofCase.FunctionsMetadataRequest:
                answer.FunctionMetadataResponse = new FunctionMetadataResponse { Result = good, FunctionMetadataResults = { Functions() } };
                return answer;
            case StreamingMessage.ContentOneofCase.FunctionLoadRequest:
                answer.FunctionLoadResponse = new FunctionLoadResponse { Result = good };
                return answer;
            case StreamingMessage.ContentOneofCase.InvocationRequest:
                var number = Calls.Count;
                Calls.Enqueue(message.InvocationRequest);
                answer.InvocationResponse = new InvocationResponse
                {
                    InvocationId = message.InvocationRequest.InvocationId,
                    Result = await Succeeds(number) ? good : new StatusResult { Exception = new RpcException { Message = $"failure {number}" } },
                };
                return answer;
            default:
                return null;
        }
    }

    private IEnumerable<RpcFunctionMetadata> Functions() =>
    [
        new RpcFunctionMetadata
        {
            Name = "Tick",
            FunctionId = "1",
            RawBindings = { JsonSerializer.Serialize(new { name = "timer", type = "timerTrigger", direction = "In", schedule }) },
            RetryOptions = new RpcRetryOptions
            {
                MaxRetryCount = 3,
                RetryStrategy = RpcRetryOptions.Types.RetryStrategy.FixedDelay,
                DelayInterval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(50)),
            },
        },
        new RpcFunctionMetadata
        {
            Name = "Page",
            FunctionId = "2",
            RawBindings = { """{ "name": "request", "type": "httpTrigger", "direction": "In", "route": "page", "methods": ["get"] }""" },
        },
    ];
}
