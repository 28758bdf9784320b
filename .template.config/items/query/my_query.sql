/*
summary: What this query answers, in one line
parameters:
  limit: { type: integer, default: 10, minimum: 1, maximum: 100 }
*/
SELECT title, score
FROM sample_data.hn.hacker_news
ORDER BY score DESC
LIMIT $limit
