using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using MdFunctions.Local.Host.Rpc;
using Microsoft.Extensions.Logging;
using GrpcException = Grpc.Core.RpcException;

namespace MdFunctions.Local.Host;

/// <summary>The conversation with one worker.</summary>
internal sealed class WorkerChannel : IDisposable
{
    private readonly ILoggerFactory _loggers;
    private readonly Action<string> _closed;
    private readonly Channel<StreamingMessage> _outbound = Channel.CreateUnbounded<StreamingMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<string, TaskCompletionSource<StreamingMessage>> _pending = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal WorkerChannel(string workerId, ILoggerFactory loggers, Action<string> closed) => (WorkerId, _loggers, _closed) = (workerId, loggers, closed);

    /// <summary>What the worker calls itself when it connects.</summary>
    public string WorkerId { get; }

    /// <summary>Completes when the worker is connected.</summary>
    public Task Started => _started.Task;

    /// <summary>Completes when the worker is gone.</summary>
    public Task Lost => _lost.Task;

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="WorkerLostException">The worker is gone.</exception>
    public async Task<StreamingMessage> AskAsync(StreamingMessage request, CancellationToken cancellationToken)
    {
        request.RequestId = Guid.NewGuid().ToString();
        return await SendAsync(request.RequestId, request).WaitAsync(cancellationToken);
    }

    /// <summary>Runs a function once.</summary>
    /// <exception cref="WorkerLostException">The worker is gone.</exception>
    public async Task<StatusResult> InvokeAsync(InvocationRequest request) =>
        (await SendAsync(request.InvocationId, new StreamingMessage { InvocationRequest = request })).InvocationResponse.Result;

    /// <summary>Asks a function to stop.</summary>
    public void Cancel(string invocationId) => Tell(new StreamingMessage { InvocationCancel = new InvocationCancel { InvocationId = invocationId } });

    /// <summary>Sends what has no answer.</summary>
    public void Tell(StreamingMessage message) => _outbound.Writer.TryWrite(message);

    /// <summary>Carries messages both ways until the worker goes or the channel is closed.</summary>
    internal async Task ServeAsync(IAsyncStreamReader<StreamingMessage> worker, IServerStreamWriter<StreamingMessage> toWorker, CancellationToken cancellationToken)
    {
        _started.TrySetResult();
        var sending = SendAllAsync(toWorker, cancellationToken);
        var receiving = ReceiveAllAsync(worker, cancellationToken);
        await Task.WhenAny(sending, receiving);
        Dispose();
    }

    /// <summary>Ends the conversation; what waits for an answer gets none.</summary>
    public void Dispose()
    {
        _closed(WorkerId);
        _outbound.Writer.TryComplete();
        _lost.TrySetResult();
        foreach (var id in _pending.Keys)
        {
            if (_pending.TryRemove(id, out var pending))
                pending.TrySetException(new WorkerLostException());
        }
    }

    private Task<StreamingMessage> SendAsync(string id, StreamingMessage message)
    {
        var answer = new TaskCompletionSource<StreamingMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[id] = answer;
        // Also where the channel was closed between the two lines: whoever takes the entry out completes it.
        if (!_outbound.Writer.TryWrite(message) && _pending.TryRemove(id, out _))
            answer.TrySetException(new WorkerLostException());
        return answer.Task;
    }

    private async Task SendAllAsync(IServerStreamWriter<StreamingMessage> toWorker, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in _outbound.Reader.ReadAllAsync(cancellationToken))
                await toWorker.WriteAsync(message, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException or GrpcException)
        {
            // The worker is gone.
        }
    }

    private async Task ReceiveAllAsync(IAsyncStreamReader<StreamingMessage> worker, CancellationToken cancellationToken)
    {
        try
        {
            while (await worker.MoveNext(cancellationToken))
                Receive(worker.Current);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException or GrpcException)
        {
            // The worker is gone.
        }
    }

    private void Receive(StreamingMessage message)
    {
        switch (message.ContentCase)
        {
            case StreamingMessage.ContentOneofCase.RpcLog:
                message.RpcLog.WriteTo(_loggers);
                break;
            case StreamingMessage.ContentOneofCase.InvocationResponse:
                Complete(message.InvocationResponse.InvocationId, message);
                break;
            default:
                Complete(message.RequestId, message);
                break;
        }
    }

    private void Complete(string id, StreamingMessage message)
    {
        if (_pending.TryRemove(id, out var pending))
            pending.TrySetResult(message);
    }
}

/// <summary>The worker ended, or the connection to it broke.</summary>
internal sealed class WorkerLostException() : Exception("The worker is gone.");
