// The vault of the MotherDuck token. Access is by role only; the app may read secrets, nothing else.

@description('The vault\'s name.')
param name string

@description('The region.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('Name of the app\'s identity.')
param appIdentity string

@description('Principal id of that identity.')
param appPrincipalId string

@description('Object id of the person who may write secrets, such as a new token. Empty: nobody is added.')
param operatorId string

@description('False: reachable through a private endpoint only.')
param publicAccess bool

@description('Whether nobody can destroy the secrets for good, nor use the vault\'s name again, before 7 days are over. It cannot be turned off again.')
param purgeProtection bool

@description('Name of the MotherDuck token.')
param tokenName string

@secure()
@description('The token. Empty or "keep": the one that is there stays; without one the app starts and answers 503 until it is set.')
param token string

@secure()
@description('Further secrets by name. What is there and not named stays.')
param secrets { *: string }

@description('Workspace that keeps who read and wrote what.')
param workspaceId string

@description('Who is told of a secret that ends. Empty: nobody.')
param actionGroupId string

@description('Built-in role: read secrets.')
var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

@description('Built-in role: read and write secrets.')
var keyVaultSecretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: purgeProtection ? true : null // Azure refuses a plain false.
    softDeleteRetentionInDays: 7
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}

// Resource Manager writes these, so they can be set where the vault is reachable through its private endpoint only.
resource tokenSecret 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = if (!contains(['', 'keep'], token)) {
  parent: vault
  name: tokenName
  properties: { value: token }
}

module furtherSecrets 'vault-secrets.bicep' = {
  params: { vaultName: vault.name, secrets: secrets }
}

resource appReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appIdentity, keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
  }
}

resource operatorWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorId)) {
  name: guid(vault.id, operatorId, keyVaultSecretsOfficer)
  scope: vault
  properties: {
    principalId: operatorId
    principalType: 'User'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsOfficer)
  }
}

#disable-next-line use-recent-api-versions // The version before it, of 2016, knows no group of categories; there is none since.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

// Event Grid tells of a secret with an end 30 days before it, whatever its use.
resource secretsEnd 'Microsoft.EventGrid/eventSubscriptions@2025-02-15' = if (!empty(actionGroupId)) {
  name: 'secrets-end'
  scope: vault
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: { includedEventTypes: ['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired'] }
    destination: {
      endpointType: 'MonitorAlert'
      properties: {
        severity: 'Sev2'
        description: 'MdFunctions: a secret of the vault ends. Set a new version of it.'
        actionGroups: [actionGroupId]
      }
    }
  }
}

@description('The vault.')
output id string = vault.id

@description('Its name.')
output name string = vault.name

@description('Its address.')
output uri string = vault.properties.vaultUri
