namespace MdFunctions.Endpoint.Catalog;

internal static class CatalogRelations
{
    private static readonly HashSet<string> Tables =
    [
        .. """
           pg_am pg_attrdef pg_attribute pg_class pg_constraint pg_database pg_depend pg_description pg_enum pg_index pg_indexes
           pg_namespace pg_prepared_statements pg_proc pg_roles pg_sequence pg_sequences pg_settings pg_stat_activity pg_tables
           pg_tablespace pg_type pg_user pg_views
           """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
    ];

    public static bool IsTable(string name) => Tables.Contains(name);
}
