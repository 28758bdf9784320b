/*
summary: Top Hacker News items by score
parameters:
  type:  { type: varchar, default: story, enum: [story, comment, job, poll], summary: the kind of item }
  since: { type: date, optional: true, summary: only items from this day on }
  limit: { type: integer, default: 5, minimum: 1, maximum: 100, summary: how many }
timeout: 30s
*/
SELECT title, score
FROM sample_data.hn.hacker_news
WHERE type = $type AND ($since IS NULL OR timestamp >= $since)
ORDER BY score DESC
LIMIT $limit
