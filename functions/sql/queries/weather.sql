/*
summary: The weather that the load of the same name brought in
parameters:
  city: { type: varchar, optional: true }
*/
SELECT *
FROM my_db.main.weather
WHERE $city IS NULL OR city = $city
ORDER BY city, date
