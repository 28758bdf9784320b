/*
summary: New York taxi trips, passengers and fares per day
parameters:
  from: { type: date, default: 2022-11-01, summary: the first day }
  to:   { type: date, default: 2022-11-30, summary: the last day }
*/
SELECT
  tpep_pickup_datetime::DATE AS day,
  count(*) AS trips,
  sum(passenger_count)::BIGINT AS passengers,
  round(avg(trip_distance), 2) AS average_miles,
  sum(total_amount)::DECIMAL(18, 2) AS total_amount
FROM sample_data.nyc.taxi
WHERE tpep_pickup_datetime >= $from AND tpep_pickup_datetime < $to + INTERVAL 1 DAY
GROUP BY day
ORDER BY day
