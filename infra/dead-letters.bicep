// Where Event Grid keeps the events that the app did not take within a day, or refused: a container of the app's own storage.

@description('The app\'s own storage account.')
param storageAccountName string

@description('The system topic that the events come from.')
param topicId string

@description('Principal id of the topic\'s identity, which writes the container.')
param topicPrincipalId string

@description('The app\'s subscription of that topic.')
param subscriptionName string

@description('Who is told. Empty: nobody.')
param actionGroupId string

@description('Tags of every resource.')
param tags { *: string }

@description('Built-in role: read and write blobs.')
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource letters 'containers' = {
      name: 'dead-letters'
    }
  }
}

resource topicWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::letters.id, topicPrincipalId, storageBlobDataContributor)
  scope: account::blobs::letters
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
  }
}

resource lost 'Microsoft.Insights/metricAlerts@2026-01-01' = if (!empty(actionGroupId)) {
  name: 'dead-letters-${subscriptionName}'
  location: 'global'
  tags: tags
  properties: {
    description: 'MdFunctions: storage events could not be delivered. They are in the container dead-letters, to be sent again.'
    severity: 2
    enabled: true
    scopes: [topicId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead letters'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          dimensions: [{ name: 'EventSubscriptionName', operator: 'Include', values: [subscriptionName] }]
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}

@description('The account.')
output storageAccountId string = account.id

@description('The container.')
output containerName string = account::blobs::letters.name
