// The function app on Flex Consumption: Linux, .NET 10 isolated, scaled to zero when nothing calls.

@description('The app\'s name.')
param name string

@description('The region.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('What azure.yaml calls the app: azd deploys to the resource with this tag, so no other has it.')
param serviceName string

@description('The app\'s identity.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('The app\'s own storage account.')
param storageAccountName string

@description('URL of the blob container that deployments write to and the app starts from.')
param packageContainerUrl string

@description('Subnet for outbound traffic. Empty: no virtual network.')
param subnetId string

@description('Memory of one instance in MB.')
param instanceMemoryMB int

@description('The most instances that HTTP may grow the app to.')
param maximumInstanceCount int

@description('Web sites whose pages may call the app.')
param corsOrigins string[]

@description('What the app itself reads; the settings the Functions host needs are added here.')
param settings { *: string }

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: replace(name, 'func-', 'plan-')
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true } // Linux
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: { cors: { allowedOrigins: corsOrigins } }
    functionAppConfig: {
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
    }
  }

  // FUNCTIONS_WORKER_RUNTIME and FUNCTIONS_EXTENSION_VERSION are not settings on Flex Consumption: functionAppConfig says it.
  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, {
      AzureWebJobsStorage__accountName: storageAccountName
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__clientId: identityClientId
      AZURE_CLIENT_ID: identityClientId
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED: '0' // works around a start-up fault of .NET 10 on Flex Consumption
    })
  }

  // Deployments sign in with Entra; there is no publishing user and password.
  resource scmPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

@description('The app\'s name.')
output name string = app.name

@description('Its address.')
output url string = 'https://${app.properties.defaultHostName}'
