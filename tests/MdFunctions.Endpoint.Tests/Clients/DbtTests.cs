using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Clients;

/// <summary>
/// The statements that dbt-postgres sends, written out from its macros, in the order of a project's life: a seed, a view, a table,
/// incremental models, a snapshot, tests, comments. What MotherDuck's page rules out is a test of its own.
/// </summary>
public sealed class DbtTests(DocumentedEndpoint shared) : IClassFixture<DocumentedEndpoint>
{
    private const string Comment = "/* {\"app\": \"dbt\", \"dbt_version\": \"1.9.0\", \"profile_name\": \"shop\", \"target_name\": \"dev\"} */\n";

    private const string ListRelations =
        """
        select 'my_db' as database, tablename as name, schemaname as schema, 'table' as type from pg_tables where schemaname ilike 'dbt_me'
        union all
        select 'my_db' as database, viewname as name, schemaname as schema, 'view' as type from pg_views where schemaname ilike 'dbt_me'
        union all
        select 'my_db' as database, matviewname as name, schemaname as schema, 'materialized_view' as type from pg_matviews where schemaname ilike 'dbt_me'
        """;

    private const string Dependencies =
        """
        select distinct
            dependent_namespace.nspname as dependent_schema, dependent_class.relname as dependent_name,
            referenced_namespace.nspname as referenced_schema, referenced_class.relname as referenced_name
        from pg_class as dependent_class
        join pg_namespace as dependent_namespace on dependent_namespace.oid = dependent_class.relnamespace
        join pg_depend as dependent_depend on dependent_depend.refobjid = dependent_class.oid
            and dependent_depend.classid = 'pg_rewrite'::regclass and dependent_depend.refclassid = 'pg_class'::regclass and dependent_depend.deptype = 'i'
        join pg_depend as joining_depend on joining_depend.objid = dependent_depend.objid
            and joining_depend.classid = 'pg_rewrite'::regclass and joining_depend.refclassid = 'pg_class'::regclass and joining_depend.refobjid != dependent_depend.refobjid
        join pg_class as referenced_class on referenced_class.oid = joining_depend.refobjid
        join pg_namespace as referenced_namespace on referenced_namespace.oid = referenced_class.relnamespace
            and referenced_namespace.nspname != 'information_schema' and referenced_namespace.nspname not like 'pg\_%'
        order by dependent_schema, dependent_name, referenced_schema, referenced_name
        """;

    private static string Columns(string table) =>
        $"""
        select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
        from "my_db".INFORMATION_SCHEMA.columns
        where table_name = '{table}' and table_schema = 'dbt_me'
        order by ordinal_position
        """;

