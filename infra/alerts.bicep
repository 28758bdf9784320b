// Alerts by mail. Their queries read what the app sends: instruments, tags and words of the engine, which a test holds them against.

@description('Name of the group of those who get the mail.')
param name string

@description('Part of every name.')
param suffix string

@description('The region.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('Application Insights, which the queries read.')
param insightsId string

@description('Who gets the mail.')
param email string

// A request is whatever started a function: an HTTP call, a timer, a storage event. A caller's own mistake (4xx) wakes nobody.
// Requests may be sampled, and a failed timer is no request in every version of the Functions host; the app's own measurements are neither.
@description('Failed requests and loads.')
var failed = '''
union
  (requests
    | where success == false and resultCode !startswith "4"
    | project timestamp, what = name),
  (customMetrics
    | where name == "mdfunctions.run.duration"
    | extend kind = tostring(customDimensions.kind), outcome = tostring(customDimensions.outcome), trigger = tostring(customDimensions.trigger)
    | where outcome !in ("ok", "caller") or (trigger in ("timer", "event") and outcome != "ok")
    | project timestamp, what = strcat(kind, " ", tostring(customDimensions.name)))
'''

// The app tells when each scheduled load is due next. An hour later it must have succeeded, or have succeeded again since. What the app
// no longer speaks of, since the load or its schedule was changed, is left out.
@description('Scheduled loads that did not succeed within an hour of their time.')
var missed = '''
let due = customMetrics
  | where name == "mdfunctions.load.due"
  | project timestamp, load = tostring(customDimensions.name), schedule = tostring(customDimensions.schedule), due = unixtime_seconds_todatetime(tolong(value));
let newest = toscalar(due | summarize max(timestamp));
let known = due
  | summarize arg_max(timestamp, schedule) by load
  | where timestamp > newest - 10m
  | project load, schedule;
let succeeded = customMetrics
  | where name == "mdfunctions.run.duration"
  | where customDimensions.kind == "load" and customDimensions.trigger == "timer" and customDimensions.outcome == "ok"
  | summarize succeeded = max(timestamp) by load = tostring(customDimensions.name);
due
| where due < ago(1h)
| summarize due = max(due) by load, schedule
| join kind=inner known on load, schedule
| join kind=leftouter succeeded on load
| where isnull(succeeded) or succeeded < due
| project load, due, succeeded
'''

// The app looks at the token's own end and at the secret's, and says so once a day from 14 days before.
@description('Tokens that end within 14 days.')
var ending = '''
traces
| where message has "Create a new token in MotherDuck"
'''

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'motherduck'
    enabled: true
    emailReceivers: [
      { name: 'operator', emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

resource failures 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'failures-${suffix}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'MdFunctions: failed requests or loads'
    description: 'The log and GET /api/loads say why.'
    severity: 2
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      allOf: [
        { query: failed, timeAggregation: 'Count', operator: 'GreaterThan', threshold: 0 }
      ]
    }
    actions: { actionGroups: [mail.id] }
  }
}

// It stays fired: after two days without a word from the app the query has nothing left to look at, which is no recovery.
resource misses 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'misses-${suffix}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'MdFunctions: a scheduled load did not run'
    description: 'No success within an hour of its time. If no timer runs at all, restart the app.'
    severity: 1
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT30M'
    windowSize: 'P2D' // the longest there is
    autoMitigate: false
    muteActionsDuration: 'P1D'
    criteria: {
      allOf: [
        {
          query: missed
          timeAggregation: 'Count'
          dimensions: [{ name: 'load', operator: 'Include', values: ['*'] }]
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: { actionGroups: [mail.id] }
  }
}

resource endings 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'endings-${suffix}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'MdFunctions: a MotherDuck token ends within 14 days'
    description: 'Create a new token in MotherDuck and set it as the secret\'s new version.'
    severity: 2
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT6H'
    windowSize: 'P1D'
    autoMitigate: true
    criteria: {
      allOf: [
        { query: ending, timeAggregation: 'Count', operator: 'GreaterThan', threshold: 0 }
      ]
    }
    actions: { actionGroups: [mail.id] }
  }
}
