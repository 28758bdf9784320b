// Optional: new blobs of a storage account start loads. Event Grid sends each as a CloudEvent to POST /api/events/storage, and keeps
// in the app's own storage what it could not deliver in a day.
//
// An account has one system topic only, which everybody who wants its events shares: its name comes from the account alone, and each
// app adds a subscription of its own. `azd down` leaves both, since they are not in the app's group. Event Grid checks the address
// before it sends anything, so the app must have been deployed by then: set the storage account after the first `azd up`.

@description('The storage account.')
param storageAccountName string

@description('Container whose blobs count. Empty: all containers.')
param container string

@description('The account\'s system topic if it has one already; its system-assigned identity must be on. Empty: one is made.')
param systemTopicName string

@description('The function app.')
param appName string

@description('Its resource group.')
param appResourceGroup string

@description('Its own storage account.')
param appStorageAccountName string

@description('Who is told of an event that could not be delivered. Empty: nobody.')
param actionGroupId string

@description('Tags of what is made in the app\'s group.')
param tags { *: string }

@description('The system topic\'s name.')
var topicName = empty(systemTopicName) ? 'evgt-${storageAccountName}' : systemTopicName

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
  scope: resourceGroup(appResourceGroup)
}

module newTopic 'system-topic.bicep' = if (empty(systemTopicName)) {
  params: {
    name: topicName
    location: account.location
    sourceId: account.id
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName

  resource newBlobs 'eventSubscriptions' = {
    name: appName
    properties: {
      eventDeliverySchema: 'CloudEventSchemaV1_0'
      filter: {
        includedEventTypes: ['Microsoft.Storage.BlobCreated', 'Microsoft.Storage.BlobRenamed']
        subjectBeginsWith: empty(container) ? '' : '/blobServices/default/containers/${container}/'
        // A whole file, however it came. CreateFile and SftpCreate tell of one before its bytes are there, and another event follows.
        advancedFilters: [
          {
            operatorType: 'StringIn'
            key: 'data.api'
            values: ['PutBlob', 'PutBlockList', 'CopyBlob', 'FlushWithClose', 'RenameFile', 'SftpCommit', 'SftpRename']
          }
        ]
      }
      destination: {
        endpointType: 'WebHook'
        properties: {
          // The host's default function key; Event Grid keeps it as a secret and never shows it again. After the key has changed,
          // `azd provision --no-state` sends the new one: without --no-state azd sees nothing new and does nothing.
          endpointUrl: 'https://${app.properties.defaultHostName}/api/events/storage?code=${listKeys('${app.id}/host/default', '2025-03-01').functionKeys.default}'
        }
      }
      retryPolicy: {
        maxDeliveryAttempts: 30
        eventTimeToLiveInMinutes: 1440
      }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: {
            resourceId: deadLetters.outputs.storageAccountId
            blobContainerName: deadLetters.outputs.containerName
          }
        }
      }
    }
    dependsOn: [newTopic]
  }
}

module deadLetters 'dead-letters.bicep' = {
  scope: resourceGroup(appResourceGroup)
  params: {
    storageAccountName: appStorageAccountName
    topicId: topic.id
    // A topic that is made anew has a new principal, and its role must have a new name: What-If is the price.
    #disable-next-line what-if-short-circuiting
    topicPrincipalId: topic.identity.principalId
    subscriptionName: appName
    actionGroupId: actionGroupId
    tags: tags
  }
  dependsOn: [newTopic]
}
