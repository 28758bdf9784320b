/*
summary: Stripe's events, a row each, with the object that changed as JSON
description: Amounts are in the currency's minor unit (cents), as Stripe sends them. Events may come twice and in any order; created says when each happened.
target: my_db.main.stripe_events
signature: { scheme: stripe, secret: StripeWebhook }
id: body.id
columns:
  id: VARCHAR NOT NULL
  type: VARCHAR NOT NULL
  created: BIGINT NOT NULL
  livemode: BOOLEAN
  account: VARCHAR
  api_version: VARCHAR
  data: STRUCT(object JSON, previous_attributes JSON)
*/
SELECT
  id,
  type,
  to_timestamp(created) AS created,
  livemode,
  account,
  api_version,
  data.object ->> '$.id' AS object_id,
  data.object ->> '$.object' AS object_type,
  data.object ->> '$.customer' AS customer,
  CAST(nullif(regexp_extract(coalesce(data.object ->> '$.amount', data.object ->> '$.amount_total', data.object ->> '$.total'), '^-?[0-9]{1,18}$'), '') AS BIGINT) AS amount,
  data.object ->> '$.currency' AS currency,
  data.object AS object,
  data.previous_attributes AS previous_attributes,
  now() AS received_at
FROM body
