import os
import threading

import psycopg2
from habits import PAGE, done, equal, habit, refused

NAME = "PgBouncer"


def connect():
    return psycopg2.connect(host="127.0.0.1", port=os.environ["BOUNCER_PORT"], dbname="pooled", user="postgres", password=os.environ["PGPASSWORD"], sslmode="disable", application_name="four clients")


@habit(NAME, "example")
def _():
    with connect() as conn, conn.cursor() as cur:
        cur.execute(PAGE)
        equal(len(cur.fetchall()), 5)


@habit(NAME, "commit")
def _():
    setup = connect()
    with setup, setup.cursor() as cur:
        cur.execute("CREATE OR REPLACE TABLE bouncer_t (client INT, n INT)")
    problems = []

    def work(client):
        try:
            conn = connect()
            for n in range(25):
                with conn, conn.cursor() as cur:  # A transaction: its statements must not mix with the others'.
                    cur.execute("INSERT INTO bouncer_t VALUES (%s, %s)", (client, n))
                    cur.execute("SELECT count(*) FROM bouncer_t WHERE client = %s", (client,))
                    equal(cur.fetchone(), (n + 1,))
                with conn.cursor() as cur:  # One that is given up.
                    cur.execute("INSERT INTO bouncer_t VALUES (%s, -1)", (client,))
                conn.rollback()
            conn.close()
        except Exception as error:
            problems.append(f"client {client}: {error}")

    threads = [threading.Thread(target=work, args=(client,)) for client in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    equal(problems, [])
    with setup, setup.cursor() as cur:
        cur.execute("SELECT client, count(*), sum(n) FROM bouncer_t GROUP BY 1 ORDER BY 1")
        equal(cur.fetchall(), [(client, 25, 300) for client in range(4)])
    return "four clients over two connections, 100 transactions kept, 100 undone"


@habit(NAME, "error")
def _():
    conn = connect()
    with conn.cursor() as cur:
        refused(lambda: cur.execute("SELECT * FROM nope"), "Table with name nope does not exist")
    conn.rollback()
    with conn.cursor() as cur:
        cur.execute("SELECT 7")
        equal(cur.fetchone(), (7,))
    conn.close()


done()
