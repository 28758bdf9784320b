using MdFunctions.Endpoint.Databases;
using MdFunctions.Endpoint.Sql;

namespace MdFunctions.Endpoint.Catalog;

/// <summary>MotherDuck's own functions and views that tell of the account. The local endpoint has none, and tells of itself.</summary>
internal static class AccountRelations
{
    /// <summary>The query for a table function of MotherDuck's, or null where there is none of this name.</summary>
    public static string? Function(string name, string user) => name switch
    {
        "md_user_info" =>
            $"SELECT '00000000-0000-0000-0000-000000000000' AS user_id, {SqlText.Literal(user)} AS username, '00000000-0000-0000-0000-000000000000' AS org_id, 'local' AS org_name, 'free_trial' AS org_type, 'local' AS region",
        "md_list_database_shares" => "SELECT NULL::VARCHAR AS name, NULL::VARCHAR AS url, NULL::VARCHAR AS source_db_name WHERE false",
        _ => null,
    };

    /// <summary>The query for a view of md_information_schema, or null where there is none of this name.</summary>
    public static string? View(string name) => name switch
    {
        "databases" =>
            $"""
            SELECT database_name AS name, md5(database_name)::UUID::VARCHAR AS uuid, NULL::TIMESTAMP AS created_ts, false AS transient,
              INTERVAL 0 DAYS AS historical_snapshot_retention, 'default' AS type
            FROM duckdb_databases() WHERE NOT internal AND database_name <> '{AccountDatabases.Samples}' AND @visible
            """,
        "owned_shares" =>
            """
            SELECT NULL::VARCHAR AS name, NULL::VARCHAR AS url, NULL::VARCHAR AS source_db_name, NULL::UUID AS source_db_uuid, NULL::VARCHAR AS access,
              NULL::STRUCT(username VARCHAR, access VARCHAR)[] AS grants, NULL::VARCHAR AS visibility, NULL::VARCHAR AS update, NULL::TIMESTAMP AS created_ts
            WHERE false
            """,
        "shared_with_me" =>
            $"SELECT '{AccountDatabases.Samples}' AS name, 'md:_share/{AccountDatabases.Samples}/local' AS url, NULL::TIMESTAMP AS created_ts, 'AUTOMATIC' AS update, 'UNRESTRICTED' AS access",
        _ => null,
    };
}
