using System.Diagnostics;
using System.Diagnostics.Metrics;
using MdFunctions.Engine.Access;
using MdFunctions.Engine.Http;

namespace MdFunctions.Engine.MotherDuck;

/// <summary>
/// What the app tells OpenTelemetry: a span and two measurements for each query, load and ingest, and the tokens' age. The pools' state is in Npgsql's own
/// meter, whose name is <c>Npgsql</c>.
/// </summary>
internal sealed class Telemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "MdFunctions";

    private static readonly ActivitySource Source = new(Name);

    private readonly Histogram<double> _duration;
    private readonly Counter<long> _rows;
    private readonly Meter _meter;

    /// <summary>Creates the instruments.</summary>
    public Telemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _duration = _meter.CreateHistogram("mdfunctions.run.duration", "s", "How long a query, load or ingest took; its count is how many there were.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800] });
        _rows = _meter.CreateCounter<long>("mdfunctions.run.rows", "{row}", "How many rows a query answered, or a load or ingest stored.");
    }

    /// <summary>Starts the span of a query, and tells of the call when it ends.</summary>
    public Run StartQuery(string name, Audit.AuditedCall? audited) => new(this, "query", name, null, audited);

    /// <summary>Starts the span of a load's run, started by <c>http</c>, <c>timer</c> or <c>event</c>.</summary>
    public Run StartLoad(string name, string trigger, Audit.AuditedCall? audited) => new(this, "load", name, trigger, audited);

    /// <summary>Starts the span of an ingest.</summary>
    public Run StartIngest(string name) => new(this, "ingest", name);

    /// <summary>Reports the age of a pool's token, <c>read</c> or <c>write</c>, each time that metrics are collected.</summary>
    public void ObserveAge(string pool, AccessToken token, TimeProvider time) => _meter.CreateObservableGauge(
        "mdfunctions.token.age",
        () => token.Current is { } current ? [new Measurement<double>((time.GetUtcNow() - current.FetchedAt).TotalSeconds, new KeyValuePair<string, object?>("pool", pool))] : Array.Empty<Measurement<double>>(),
        "s", "How long ago the access token was read.");

    /// <summary>Reports when scheduled loads are due next each time that metrics are collected, in seconds since 1970 began in UTC, with the tags <c>name</c> and <c>schedule</c>.</summary>
    public void ObserveDue(Func<IEnumerable<Measurement<double>>> due) =>
        _meter.CreateObservableGauge("mdfunctions.load.due", due, "s", "When a scheduled load is due next, in Unix time.");

    /// <summary>Reports how many requests wait for a connection of a pool, <c>read</c> or <c>write</c>, each time that metrics are collected.</summary>
    public void ObserveWaiting(string pool, Func<int> waiting) => _meter.CreateObservableGauge(
        "mdfunctions.requests.waiting", () => new Measurement<int>(waiting(), new KeyValuePair<string, object?>("pool", pool)), "{request}", "How many requests wait for a connection.");

    /// <summary>A query, load or ingest under way. Disposing it ends it; what did not <see cref="Succeed"/> has failed.</summary>
    public sealed class Run : IDisposable
    {
        private readonly Telemetry _telemetry;
        private readonly Activity? _activity;
        private readonly long _start = Stopwatch.GetTimestamp();
        private readonly Audit.AuditedCall? _audited;
        private TagList _tags;
        private string _outcome = "failed";
        private long _rows;

        internal Run(Telemetry telemetry, string kind, string name, string? trigger = null, Audit.AuditedCall? audited = null)
        {
            (_telemetry, _audited) = (telemetry, audited);
            _tags = new TagList { { "kind", kind }, { "name", name } };
            if (trigger is not null)
                _tags.Add("trigger", trigger);
            if (audited is not null)
                _tags.Add("caller", audited.Fact);
            _activity = Source.StartActivity($"{kind} {name}");
        }

        /// <summary>It is done, and so many rows are answered or stored.</summary>
        public void Succeed(long rows) => (_outcome, _rows) = ("ok", rows);

        /// <summary>A delivery was refused: the measurement says at which check.</summary>
        public void Refuse(string check) => _tags.Add("check", check);

        /// <summary>It failed.</summary>
        /// <param name="exception">Why. The outcome is its kind where it is MotherDuck's, <c>caller</c> where the caller made a mistake or went away, <c>SlowReader</c> where it read too slowly, else <c>failed</c>.</param>
        /// <param name="caller">Whether the caller has gone.</param>
        public void Fail(Exception exception, CancellationToken caller = default)
        {
            var error = MotherDuckError.From(exception);
            var mistake = exception is ProblemException { Problem.Status: < 500 } or SlowReaderException
                || (caller.IsCancellationRequested && exception is OperationCanceledException or IOException or ObjectDisposedException);
            _outcome = exception is SlowReaderException ? "SlowReader" : mistake ? "caller" : error?.Kind.ToString() ?? "failed";
            if (!mistake)
                _activity?.SetStatus(ActivityStatusCode.Error, error?.Reason ?? exception.GetType().Name);
        }

        /// <summary>It was turned away before anything was done for it.</summary>
        public void Refuse() => _outcome = nameof(MotherDuckErrorKind.PoolExhausted);

        /// <summary>Ends the span and records the measurements.</summary>
        public void Dispose()
        {
            _tags.Add("outcome", _outcome);
            var seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
            _telemetry._duration.Record(seconds, _tags);
            _audited?.End(_outcome, _rows, seconds);
            if (_rows > 0)
                _telemetry._rows.Add(_rows, _tags);
            if (_activity is null)
                return;
            foreach (var (key, value) in _tags)
                _activity.SetTag($"mdfunctions.{key}", value);
            _activity.SetTag("mdfunctions.rows", _rows);
            _activity.Dispose();
        }
    }
}
