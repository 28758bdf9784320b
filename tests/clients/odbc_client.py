import datetime
import decimal
import glob
import os

import pyodbc
from habits import PAGE, done, equal, habit, refused

NAME = "ODBC"
driver = (glob.glob("/usr/lib/*/odbc/psqlodbcw.so") or ["PostgreSQL Unicode"])[0]
dsn = (
    f"Driver={driver};Server={os.environ['PGHOST']};Port={os.environ['PGPORT']};Database=md:;Uid=postgres;"
    f"Pwd={os.environ['PGPASSWORD']};SSLmode=verify-full;pqopt={{sslrootcert={os.environ['PGSSLROOTCERT']}}}"
)
conn = pyodbc.connect(dsn)


def seen(sql):
    with pyodbc.connect(dsn, autocommit=True) as other:
        return [tuple(row) for row in other.execute(sql).fetchall()]


@habit(NAME, "example")
def _():
    equal(len(conn.execute(PAGE).fetchall()), 5)
    conn.commit()


@habit(NAME, "parameters")
def _():
    row = conn.execute("SELECT CAST(? AS VARCHAR) || 'x', CAST(? AS INTEGER) + 1, CAST(? AS DATE)", "it's", 41, datetime.date(2024, 2, 29)).fetchone()
    equal(tuple(row), ("it'sx", 42, datetime.date(2024, 2, 29)))
    conn.commit()


@habit(NAME, "types")
def _():
    row = conn.execute("SELECT 9007199254740993, 12345678901234567.123456789::DECIMAL(28,9), TIMESTAMP '2024-02-29 23:59:59.123456', 'ß', NULL").fetchone()
    equal(tuple(row), (9007199254740993, decimal.Decimal("12345678901234567.123456789"), datetime.datetime(2024, 2, 29, 23, 59, 59, 123456), "ß", None))
    conn.commit()


@habit(NAME, "commit")
def _():
    conn.execute("CREATE OR REPLACE TABLE odbc_t (a INT, b VARCHAR)")
    equal(conn.execute("INSERT INTO odbc_t VALUES (1, 'one'), (2, 'two')").rowcount, 2)
    conn.commit()
    equal(seen("SELECT count(*) FROM odbc_t"), [(2,)])


@habit(NAME, "rollback")
def _():
    conn.execute("DELETE FROM odbc_t")
    conn.rollback()
    equal(seen("SELECT count(*) FROM odbc_t"), [(2,)])


@habit(NAME, "error")
def _():
    refused(lambda: conn.execute("SELECT * FROM nope"), "Table with name nope does not exist")
    conn.rollback()
    equal(tuple(conn.execute("SELECT 7").fetchone()), (7,))
    conn.commit()


@habit(NAME, "refusal")
def _():
    note = refused(lambda: conn.execute("CREATE TEMP TABLE x (a INT)"), "CREATE TEMP is not supported")
    conn.rollback()
    return note


@habit(NAME, "catalog")
def _():
    names = [row.table_name for row in conn.cursor().tables(schema="main", tableType="TABLE").fetchall()]
    conn.rollback()
    assert "odbc_t" in names, names
    refused(lambda: conn.cursor().columns(table="odbc_t", schema="main").fetchall(), "SQLColumns")
    conn.rollback()
    equal([row[0] for row in conn.execute("DESCRIBE odbc_t").fetchall()], ["a", "b"])
    conn.commit()
    return "refused: SQLColumns calls pg_get_expr(), and the driver does not pass the words on"


done()