    [Fact]
    public async Task A_projects_life()
    {
        await using var connection = await shared.Endpoint.ConnectAsync("my_db");
        async Task<string[]> Run(string sql)
        {
            try
            {
                return await connection.TextsAsync(Comment + sql);
            }
            catch (Npgsql.PostgresException error)
            {
                throw new Xunit.Sdk.XunitException($"{sql}\n{error.MessageText}");
            }
        }
        async Task InTransaction(params string[] statements)
        {
            foreach (var sql in statements.Prepend("BEGIN").Append("COMMIT")) await Run(sql);
        }

        // What each invocation begins with.
        Assert.Equal(["1"], await Run("select 1 as id"));
        Assert.Contains("main", await Run("select distinct nspname from pg_namespace"));
        await InTransaction("create schema if not exists \"dbt_me\"");
        Assert.Equal(["1"], await Run("select count(*) from pg_namespace where nspname = 'dbt_me'"));
        Assert.Empty(await Run(ListRelations));
        Assert.Empty(await Run(Dependencies));

        // A seed, and the seed again.
        await InTransaction(
            "create table \"my_db\".\"dbt_me\".\"countries\" (\"code\" text,\"population\" integer,\"founded\" date)",
            "insert into \"my_db\".\"dbt_me\".\"countries\" (\"code\", \"population\", \"founded\") values ('AT',9,'1955-05-15'),('CH',8,null)");
        await InTransaction("truncate table \"my_db\".\"dbt_me\".\"countries\"", "insert into \"my_db\".\"dbt_me\".\"countries\" (\"code\", \"population\", \"founded\") values ('AT',9,'1955-05-15'),('CH',8,null)");
        Assert.Equal(["my_db|countries|dbt_me|table"], await Run(ListRelations));

        // A view, and a table with its backup.
        await InTransaction(
            "create view \"my_db\".\"dbt_me\".\"small__dbt_tmp\" as (\n select * from \"my_db\".\"dbt_me\".\"countries\" where population < 9\n)",
            "alter view \"my_db\".\"dbt_me\".\"small__dbt_tmp\" rename to \"small\"",
            "drop view if exists \"my_db\".\"dbt_me\".\"small__dbt_backup\" cascade");
        foreach (var again in new[] { false, true })
        {
            await InTransaction([
                "drop table if exists \"my_db\".\"dbt_me\".\"totals__dbt_tmp\" cascade",
                "create  table \"my_db\".\"dbt_me\".\"totals__dbt_tmp\" as (\n select sum(population) as total from \"my_db\".\"dbt_me\".\"countries\"\n)",
                .. again ? ["alter table \"my_db\".\"dbt_me\".\"totals\" rename to \"totals__dbt_backup\""] : Array.Empty<string>(),
                "alter table \"my_db\".\"dbt_me\".\"totals__dbt_tmp\" rename to \"totals\"",
                "drop table if exists \"my_db\".\"dbt_me\".\"totals__dbt_backup\" cascade",
            ]);
        }
        Assert.Equal(["17"], await Run("select * from \"my_db\".\"dbt_me\".\"totals\""));
        Assert.Equal(["CH|8"], await Run("select code, population from \"my_db\".\"dbt_me\".\"small\""));

        // Incremental models: the strategies' own statements, over a staging table that is not temporary.
        await InTransaction(
            "create table \"my_db\".\"dbt_me\".\"orders\" as ( select 1 as id, 10 as amount )",
            "create table \"my_db\".\"dbt_me\".\"orders__dbt_tmp\" as ( select * from (values (1, 11), (2, 20)) t(id, amount) )");
        Assert.Equal(["id|INTEGER|NULL|32|0", "amount|INTEGER|NULL|32|0"], await Run(Columns("orders")));
        await InTransaction("insert into \"my_db\".\"dbt_me\".\"orders\" (\"id\", \"amount\") ( select \"id\", \"amount\" from \"my_db\".\"dbt_me\".\"orders__dbt_tmp\" )");
        await InTransaction(
            "delete from \"my_db\".\"dbt_me\".\"orders\" as DBT_INTERNAL_DEST where (id) in ( select distinct id from \"my_db\".\"dbt_me\".\"orders__dbt_tmp\" as DBT_INTERNAL_SOURCE )",
            "insert into \"my_db\".\"dbt_me\".\"orders\" (\"id\", \"amount\") ( select \"id\", \"amount\" from \"my_db\".\"dbt_me\".\"orders__dbt_tmp\" )");
        Assert.Equal(["1|11", "2|20"], await Run("select * from \"my_db\".\"dbt_me\".\"orders\" order by 1"));
        await InTransaction(
            "update \"my_db\".\"dbt_me\".\"orders__dbt_tmp\" set amount = amount + 1",
            """
            merge into "my_db"."dbt_me"."orders" as DBT_INTERNAL_DEST
            using "my_db"."dbt_me"."orders__dbt_tmp" as DBT_INTERNAL_SOURCE
            on (DBT_INTERNAL_SOURCE.id = DBT_INTERNAL_DEST.id)
            when matched then update set "id" = DBT_INTERNAL_SOURCE."id", "amount" = DBT_INTERNAL_SOURCE."amount"
            when not matched then insert ("id", "amount") values (DBT_INTERNAL_SOURCE."id", DBT_INTERNAL_SOURCE."amount")
            """);
        Assert.Equal(["1|12", "2|21"], await Run("select * from \"my_db\".\"dbt_me\".\"orders\" order by 1"));
        await InTransaction("alter table \"my_db\".\"dbt_me\".\"orders\" add column \"note\" text", "alter table \"my_db\".\"dbt_me\".\"orders\" drop column \"note\" cascade");

        // A snapshot.
        await InTransaction(
            """
            create table "my_db"."dbt_me"."orders_snapshot" as (
              select *, md5(coalesce(cast(id as varchar ), '') || '|' || coalesce(cast(amount as varchar ), '')) as dbt_scd_id,
                current_timestamp::timestamp without time zone as dbt_updated_at, current_timestamp::timestamp without time zone as dbt_valid_from,
                nullif(current_timestamp::timestamp without time zone, current_timestamp::timestamp without time zone) as dbt_valid_to
              from "my_db"."dbt_me"."orders"
            )
            """,
            """
            create table "my_db"."dbt_me"."orders_snapshot__dbt_tmp" as (
              select 'update' as dbt_change_type, dbt_scd_id, id, amount, dbt_updated_at, dbt_valid_from, dbt_updated_at as dbt_valid_to from "my_db"."dbt_me"."orders_snapshot" where id = 1
              union all
              select 'insert' as dbt_change_type, md5('1|13') as dbt_scd_id, 1 as id, 13 as amount, current_timestamp::timestamp without time zone, current_timestamp::timestamp without time zone, null
            )
            """,
            """
            update "my_db"."dbt_me"."orders_snapshot"
            set dbt_valid_to = DBT_INTERNAL_SOURCE.dbt_valid_to
            from "my_db"."dbt_me"."orders_snapshot__dbt_tmp" as DBT_INTERNAL_SOURCE
            where DBT_INTERNAL_SOURCE.dbt_scd_id::text = "my_db"."dbt_me"."orders_snapshot".dbt_scd_id::text
              and DBT_INTERNAL_SOURCE.dbt_change_type::text in ('update'::text, 'delete'::text)
              and "my_db"."dbt_me"."orders_snapshot".dbt_valid_to is null
            """,
            """
            insert into "my_db"."dbt_me"."orders_snapshot" ("id", "amount", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to", "dbt_scd_id")
            select DBT_INTERNAL_SOURCE."id",DBT_INTERNAL_SOURCE."amount",DBT_INTERNAL_SOURCE."dbt_updated_at",DBT_INTERNAL_SOURCE."dbt_valid_from",DBT_INTERNAL_SOURCE."dbt_valid_to",DBT_INTERNAL_SOURCE."dbt_scd_id"
            from "my_db"."dbt_me"."orders_snapshot__dbt_tmp" as DBT_INTERNAL_SOURCE
            where DBT_INTERNAL_SOURCE.dbt_change_type::text = 'insert'::text
            """);
        Assert.Equal(["1|12|f", "1|13|t", "2|21|t"], await Run("select id, amount, dbt_valid_to is null from \"my_db\".\"dbt_me\".\"orders_snapshot\" order by 1, 2"));

        // A test, comments, and the catalog as far as tables tell it.
        Assert.Equal(["0|f|f"], await Run("select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from ( select id from \"my_db\".\"dbt_me\".\"orders\" where id is null ) dbt_internal_test"));
        await InTransaction(
            "comment on table \"my_db\".\"dbt_me\".\"orders\" is $dbt_comment_literal_block$All it's orders$dbt_comment_literal_block$",
            "comment on column \"my_db\".\"dbt_me\".\"orders\".amount is $dbt_comment_literal_block$In cents$dbt_comment_literal_block$");
        Assert.Equal(["orders|BASE TABLE|All it's orders|id|1|integer|NULL", "orders|BASE TABLE|All it's orders|amount|2|integer|In cents"], await Run(Catalog("", "tbl.relname = 'orders'")));
        await InTransaction("drop schema if exists \"dbt_me\" cascade");
        Assert.Empty(await Run(ListRelations));
    }

