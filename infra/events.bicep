// Optional: new blobs of a storage account start loads. Event Grid sends each as a CloudEvent to POST /api/events/storage.
//
// The subscription is an extension of the storage account, so Event Grid makes the account's system topic by itself and removes it with
// the last subscription. Event Grid checks the address before it sends anything, so the app must have been deployed by then: set the
// storage account after the first `azd up`.

param storageAccountName string

@description('Container whose blobs count. Empty: all containers.')
param container string

param appName string
param appResourceGroup string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
  scope: resourceGroup(appResourceGroup)
}

resource newBlobs 'Microsoft.EventGrid/eventSubscriptions@2025-02-15' = {
  name: 'motherduck-loads'
  scope: account
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: empty(container) ? '' : '/blobServices/default/containers/${container}/'
    }
    destination: {
      endpointType: 'WebHook'
      properties: {
        // The host's default function key; Event Grid keeps it as a secret and never shows it again.
        endpointUrl: 'https://${app.properties.defaultHostName}/api/events/storage?code=${listKeys('${app.id}/host/default', '2024-11-01').functionKeys.default}'
      }
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
}
