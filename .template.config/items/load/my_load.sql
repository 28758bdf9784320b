/*
summary: What this load brings, in one line
target: my_db.main.my_table
mode: replace
schedule: daily
*/
SELECT *
FROM read_csv('https://raw.githubusercontent.com/duckdb/duckdb-web/main/data/weather.csv', MD_RUN = REMOTE)
