namespace MdFunctions.Endpoint.Databases;

/// <summary>
/// The tables of MotherDuck's sample_data share that its pages use, with its column names and made-up rows. Every value is computed
/// from the row's number, so the rows are the same at every start and on every machine.
/// </summary>
internal static class SampleTables
{
    /// <summary>Part of the file's name: change it whenever a statement below changes.</summary>
    public const int Version = 3;

    private static readonly string[] Subjects =
    [
        "DuckDB", "PostgreSQL", "SQLite", "Rust", "Python", "a compiler", "a database", "an old laptop", "WebAssembly",
        "Kubernetes", "Linux", "the terminal", "a spreadsheet", "regular expressions", "Parquet files", "functional programming",
        "a tiny kernel", "open hardware", "text editors", "time zones",
    ];

    private static readonly string[] Openings =
    [
        "Show HN: ", "Ask HN: ", "Why we moved to ", "What I learned from ", "The hidden cost of ", "A deep look at ",
        "Rewriting ", "Ten years of ", "How we scaled ", "In praise of ", "The case against ", "Building ", "Debugging ",
        "Understanding ", "Benchmarking ",
    ];

    private static readonly string[] Endings =
    [
        " in production", " from scratch", " at scale", " on a Raspberry Pi", " in 500 lines", " without the cloud", " for fun",
        " over a weekend", ", explained", " in the browser", " with no dependencies", " the hard way",
    ];

    private static readonly string[] Hosts =
    [
        "example.com", "blog.example.org", "news.example.net", "papers.example.edu", "code.example.io",
        "engineering.example.com",
    ];

    private static readonly string[] Users =
    [
        "ada", "grace", "linus", "margaret", "dennis", "barbara", "ken", "radia", "edsger", "frances", "tim", "katherine",
    ];

    /// <summary>One of the texts, chosen by the row's number.</summary>
    private static string Pick(string[] texts, int seed) =>
        $"(['{string.Join("','", texts)}'])[1 + CAST(hash(i, {seed}) % {texts.Length} AS INTEGER)]";

    public static IReadOnlyList<string> Statements { get; } = ["CREATE SCHEMA hn", HackerNews(), "CREATE SCHEMA nyc", Taxi];

    private static string HackerNews() =>
        $$"""
        CREATE TABLE hn.hacker_news AS
        SELECT
          CASE WHEN kind IN ('story', 'job', 'poll')
               THEN {{Pick(Openings, 1)}} || {{Pick(Subjects, 2)}} || {{Pick(Endings, 3)}} || ' (' || i || ')' END AS title,
          CASE WHEN kind IN ('story', 'job')
               THEN 'https://' || {{Pick(Hosts, 4)}} || '/' || lower(hex(hash(i, 5))) END AS url,
          CASE WHEN kind = 'comment' THEN 'I tried this with ' || {{Pick(Subjects, 6)}} || ' and it took ' || hash(i, 7) % 90 || ' minutes.'
               WHEN kind = 'poll' THEN 'Which do you use?' END AS text,
          hash(i, 8) % 97 = 0 AS dead,
          {{Pick(Users, 9)}} || hash(i, 10) % 400 AS "by",
          CASE WHEN kind <> 'comment' THEN CAST(1 + floor(4000 / (1 + hash(i, 11) % 4000)) + hash(i, 12) % 40 AS BIGINT) END AS score,
          epoch(moment)::BIGINT AS time,
          moment AS timestamp,
          kind AS type,
          30000000 + i AS id,
          CASE WHEN kind = 'comment' THEN 30000000 + i - 1 - hash(i, 13) % least(i, 50) END::BIGINT AS parent,
          CASE WHEN kind IN ('story', 'poll') THEN CAST(hash(i, 14) % 300 AS BIGINT) END AS descendants,
          NULL::BIGINT AS ranking,
          CASE WHEN hash(i, 15) % 61 = 0 THEN true END AS deleted
        FROM (
          SELECT i,
            CASE WHEN i % 100 = 50 THEN 'job' WHEN i % 400 = 75 THEN 'poll' WHEN hash(i, 16) % 5 < 2 THEN 'story' ELSE 'comment' END AS kind,
            TIMESTAMP '2022-01-01 00:00:00' + to_seconds(i * 1577 + CAST(hash(i, 17) % 1500 AS BIGINT)) AS moment
          FROM range(1, 12001) AS numbers(i)
        )
        ORDER BY i
        """;

    private const string Taxi =
        """
        CREATE TABLE nyc.taxi AS
        SELECT
          vendor AS "VendorID",
          pickup AS tpep_pickup_datetime,
          pickup + to_seconds(CAST(120 + distance * (120 + hash(i, 21) % 180) AS BIGINT)) AS tpep_dropoff_datetime,
          CAST(1 + hash(i, 22) % 6 AS DOUBLE) AS passenger_count,
          distance AS trip_distance,
          CAST(CASE WHEN hash(i, 23) % 40 = 0 THEN 2 ELSE 1 END AS DOUBLE) AS "RatecodeID",
          CASE WHEN hash(i, 24) % 200 = 0 THEN 'Y' ELSE 'N' END AS store_and_fwd_flag,
          CAST(1 + hash(i, 25) % 263 AS BIGINT) AS "PULocationID",
          CAST(1 + hash(i, 26) % 263 AS BIGINT) AS "DOLocationID",
          payment AS payment_type,
          fare AS fare_amount,
          CASE WHEN hash(i, 27) % 3 = 0 THEN 1.0 ELSE 0.5 END::DOUBLE AS extra,
          0.5::DOUBLE AS mta_tax,
          tip AS tip_amount,
          toll AS tolls_amount,
          0.3::DOUBLE AS improvement_surcharge,
          round(fare + CASE WHEN hash(i, 27) % 3 = 0 THEN 1.0 ELSE 0.5 END + 0.5 + tip + toll + 0.3 + 2.5, 2)::DOUBLE AS total_amount,
          2.5::DOUBLE AS congestion_surcharge,
          CASE WHEN hash(i, 28) % 12 = 0 THEN 1.25 ELSE 0.0 END::DOUBLE AS airport_fee
        FROM (
          SELECT *,
            CASE WHEN payment = 1 THEN round(fare * (10 + hash(i, 29) % 16) / 100, 2) ELSE 0 END::DOUBLE AS tip,
            CASE WHEN hash(i, 30) % 25 = 0 THEN 6.55 ELSE 0 END::DOUBLE AS toll
          FROM (
            SELECT i,
              CAST(1 + hash(i, 31) % 2 AS BIGINT) AS vendor,
              TIMESTAMP '2022-11-01 00:00:00' + to_seconds(i * 129 + CAST(hash(i, 32) % 120 AS BIGINT)) AS pickup,
              round(0.4 + (hash(i, 33) % 900) / 100.0 + CASE WHEN hash(i, 34) % 15 = 0 THEN 9 ELSE 0 END, 2)::DOUBLE AS distance,
              CAST(1 + CASE WHEN hash(i, 35) % 10 < 7 THEN 0 ELSE 1 + hash(i, 36) % 2 END AS BIGINT) AS payment,
              round(3 + 2.5 * (0.4 + (hash(i, 33) % 900) / 100.0), 2)::DOUBLE AS fare
            FROM range(1, 12001) AS numbers(i)
          )
        )
        ORDER BY i
        """;
}
