// The app's own storage: its deployed package, its function keys, the locks of its timers, and the events that nobody could take.
// No data of yours, and no account keys.

@description('The account\'s name.')
param name string

@description('The region.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('Name of the app\'s identity.')
param appIdentity string

@description('Principal id of that identity.')
param appPrincipalId string

@description('False: reachable through private endpoints only.')
param publicAccess bool

@description('Whether Azure\'s own services that hold a role come in although nobody else does: Event Grid has no private endpoints of its own.')
param trustedServices bool

@description('Built-in roles of the app. Blobs: package, keys, timer locks. Tables: the host\'s diagnostic events, shown in the portal.')
var roles = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess || trustedServices ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource packages 'containers' = {
      name: 'app-package'
    }
  }
}

resource appRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    name: guid(account.id, appIdentity, role.value)
    scope: account
    properties: {
      principalId: appPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
    }
  }
]

@description('The account.')
output id string = account.id

@description('Its name.')
output name string = account.name

@description('The container that deployments write to and the app starts from.')
output packageContainerUrl string = '${account.properties.primaryEndpoints.blob}${account::blobs::packages.name}'
