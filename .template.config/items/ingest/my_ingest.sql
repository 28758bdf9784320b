/*
summary: What arrives here, in one line
target: my_db.main.my_table
columns:
  id: varchar
  happened_at: timestamp
  details: json
signature: { scheme: github, secret: webhook-secret }
*/
SELECT id, happened_at, details
FROM body
