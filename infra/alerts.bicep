// Alerts by mail. Their queries (alerts/*.kql) read what the app sends: instruments, tags and words of the engine, which a test holds them against.

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

@description('Failed requests and loads.')
var failed = loadTextContent('alerts/failed.kql')

@description('Scheduled loads that did not succeed within an hour of their time.')
var missed = loadTextContent('alerts/missed.kql')

@description('Tokens that end within 14 days.')
var ending = loadTextContent('alerts/ending.kql')

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
