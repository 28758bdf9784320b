/*
summary: Daily weather observations from a CSV file
target: my_db.main.weather
mode: replace
schedule: daily
parameters:
  url: { type: varchar, default: "%WEATHER_CSV_URL%", summary: where the CSV file is }
createAs: { city: VARCHAR, temp_lo: INTEGER, temp_hi: INTEGER, prcp: "DECIMAL(6,2)", date: DATE }
*/
SELECT *
FROM read_csv($url, HEADER = true, AUTO_DETECT = true, MD_RUN = REMOTE)
