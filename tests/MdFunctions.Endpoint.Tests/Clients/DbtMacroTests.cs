using MdFunctions.Endpoint.Tests.Infrastructure;

namespace MdFunctions.Endpoint.Tests.Clients;

/// <summary>
/// What dbt-postgres sends beside the life of a project (<see cref="DbtTests"/>): macros that a setting of a model or a command of dbt's calls for, each
/// as one text, as dbt sends it, within a transaction.
/// </summary>
public sealed class DbtMacroTests(DocumentedWire endpoint) : IClassFixture<DocumentedWire>
{
    private const string Rows = "create or replace table \"my_db\".\"main\".\"{0}\" as (select * from (values (1, 'a', 10), (2, 'b', 20)) t(id, name, amount))";

    [Theory]
    // An incremental model's delete+insert, one text; the key of two columns.
    [InlineData("d_i", """
        delete from "my_db"."main"."d_i" as DBT_INTERNAL_DEST
        where (id, name) in (
            select distinct id, name
            from "my_db"."main"."d_i__new" as DBT_INTERNAL_SOURCE
        );

        insert into "my_db"."main"."d_i" ("id", "name", "amount")
        (
            select "id", "name", "amount"
            from "my_db"."main"."d_i__new"
        )
        """, "1|a|11", "2|b|20", "3|c|30")]
    // A merge by keys of two columns, and its equality that NULLs pass.
    [InlineData("mrg", """
        merge into "my_db"."main"."mrg" as DBT_INTERNAL_DEST
            using "my_db"."main"."mrg__new" as DBT_INTERNAL_SOURCE
            on ((DBT_INTERNAL_SOURCE.id IS NOT DISTINCT FROM DBT_INTERNAL_DEST.id)) and (
                    DBT_INTERNAL_SOURCE.name = DBT_INTERNAL_DEST.name
                )
        when matched then update set
            "amount" = DBT_INTERNAL_SOURCE."amount"
        when not matched then insert
            ("id", "name", "amount")
        values
            (DBT_INTERNAL_SOURCE."id", DBT_INTERNAL_SOURCE."name", DBT_INTERNAL_SOURCE."amount")
        """, "1|a|11", "2|b|20", "3|c|30")]
    // A merge without a key.
    [InlineData("mrf", """
        merge into "my_db"."main"."mrf" as DBT_INTERNAL_DEST
            using "my_db"."main"."mrf__new" as DBT_INTERNAL_SOURCE
            on (FALSE)
        when not matched then insert ("id", "name", "amount")
        values (DBT_INTERNAL_SOURCE."id", DBT_INTERNAL_SOURCE."name", DBT_INTERNAL_SOURCE."amount")
        """, "1|a|10", "1|a|11", "2|b|20", "3|c|30")]
    // A model with a contract.
    [InlineData("con", """
        drop table "my_db"."main"."con";
          create  table "my_db"."main"."con"
          (
            id integer not null primary key check (id > 0),
            name text,
            amount numeric(18,2)
          )
         ;
            insert into "my_db"."main"."con" (
              id, name, amount
            )
          (
            select id, name, amount
            from (
                select * from "my_db"."main"."con__new"
            ) as model_subq
          );
        """, "1|a|11.00", "3|c|30.00")]
    // A full refresh: the model anew beside the old one, and swapped.
    [InlineData("ref", """
        create  table "my_db"."main"."ref__dbt_tmp" as ( select * from "my_db"."main"."ref__new" );
        alter table "my_db"."main"."ref" rename to "ref__dbt_backup";
        alter table "my_db"."main"."ref__dbt_tmp" rename to "ref";
        drop table if exists "my_db"."main"."ref__dbt_backup" cascade
        """, "1|a|11", "3|c|30")]
    // on_schema_change of one column, and a snapshot's new column.
    [InlineData("osc", """
        alter table "my_db"."main"."osc" add column "more" character varying(256);
        """, "1|a|10|NULL", "2|b|20|NULL")]
    [InlineData("osd", """
         alter table "my_db"."main"."osd"



                    drop column "amount"
        """, "1|a", "2|b")]
    // Docs that are kept with the columns, all of them in one text.
    [InlineData("doc", """
        comment on table "my_db"."main"."doc" is $dbt_comment_literal_block$All; it's $$ "them"$dbt_comment_literal_block$;
        comment on column "my_db"."main"."doc".id is $dbt_comment_literal_block$$dbt_comment_literal_block$;
        comment on column "my_db"."main"."doc"."name" is $dbt_comment_literal_block$-- no comment$dbt_comment_literal_block$;
        """, "1|a|10", "2|b|20")]
    // A test that stores its failures.
    [InlineData("tst", """
        create  table "my_db"."main"."tst_failures" as ( select id as unique_field, count(*) as n_records from "my_db"."main"."tst" where id is not null group by id having count(*) > 1 );
        drop table if exists "my_db"."main"."tst_failures" cascade
        """, "1|a|10", "2|b|20")]
    public async Task What_changes_a_table(string table, string sql, params string[] expected)
    {
        await using var connection = await endpoint.ConnectAsync(database: "my_db");
        await RunAsync(connection, string.Format(null, Rows, table));
        await RunAsync(connection, $"create or replace table \"my_db\".\"main\".\"{table}__new\" as (select * from (values (1, 'a', 11), (3, 'c', 30)) t(id, name, amount))");
        await RunAsync(connection, "BEGIN");
        await RunAsync(connection, sql);
        await RunAsync(connection, "COMMIT");
        Assert.Equal(expected, await RunAsync(connection, $"select * from \"my_db\".\"main\".\"{table}\" order by all"));
    }

