// The one system topic of a storage account, with an identity that may be given roles.

@description('The topic\'s name.')
param name string

@description('Where the storage account is; its topic must be there too.')
param location string

@description('The storage account.')
param sourceId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  identity: { type: 'SystemAssigned' }
  properties: {
    source: sourceId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}