    /// <summary>dbt's query for its documentation, with and without the functions that it asks for.</summary>
    private static string Catalog(string functions, string where) =>
        $"""
        select tbl.relname as table_name, case tbl.relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' else 'BASE TABLE' end as table_type,
            tbl_desc.description as table_comment, col.attname as column_name, col.attnum as column_index,
            pg_catalog.format_type(col.atttypid, col.atttypmod) as column_type, col_desc.description as column_comment{functions}
        from pg_catalog.pg_namespace sch
        join pg_catalog.pg_class tbl on tbl.relnamespace = sch.oid
        join pg_catalog.pg_attribute col on col.attrelid = tbl.oid
        left outer join pg_catalog.pg_description tbl_desc on (tbl_desc.objoid = tbl.oid and tbl_desc.objsubid = 0)
        left outer join pg_catalog.pg_description col_desc on (col_desc.objoid = tbl.oid and col_desc.objsubid = col.attnum)
        where (upper(sch.nspname) = upper('dbt_me')) and {where} and tbl.relpersistence in ('p', 'u') and tbl.relkind in ('r', 'v', 'f', 'p', 'm')
            and col.attnum > 0 and not col.attisdropped
        order by sch.nspname, tbl.relname, col.attnum
        """;

    /// <summary>What dbt sends and MotherDuck's page rules out: temporary tables, indexes, <c>pg_*</c> functions. The rest of the list PostgreSQL has alone.</summary>
    [Theory]
    [InlineData("create temporary table \"orders__dbt_tmp120000\" as ( select 1 as id )", "CREATE TEMP")]
    [InlineData("create unique index if not exists \"i\" on \"my_db\".\"main\".\"t\" (id)", "CREATE INDEX")]
    [InlineData("grant select on \"my_db\".\"main\".\"t\" to reporter", "MotherDuck account")]
    [InlineData("refresh materialized view \"my_db\".\"main\".\"m\"", "no materialized views")]
    [InlineData("set search_path to \"dbt_me\"", "SET search_path")]
    public async Task What_the_page_rules_out_is_refused_in_words(string sql, string message)
    {
        await using var connection = await shared.Endpoint.ConnectAsync();
        Assert.Contains(message, (await connection.FailureAsync(Comment + sql)).MessageText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(", pg_get_userbyid(tbl.relowner) as table_owner", "true", "pg_get_userbyid()")]
    [InlineData("", "not pg_is_other_temp_schema(sch.oid)", "pg_is_other_temp_schema()")]
    public async Task The_docs_catalog_calls_functions_that_are_refused(string functions, string where, string message)
    {
        await using var connection = await shared.Endpoint.ConnectAsync();
        Assert.Contains(message, (await connection.FailureAsync(Comment + Catalog(functions, where))).MessageText, StringComparison.Ordinal);
    }
}
