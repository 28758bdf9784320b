// Application Insights over a Log Analytics workspace. Neither takes keys: the app sends with its identity.

@description('Part of every name.')
param suffix string

@description('The region.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('Name of the app\'s identity, which may publish telemetry.')
param appIdentity string

@description('Principal id of that identity.')
param appPrincipalId string

@description('Built-in role: publish telemetry.')
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    features: { disableLocalAuth: true }
    workspaceCapping: { dailyQuotaGb: 1 } // A runaway log costs tens of dollars a month, not hundreds.
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${suffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource publishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appIdentity, monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
  }
}

@description('Where the app sends telemetry to; it holds no key.')
output connectionString string = insights.properties.ConnectionString

@description('Application Insights.')
output insightsId string = insights.id

@description('The workspace that keeps the telemetry.')
output workspaceId string = workspace.id