    [Theory]
    [InlineData("select * from ( select id, name from \"my_db\".\"main\".\"asked\" ) as __dbt_sbq where false limit 0")]
    [InlineData("select max(loaded) as max_loaded_at, now() as snapshotted_at from (select now() as loaded) s where loaded > now() - interval '1 day'", "*")]
    [InlineData("select * from ( select * from \"my_db\".\"main\".\"asked\" order by id ) as model_limit_subq limit 1", "1|a|10")]
    // The tests that dbt comes with.
    [InlineData(Test + "( select id as unique_field, count(*) as n_records from \"my_db\".\"main\".\"asked\" where id is not null group by id having count(*) > 1 ) dbt_internal_test", "0|f|f")]
    [InlineData(Test + "( select id from \"my_db\".\"main\".\"asked\" where id is null ) dbt_internal_test", "0|f|f")]
    [InlineData(Test + """
        ( with all_values as ( select name as value_field, count(*) as n_records from "my_db"."main"."asked" group by name )
          select * from all_values where value_field not in ( 'a','c' ) ) dbt_internal_test
        """, "1|t|t")]
    [InlineData(Test + """
        ( with child as ( select id as from_field from "my_db"."main"."asked" where id is not null ), parent as ( select id as to_field from "my_db"."main"."asked" )
          select from_field from child left join parent on child.from_field = parent.to_field where parent.to_field is null ) dbt_internal_test
        """, "0|f|f")]
    // A snapshot's changes, by time and by columns, with rows that are gone.
    [InlineData(Snapshot, "delete|2", "insert|1", "insert|3", "update|1")]
    public async Task What_asks(string sql, params string[] expected)
    {
        await using var connection = await endpoint.ConnectAsync(database: "my_db");
        await RunAsync(connection, string.Format(null, Rows, "asked"));
        var rows = await RunAsync(connection, sql);
        if (expected is ["*"])
            Assert.Single(rows);
        else
            Assert.Equal(expected, rows);
    }

