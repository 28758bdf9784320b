import datetime
import decimal

import psycopg
from psycopg.types import TypeInfo
from habits import PAGE, done, equal, habit, refused

NAME = "psycopg"
conn = psycopg.connect("")
other = psycopg.connect("", autocommit=True)


def seen(sql):
    return other.execute(sql).fetchall()


@habit(NAME, "example")
def _():
    with psycopg.connect("") as own, own.cursor() as cur:
        cur.execute(PAGE)
        equal(len([row for row in cur]), 5)
        cur.execute("SELECT current_database()")
        equal(cur.fetchone(), ("my_db",))


@habit(NAME, "parameters")
def _():
    with conn.transaction():
        row = conn.execute("SELECT %s || 'x', %s + 1, %s::DATE, %s::VARCHAR", ("it's 'ß'", 41, datetime.date(2024, 2, 29), None)).fetchone()
    equal(row, ("it's 'ß'x", 42, datetime.date(2024, 2, 29), None))
    for i in range(12):  # From the sixth time on it prepares the statement.
        equal(conn.execute("SELECT count(*) FROM sample_data.hn.hacker_news WHERE id = %s", (30000001 + i,)).fetchone(), (1,))
    conn.rollback()


@habit(NAME, "types")
def _():
    sql = "SELECT 9007199254740993, 12345678901234567890.123456789::DECIMAL(38,9), TIMESTAMP '2024-02-29 23:59:59.123456', true, 'a\\xFF'::BLOB, [1, 2, 3], NULL"
    expected = (9007199254740993, decimal.Decimal("12345678901234567890.123456789"), datetime.datetime(2024, 2, 29, 23, 59, 59, 123456), True, b"a\xff", [1, 2, 3], None)
    equal(conn.execute(sql).fetchone(), expected)
    equal(conn.cursor(binary=True).execute(sql).fetchone(), expected)
    conn.rollback()
    return "text and binary"


@habit(NAME, "commit")
def _():
    with conn.transaction():
        conn.execute("CREATE OR REPLACE TABLE psycopg_t (a INT, b VARCHAR)")
        equal(conn.execute("INSERT INTO psycopg_t VALUES (%s, %s), (%s, %s)", (1, "one", 2, "two")).rowcount, 2)
    equal(seen("SELECT count(*) FROM psycopg_t"), [(2,)])
    conn.execute("INSERT INTO psycopg_t VALUES (3, 'three')")
    conn.commit()
    equal(seen("SELECT count(*) FROM psycopg_t"), [(3,)])


@habit(NAME, "rollback")
def _():
    conn.execute("DELETE FROM psycopg_t")
    conn.rollback()
    equal(seen("SELECT count(*) FROM psycopg_t"), [(3,)])


@habit(NAME, "error")
def _():
    refused(lambda: conn.execute("SELECT * FROM nope"), "Table with name nope does not exist")
    refused(lambda: conn.execute("SELECT 1"), "aborted")
    conn.rollback()
    equal(conn.execute("SELECT 7").fetchone(), (7,))
    conn.rollback()


@habit(NAME, "refusal")
def _():
    def copy():
        with other.cursor().copy("COPY psycopg_t FROM STDIN") as out:
            out.write_row((1, "x"))

    note = refused(copy, "COPY ... FROM STDIN is not supported")
    refused(lambda: other.execute("CREATE TEMP TABLE x (a INT)"), "CREATE TEMP is not supported")
    equal(other.execute("SELECT 8").fetchone(), (8,))
    return note


@habit(NAME, "bulk")
def _():
    with conn.transaction():
        conn.cursor().executemany("INSERT INTO psycopg_t VALUES (%s, %s)", [(i, f"row {i}") for i in range(200)])
    equal(seen("SELECT count(*), sum(a) FROM psycopg_t WHERE b LIKE 'row %'"), [(200, 19900)])
    return "executemany, which is a pipeline"


@habit(NAME, "pipeline")
def _():
    with conn.pipeline():
        cursors = [conn.execute("SELECT %s + 1", (i,)) for i in range(50)]
    equal([cur.fetchone()[0] for cur in cursors], list(range(1, 51)))
    conn.commit()

    def broken():
        with conn.pipeline():
            conn.execute("SELECT 1")
            conn.execute("SELECT * FROM nope")
            conn.execute("SELECT 2")

    note = refused(broken, "nope")
    conn.rollback()
    equal(conn.execute("SELECT 9").fetchone(), (9,))
    conn.rollback()
    return note


@habit(NAME, "catalog")
def _():
    equal(conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'main' AND tablename = 'psycopg_t'").fetchall(), [("psycopg_t",)])
    conn.rollback()
    equal(TypeInfo.fetch(conn, "hstore"), None)
    equal(TypeInfo.fetch(conn, "uuid").oid, 2950)


@habit(NAME, "settings")
def _():
    other.execute("SELECT %s + 1", (1,), prepare=True)
    name = next(iter(other._prepared._names.values()))
    other.execute("DEALLOCATE ALL")
    assert b"does not exist" in other.pgconn.exec_prepared(name, [b"1"]).error_message
    other.execute("SET application_name = 'a client'")
    equal(other.execute("SHOW application_name").fetchone(), ("a client",))


@habit(NAME, "nested")
def _():
    with conn.transaction():
        conn.execute("INSERT INTO psycopg_t VALUES (-1, 'outer')")
        with conn.transaction():
            conn.execute("INSERT INTO psycopg_t VALUES (-2, 'inner')")
    equal(seen("SELECT count(*) FROM psycopg_t WHERE a < 0"), [(2,)])

    def inner_fails():
        with conn.transaction():
            with conn.transaction():
                raise RuntimeError("mine")

    refused(inner_fails)
    equal(conn.execute("SELECT 10").fetchone(), (10,))
    conn.rollback()
    return "an inner one that fails fails the outer one"


done()
