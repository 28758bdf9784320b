using System.Buffers;
using System.IO.Compression;
using MdFunctions.Engine.MotherDuck;
using Microsoft.AspNetCore.Http;

namespace MdFunctions.Engine.Queries;

/// <summary>
/// Sends an answer as the response's body while it is being written, compressed where that pays. What the reader does not take at once waits in memory, as far
/// as there is some for it; so a small answer has left its connection before it is read.
/// </summary>
internal sealed class ResponseSink(HttpContext http, QueryTemplate query, ResultFormat format, AnswerBuffer buffer, Turn turn) : ResultSink
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<(byte[] Bytes, int Length, bool Last)> _queue = [];
    private Task _sending = Task.CompletedTask;
    private bool _isSending; // What is in the queue.
    private long _held;
    private long _taken;
    private Stream? _compressed;
    private bool _started;

    /// <summary>Waits until the reader has taken all of it.</summary>
    public Task DrainAsync() => _sending;

    /// <summary>Ends the sending of an answer that will not be whole; nobody uses the response any more afterwards.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            foreach (var (bytes, _, _) in _queue)
                ArrayPool<byte>.Shared.Return(bytes);
            _queue.Clear();
            buffer.Return(_held);
            _held = 0;
        }
    }

    protected override ValueTask WriteAsync(ReadOnlyMemory<byte> chunk, bool last, CancellationToken cancellationToken)
    {
        if (TryQueue(chunk.Length, last))
            return ValueTask.CompletedTask;
        if (!_sending.IsCompletedSuccessfully)
            return WaitAndWriteAsync(chunk, last, cancellationToken);
        var sending = SendAsync(chunk, last);
        if (sending.IsCompletedSuccessfully)
        {
            _taken += chunk.Length;
            return ValueTask.CompletedTask;
        }
        // The reader does not take it at once: the chunk is the queue's from now on, if there is memory for it.
        _sending = sending.AsTask();
        if (!buffer.TryTake(chunk.Length, 0))
            return new(WaitAsync(chunk.Length, cancellationToken));
        _held = chunk.Length;
        _isSending = true;
        _sending = SendQueueAsync(_sending, TakeChunk(), chunk.Length);
        return ValueTask.CompletedTask;
    }

    private bool TryQueue(int length, bool last)
    {
        lock (_gate)
        {
            if (!_isSending || _sending.IsCompleted || !buffer.TryTake(length, _held))
                return false;
            _held += length;
            _queue.Enqueue((TakeChunk(), length, last));
            return true;
        }
    }

    private async ValueTask WaitAndWriteAsync(ReadOnlyMemory<byte> chunk, bool last, CancellationToken cancellationToken)
    {
        await turn.WaitForReaderAsync(_sending, () => Interlocked.Read(ref _taken), cancellationToken);
        await WriteAsync(chunk, last, cancellationToken);
    }

    private async Task WaitAsync(int length, CancellationToken cancellationToken)
    {
        await turn.WaitForReaderAsync(_sending, () => Interlocked.Read(ref _taken), cancellationToken);
        _taken += length;
    }

    private async Task SendQueueAsync(Task first, byte[] bytes, int length)
    {
        try
        {
            await first;
            while (true)
            {
                Interlocked.Add(ref _taken, length);
                Return(bytes, length);
                bool last;
                lock (_gate)
                {
                    if (!_queue.TryDequeue(out var next))
                    {
                        _isSending = false;
                        return;
                    }
                    (bytes, length, last) = next;
                }
                await SendAsync(bytes.AsMemory(0, length), last);
            }
        }
        catch
        {
            Return(bytes, length);
            throw;
        }
    }

    private void Return(byte[] bytes, int length)
    {
        ArrayPool<byte>.Shared.Return(bytes);
        lock (_gate)
            _held -= length;
        buffer.Return(length);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> chunk, bool last)
    {
        if (!_started)
            Start(chunk.Length, last);
        if (_compressed is null)
        {
            await http.Response.BodyWriter.WriteAsync(chunk, _stop.Token);
            return;
        }
        await _compressed.WriteAsync(chunk, _stop.Token);
        if (last)
            await _compressed.DisposeAsync();
        else
            await _compressed.FlushAsync(_stop.Token);
    }

    private void Start(int length, bool last)
    {
        _started = true;
        Answer.WriteHeaders(http, query, format);
        if ((last ? ContentCoding.Of(http.Request, length) : ContentCoding.Of(http.Request)) is { } coding)
        {
            http.Response.Headers.ContentEncoding = coding.Name;
            _compressed = coding.Compress(http.Response.Body, CompressionLevel.Fastest);
        }
        else if (last)
        {
            http.Response.ContentLength = length;
        }
    }
}
