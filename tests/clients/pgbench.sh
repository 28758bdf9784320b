#!/usr/bin/env bash
# pgbench with a script of its own: the tables that it makes by itself are filled by COPY, which MotherDuck does not take.
set -uo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
psql -X -q -c 'CREATE OR REPLACE TABLE pgbench_t AS SELECT i AS id, 0 AS n FROM range(100) r(i)'
cat >"$folder/read.sql" <<'SQL'
\set id random(0, 99)
SELECT n FROM pgbench_t WHERE id = :id;
SQL
cat >"$folder/write.sql" <<'SQL'
BEGIN;
INSERT INTO pgbench_t VALUES (1000 + :client_id, 1);
COMMIT;
SQL

bench() { # NAME MODE FILE
  local output
  output=$(timeout 60 pgbench -n -c 4 -j 2 -t 50 -M "$2" -f "$folder/$3" md: 2>&1)
  if grep -q 'number of transactions actually processed: 200/200' <<<"$output" && ! grep -qE 'number of failed transactions: [1-9]' <<<"$output"; then
    printf 'PASS\tpgbench\t%s\t%s\n' "$1" "4 clients, 200 transactions, $2"
  else
    failed=1
    printf 'FAIL\tpgbench\t%s\t%s\n' "$1" "$(tr '\n\t' '  ' <<<"$output" | tail -c 400)"
  fi
}
bench example simple read.sql
bench parameters extended read.sql
bench prepared prepared read.sql
bench commit simple write.sql
rows=$(psql -X -A -t -c 'SELECT count(*) FROM pgbench_t WHERE id >= 1000')
[ "$rows" = 200 ] || { failed=1; printf 'FAIL\tpgbench\tcommit\t%s rows of 200\n' "$rows"; }
exit $failed
