#!/usr/bin/env bash
# The habits of psql.
set -uo pipefail
failed=0

# habit NAME EXPECTED COMMAND...: the command's whole output, errors too, must match the pattern.
habit() {
  local name=$1 expected=$2 output
  shift 2
  output=$(timeout 60 "$@" 2>&1 </dev/null)
  if [[ $output =~ $expected ]]; then
    printf 'PASS\tpsql\t%s\t%s\n' "$name" "$(grep -m1 -o 'Permission Error: .*' <<<"$output" | sed 's/^/refused: /' | cut -c1-160)"
  else
    failed=1
    printf 'FAIL\tpsql\t%s\t%s\n' "$name" "$(tr '\n\t' '  ' <<<"$output" | cut -c1-400)"
  fi
}
run=(psql -X -A -t)

page="SELECT title, score FROM sample_data.hn.hacker_news WHERE type = 'story' ORDER BY score DESC LIMIT 5"
habit example '^.+\|[0-9]+' "${run[@]}" "dbname=md: sslmode=verify-full sslrootcert=$PGSSLROOTCERT" -c "$page"
habit uri '^my_db$' env -u PGPASSWORD psql -X -A -t "postgresql://postgres:$PGPASSWORD@$PGHOST:$PGPORT/md:?sslmode=verify-full&sslrootcert=$PGSSLROOTCERT" -c 'SELECT current_database()'
habit options '^my_db$' env PGOPTIONS='--attach_mode=single --session_name=pg-using-options' psql -X -A -t md: -c 'SHOW DATABASES'
habit database '^sample_data$' "${run[@]}" 'dbname=sample_data' -c 'SELECT current_database()'
habit commit $'^BEGIN\nCREATE TABLE\nINSERT 0 2\nCOMMIT\n2$' "${run[@]}" -c BEGIN -c 'CREATE OR REPLACE TABLE psql_t (a INT)' -c 'INSERT INTO psql_t VALUES (1), (2)' -c COMMIT -c 'SELECT count(*) FROM psql_t'
habit rollback $'^BEGIN\nDELETE 2\nROLLBACK\n2$' "${run[@]}" -c BEGIN -c 'DELETE FROM psql_t' -c ROLLBACK -c 'SELECT count(*) FROM psql_t'
habit error $'nope does not exist.*\n7$' "${run[@]}" -c 'SELECT * FROM nope' -c 'SELECT 7'
habit refusal 'SET threads is not supported' "${run[@]}" -c 'SET threads = 4'
habit 'copy in' 'COPY \.\.\. FROM STDIN is not supported' "${run[@]}" -c '\copy psql_t FROM /dev/null CSV'
habit 'copy out' 'COPY \.\.\. TO STDOUT is not supported' "${run[@]}" -c '\copy psql_t TO /dev/null CSV'
habit catalog 'pg_\* functions.*SHOW ALL TABLES' "${run[@]}" -c '\d'
habit settings $'^SET\n30s$' "${run[@]}" -c "SET statement_timeout = '30s'" -c 'SHOW statement_timeout'
habit types '^9007199254740993\|1\.10\|2024-02-29\|t\|\{1,2\}\|\|ß$' "${run[@]}" -c "SELECT 9007199254740993, 1.10::DECIMAL(10,2), DATE '2024-02-29', true, [1, 2], NULL, 'ß'"
habit parameters $'^PREPARE\n42$' "${run[@]}" -c 'PREPARE p AS SELECT $1::INT + 1' -c 'EXECUTE p(41)'
habit bulk '^12000$' bash -c "psql -X -A -t -c 'SELECT * FROM sample_data.hn.hacker_news' --csv | grep -cE '^' | awk '{ print (\$1 >= 12000) ? 12000 : \$1 }'"
exit $failed