    /// <summary>What DuckDB has not, and what the page rules out: the error says which.</summary>
    [Theory]
    [InlineData("alter table \"my_db\".\"main\".\"never\" add column \"a\" integer, drop column \"name\"", "Only one ALTER command per statement is supported")]
    [InlineData("select grantee, privilege_type from \"my_db\".INFORMATION_SCHEMA.role_table_grants where grantor = current_role and grantee != current_role", "role_table_grants")]
    [InlineData("select pg_terminate_backend(1)", "pg_* functions")]
    [InlineData("select pg_get_partkeydef('\"never\"'::regclass) as partkey", "pg_* functions")]
    [InlineData("create or replace function \"my_db\".\"main\".\"f\" (x integer) returns integer language sql as $$ select x $$", "")]
    [InlineData("create materialized view if not exists \"my_db\".\"main\".\"m\" as ( select 1 )", "materialized")]
    public async Task What_is_refused(string sql, string message)
    {
        await using var connection = await endpoint.ConnectAsync(database: "my_db");
        await RunAsync(connection, string.Format(null, Rows, "never"));
        var error = (await connection.AskAsync(sql)).ErrorText();
        Assert.NotEqual("", error);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    /// <summary>dbt makes a text column wider where information_schema tells of a shorter one; DuckDB's texts have no length, so it never comes to that. DuckDB could not do it.</summary>
    [Fact]
    public async Task A_column_is_not_exchanged_and_filled_in_one_transaction()
    {
        await using var connection = await endpoint.ConnectAsync(database: "my_db");
        await RunAsync(connection, string.Format(null, Rows, "wide"));
        Assert.Equal(["NULL"], await RunAsync(connection, "select character_maximum_length from \"my_db\".INFORMATION_SCHEMA.columns where table_name = 'wide' and column_name = 'name'"));
        await RunAsync(connection, "BEGIN");
        await RunAsync(connection, """
            alter table "my_db"."main"."wide" add column "name__dbt_alter" character varying(256);
            update "my_db"."main"."wide" set "name__dbt_alter" = "name";
            alter table "my_db"."main"."wide" drop column "name" cascade;
            alter table "my_db"."main"."wide" rename column "name__dbt_alter" to "name"
            """);
        Assert.Contains("altered this table", (await connection.AskAsync("COMMIT")).ErrorText(), StringComparison.Ordinal);
        Assert.Equal(["1|a|10", "2|b|20"], await RunAsync(connection, "select * from \"my_db\".\"main\".\"wide\" order by all"));
    }

    // A simple query, as psycopg2 sends it: several statements may be one text.
    private static async Task<string[]> RunAsync(RawClient client, string sql)
    {
        var messages = await client.AskAsync(sql);
        Assert.Equal((sql, ""), (sql, messages.ErrorText()));
        return [.. messages.Rows().Select(row => string.Join('|', row.Select(value => value ?? "NULL")))];
    }

    private const string Test = "select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error from ";

    private const string Snapshot = """
        with snapshot_query as (
            select * from (values (1, 11, timestamp '2024-02-01'), (3, 30, timestamp '2024-02-01')) t(id, amount, updated_at)
        ),
        snapshotted_data as (
            select *, id as dbt_unique_key
            from (values (1, 10, timestamp '2024-01-01', 'x', timestamp '2024-01-01', null::timestamp), (2, 20, timestamp '2024-01-01', 'y', timestamp '2024-01-01', null::timestamp))
                s(id, amount, updated_at, dbt_scd_id, dbt_valid_from, dbt_valid_to)
            where dbt_valid_to is null
        ),
        insertions_source_data as (
            select *, id as dbt_unique_key, updated_at as dbt_updated_at, updated_at as dbt_valid_from,
                coalesce(nullif(updated_at, updated_at), null) as dbt_valid_to,
                md5(coalesce(cast(id as varchar ), '') || '|' || coalesce(cast(updated_at as varchar ), '')) as dbt_scd_id
            from snapshot_query
        ),
        updates_source_data as (
            select *, id as dbt_unique_key, updated_at as dbt_updated_at, updated_at as dbt_valid_from, updated_at as dbt_valid_to from snapshot_query
        ),
        deletes_source_data as ( select *, id as dbt_unique_key from snapshot_query ),
        insertions as (
            select 'insert' as dbt_change_type, source_data.*
            from insertions_source_data as source_data
            left outer join snapshotted_data on snapshotted_data.dbt_unique_key = source_data.dbt_unique_key
            where snapshotted_data.dbt_unique_key is null
                or (snapshotted_data.dbt_unique_key is not null and ((snapshotted_data.dbt_valid_from < source_data.updated_at)))
        ),
        updates as (
            select 'update' as dbt_change_type, source_data.*, snapshotted_data.dbt_scd_id
            from updates_source_data as source_data
            join snapshotted_data on snapshotted_data.dbt_unique_key = source_data.dbt_unique_key
            where ((snapshotted_data."amount" != source_data."amount"
                or (((snapshotted_data."amount" is null) and not (source_data."amount" is null)) or ((not snapshotted_data."amount" is null) and (source_data."amount" is null)))))
        ),
        deletes as (
            select 'delete' as dbt_change_type, source_data.*, now()::timestamp without time zone as dbt_valid_from, now()::timestamp without time zone as dbt_updated_at,
                now()::timestamp without time zone as dbt_valid_to, snapshotted_data.dbt_scd_id, snapshotted_data.id as gone
            from snapshotted_data
            left join deletes_source_data as source_data on snapshotted_data.dbt_unique_key = source_data.dbt_unique_key
            where source_data.dbt_unique_key is null
        )
        select dbt_change_type, id from insertions
        union all
        select dbt_change_type, id from updates
        union all
        select dbt_change_type, gone from deletes
        order by 1, 2
        """;
}
