/*
summary: GitHub's webhooks, a row for each event
target: my_db.main.github_events
signature: { scheme: github, secret: GitHubWebhook }
id: $header_x_github_delivery
columns:
  action: VARCHAR
  repository: STRUCT(full_name VARCHAR)
  sender: STRUCT(login VARCHAR, id BIGINT)
  issue: JSON
  pull_request: JSON
*/
SELECT
  $header_x_github_delivery AS delivery,
  $header_x_github_event AS event,
  action,
  repository.full_name AS repository,
  sender.login AS sender,
  coalesce(issue, pull_request) ->> 'title' AS title,
  now() AS received_at
FROM body
