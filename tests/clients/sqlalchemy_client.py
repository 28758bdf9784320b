import os
import sys
import warnings

import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, inspect, text
from habits import PAGE, done, equal, habit, refused

VERSION = tuple(int(part) for part in sqlalchemy.__version__.split(".")[:2])
NAME = f"SQLAlchemy {VERSION[0]}"
if sys.argv[1:] not in ([], [str(VERSION[0])]):
    sys.exit(f"SQLAlchemy {sqlalchemy.__version__} is here, not {sys.argv[1]}")
# The page's example names the driver psycopg, which SQLAlchemy knows from version 2 on.
DRIVER = "psycopg" if VERSION >= (2, 0) else "psycopg2"
url = f"postgresql+{DRIVER}://postgres:@{os.environ['PGHOST']}:{os.environ['PGPORT']}/md:"
engine = create_engine(url, connect_args={"password": os.environ["PGPASSWORD"], "sslmode": "require"})


@habit(NAME, "example")
def _():
    with engine.begin() as conn:
        conn.execute(
            text(
                f"""
        CREATE OR REPLACE TABLE my_db.main.weather_events AS
        SELECT *
        FROM read_csv(
            '{os.environ["WEATHER_URL"]}',
            HEADER = true,
            AUTO_DETECT = true,
            MD_RUN = REMOTE
        )
        """
            )
        )
    with engine.connect() as conn:
        equal(conn.execute(text("SELECT count(*) FROM weather_events")).scalar(), 2)
        equal(len(conn.execute(text(PAGE)).fetchall()), 5)
    return f"{sqlalchemy.__version__}, {DRIVER}"


@habit(NAME, "parameters")
def _():
    with engine.connect() as conn:
        row = conn.execute(text("SELECT :a || 'x', :b + 1"), {"a": "it's", "b": 41}).fetchone()
        equal(tuple(row), ("it'sx", 42))


items = Table("sqlalchemy_t", MetaData(), Column("a", Integer, autoincrement=False), Column("b", String), schema="main")


@habit(NAME, "commit")
def _():
    with engine.begin() as conn:
        conn.execute(text("DROP TABLE IF EXISTS main.sqlalchemy_t"))
        conn.execute(sqlalchemy.schema.CreateTable(items))
        conn.execute(items.insert().values([{"a": 1, "b": "one"}, {"a": 2, "b": "two"}]))
    with engine.connect() as conn:
        equal([tuple(row) for row in conn.execute(items.select().order_by(items.c.a))], [(1, "one"), (2, "two")])


@habit(NAME, "rollback")
def _():
    with engine.connect() as conn:
        transaction = conn.begin()
        conn.execute(items.delete())
        transaction.rollback()
    with engine.connect() as conn:
        equal(conn.execute(text("SELECT count(*) FROM main.sqlalchemy_t")).scalar(), 2)


@habit(NAME, "error")
def _():
    with engine.connect() as conn:
        refused(lambda: conn.execute(text("SELECT * FROM nope")), "Table with name nope does not exist")
    with engine.connect() as conn:
        equal(conn.execute(text("SELECT 7")).scalar(), 7)


@habit(NAME, "refusal")
def _():
    with engine.connect() as conn:
        return refused(lambda: conn.execute(text("SET threads = 4")), "SET threads is not supported")


@habit(NAME, "catalog")
def _():
    inspector = inspect(engine)
    assert "main" in inspector.get_schema_names()
    assert "sqlalchemy_t" in inspector.get_table_names(schema="main")
    assert inspector.has_table("sqlalchemy_t", schema="main") and not inspector.has_table("nope", schema="main")
    equal(inspector.get_view_names(schema="main"), [])
    return refused(lambda: inspector.get_columns("sqlalchemy_t", schema="main"), "pg_* functions", "DESCRIBE")


@habit(NAME, "bulk")
def _():
    try:
        import pandas
    except ImportError:
        return "pandas is not installed"
    rows = pandas.DataFrame({"a": range(10), "b": [f"row {i}" for i in range(10)]})
    with engine.begin() as conn, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows.to_sql("sqlalchemy_t", conn, schema="main", if_exists="append", index=False, method="multi")
    with engine.connect() as conn:
        equal(conn.execute(text("SELECT count(*), sum(a) FROM main.sqlalchemy_t WHERE b LIKE 'row %'")).fetchone()[:], (10, 45))
    return "to_sql of ten rows as multi-values"


done()
