using System.Collections.Frozen;

namespace MdFunctions.Endpoint.Policy;

/// <summary>The names and words that the policy knows.</summary>
internal static class KnownNames
{
    /// <summary>Table functions that read files; their first argument names them.</summary>
    public static readonly FrozenSet<string> FileFunctions = Set(
        """
        read_csv read_csv_auto sniff_csv read_parquet parquet_scan parquet_metadata parquet_schema parquet_file_metadata
        parquet_kv_metadata parquet_bloom_probe parquet_full_metadata read_json read_json_auto read_json_objects
        read_json_objects_auto read_ndjson read_ndjson_auto read_ndjson_objects read_text read_blob glob read_duckdb read_xlsx
        st_read delta_scan iceberg_scan sqlite_scan postgres_scan mysql_scan arrow_scan arrow_scan_dumb seq_scan pandas_scan
        """);

    /// <summary>Functions that would change settings, or run SQL that nobody has looked at.</summary>
    public static readonly FrozenSet<string> ForbiddenFunctions = Set(
        """
        json_execute_serialized_sql enable_logging disable_logging truncate_duckdb_logs duckdb_logs_parsed enable_profiling
        disable_profiling set_config force_checkpoint getvariable enable_peg_parser disable_peg_parser check_peg_parser
        """);

    public static readonly FrozenSet<string> Pragmas = Set(
        """
        database_list database_size table_info show show_tables show_tables_expanded show_databases functions collations
        storage_info metadata_info version platform user_agent
        """);

    /// <summary>Words that may stand before a parenthesis without being a function's name.</summary>
    public static readonly FrozenSet<string> NotFunctions = Set(
        """
        select from where join on using values in and or not as over filter by then else when case exists any all some union
        except intersect limit offset having qualify set into with lateral recursive materialized distinct returning between
        like ilike is key unique primary check references group order partition within exclude rename explain analyze copy to
        describe summarize show begin table
        """);

    /// <summary>Words after which a string, or a quoted identifier, names a relation.</summary>
    public static readonly FrozenSet<string> BeforeRelation = Set("from join describe desc summarize using pivot unpivot table show");

    /// <summary>Words that begin a clause.</summary>
    public static readonly FrozenSet<string> Clauses = Set(
        """
        select from where group having order limit offset qualify window on using values set returning union except intersect
        into when
        """);

    /// <summary>Functions whose arguments have a FROM of their own.</summary>
    public static readonly FrozenSet<string> FromInside = Set("extract substring trim overlay position");

    /// <summary>Words that may follow a relation and are not its alias.</summary>
    public static readonly FrozenSet<string> NotAliases = Set(
        """
        where join inner left right full outer cross natural asof positional semi anti on using group order limit offset having
        union intersect except window qualify tablesample sample set when pivot unpivot fetch returning for from select then
        """);

    public static readonly FrozenSet<string> TextTypes = Set("varchar text string char character bpchar nvarchar json");

    /// <summary>Words that say that a statement writes.</summary>
    public static readonly FrozenSet<string> Writes = Set("insert update delete merge create drop alter copy truncate");

    private static FrozenSet<string> Set(string words) => words.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet();
}
