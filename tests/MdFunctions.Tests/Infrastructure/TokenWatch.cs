using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;

namespace MdFunctions.Tests.Infrastructure;

/// <summary>
/// Looks for every token that the tests use, and its parts, in everything the app says: log lines, responses, metrics and spans. What it finds fails the test
/// whose app is disposed next.
/// </summary>
public static class TokenWatch
{
    private const int ShortestPart = 12;
    private static readonly ConcurrentDictionary<string, byte> Parts = new(StringComparer.Ordinal);
    private static readonly ConcurrentQueue<string> Found = new();
    private static readonly MeterListener Meters = new();

    static TokenWatch()
    {
        Meters.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name is "MdFunctions" or "Npgsql")
                self.EnableMeasurementEvents(instrument);
        };
        Meters.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Check(instrument, tags));
        Meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Check(instrument, tags));
        Meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Check(instrument, tags));
        Meters.Start();
        ActivitySource.AddActivityListener(new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                Check("a span", $"{activity.DisplayName} {activity.StatusDescription} {string.Join(' ', activity.TagObjects)}");
                foreach (var happened in activity.Events)
                    Check("a span's event", $"{happened.Name} {string.Join(' ', happened.Tags)}");
            },
        });
    }

    /// <summary>How many bytes may separate the halves of a part that is cut between two reads.</summary>
    public static int LongestPart => Parts.Keys.Max(part => (int?)part.Length) ?? 0;

    /// <summary>Adds a token. One that is too short to be told from a word is not looked for.</summary>
    public static void Watch(string token)
    {
        foreach (var part in token.Split('.').Append(token).Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(token))).Where(part => part.Length >= ShortestPart))
            Parts.TryAdd(part, 0);
    }

    /// <summary>Whether a text holds a token or a part of one.</summary>
    public static bool IsIn(string text)
    {
        foreach (var (part, _) in Parts)
        {
            if (text.Contains(part, StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    /// <summary>Looks into a text that the app let out.</summary>
    public static void Check(string where, string text)
    {
        if (IsIn(text))
            Found.Enqueue($"{where}: {text}");
    }

    /// <summary>Asserts that nothing was found so far.</summary>
    public static void AssertNothing()
    {
        Meters.RecordObservableInstruments();
        Assert.True(Found.IsEmpty, $"A token was let out in {string.Join('\n', Found.Take(5))}");
    }

    private static void Check(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var (key, value) in tags)
            Check($"the metric {instrument.Name}", $"{key}={value}");
    }

    /// <summary>Looks into responses, bytes as they pass.</summary>
    public sealed class Responses() : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            Check("a response's head", response.ToString());
            var content = new StreamContent(new Window(await response.Content.ReadAsStreamAsync(cancellationToken)));
            foreach (var header in response.Content.Headers)
                content.Headers.TryAddWithoutValidation(header.Key, header.Value);
            response.Content = content;
            return response;
        }
    }

    private sealed class Window(Stream inner) : Stream
    {
        private string _before = "";

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            See(buffer.Span[..read]);
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = inner.Read(buffer, offset, count);
            See(buffer.AsSpan(offset, read));
            return read;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }

        private void See(ReadOnlySpan<byte> bytes)
        {
            var text = _before + Encoding.Latin1.GetString(bytes);
            Check("a response", text);
            _before = text[^Math.Min(text.Length, LongestPart)..];
        }
    }
}
