import datetime
import decimal

import psycopg2
import psycopg2.extras
from habits import PAGE, done, equal, habit, refused

NAME = "psycopg2"
conn = psycopg2.connect("")
other = psycopg2.connect("")
other.autocommit = True


def seen(sql):
    with other.cursor() as cur:
        cur.execute(sql)
        return cur.fetchall()


@habit(NAME, "example")
def _():
    with conn:
        with conn.cursor() as cur:
            cur.execute(PAGE)
            rows = cur.fetchall()
    equal(len(rows), 5)
    equal(rows, sorted(rows, key=lambda row: -row[1]))


@habit(NAME, "parameters")
def _():
    with conn, conn.cursor() as cur:
        cur.execute("SELECT %s || 'x', %s + 1, %s::DATE, %s", ("it's 'ß'", 41, datetime.date(2024, 2, 29), None))
        equal(cur.fetchone(), ("it's 'ß'x", 42, datetime.date(2024, 2, 29), None))
        cur.execute("SELECT title FROM sample_data.hn.hacker_news WHERE id = ANY(%s) ORDER BY id", ([30000001, 30000002],))
        equal(len(cur.fetchall()), 2)


@habit(NAME, "types")
def _():
    with conn, conn.cursor() as cur:
        cur.execute("SELECT 9007199254740993, 12345678901234567890.123456789::DECIMAL(38,9), TIMESTAMP '2024-02-29 23:59:59.123456', TIMESTAMPTZ '2024-01-01 00:00:00+00', true, 'a\\xFF'::BLOB, [1, 2, 3], NULL")
        row = cur.fetchone()
    equal(row[:3], (9007199254740993, decimal.Decimal("12345678901234567890.123456789"), datetime.datetime(2024, 2, 29, 23, 59, 59, 123456)))
    equal(row[3].timestamp(), 1704067200)
    equal((row[4], bytes(row[5]), row[6], row[7]), (True, b"a\xff", [1, 2, 3], None))


@habit(NAME, "commit")
def _():
    with conn, conn.cursor() as cur:
        cur.execute("CREATE OR REPLACE TABLE psycopg2_t (a INT, b VARCHAR)")
        cur.execute("INSERT INTO psycopg2_t VALUES (%s, %s), (%s, %s)", (1, "one", 2, "two"))
        equal(cur.rowcount, 2)
    equal(seen("SELECT count(*) FROM psycopg2_t"), [(2,)])


@habit(NAME, "rollback")
def _():
    with conn.cursor() as cur:
        cur.execute("DELETE FROM psycopg2_t")
        equal(cur.rowcount, 2)
    conn.rollback()
    equal(seen("SELECT count(*) FROM psycopg2_t"), [(2,)])


@habit(NAME, "error")
def _():
    with conn.cursor() as cur:
        refused(lambda: cur.execute("SELECT * FROM nope"), "Table with name nope does not exist")
        refused(lambda: cur.execute("SELECT 1"), "aborted")
        conn.rollback()
        cur.execute("SELECT 7")
        equal(cur.fetchone(), (7,))
    conn.rollback()


@habit(NAME, "refusal")
def _():
    conn.rollback()
    conn.autocommit = True
    with conn.cursor() as cur:
        import io
        note = refused(lambda: cur.copy_expert("COPY psycopg2_t FROM STDIN", io.StringIO("1\tx\n")), "COPY ... FROM STDIN is not supported")
        refused(lambda: cur.execute("SET threads = 4"), "SET threads is not supported")
        refused(lambda: cur.execute("CREATE TEMP TABLE x (a INT)"), "CREATE TEMP is not supported")
        cur.execute("SELECT 8")
        equal(cur.fetchone(), (8,))
    conn.autocommit = False
    return note


@habit(NAME, "bulk")
def _():
    with conn, conn.cursor() as cur:
        psycopg2.extras.execute_values(cur, "INSERT INTO psycopg2_t VALUES %s", [(i, f"row {i}") for i in range(1000)], page_size=500)
    equal(seen("SELECT count(*), sum(a) FROM psycopg2_t WHERE b LIKE 'row %'"), [(1000, 499500)])
    return "multi-values INSERT"


@habit(NAME, "catalog")
def _():
    with conn, conn.cursor() as cur:
        cur.execute("SELECT relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'main' AND relname = 'psycopg2_t'")
        equal(cur.fetchall(), [("psycopg2_t",)])
        cur.execute("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'psycopg2_t' ORDER BY ordinal_position")
        equal(cur.fetchall(), [("a", "INTEGER"), ("b", "VARCHAR")])


@habit(NAME, "settings")
def _():
    conn.set_client_encoding("UTF8")
    with conn, conn.cursor() as cur:
        cur.execute("SET application_name = 'a client'; SET statement_timeout = 30000; SET extra_float_digits = 3")
        cur.execute("SHOW application_name")
        equal(cur.fetchone(), ("a client",))


@habit(NAME, "cursor")
def _():
    with conn.cursor(name="named") as cur:
        note = refused(lambda: cur.execute("SELECT 1"), "no cursors")
    conn.rollback()
    return note


done()
