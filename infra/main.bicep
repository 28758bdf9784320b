// MdFunctions on Azure: one function app on Flex Consumption and what it needs, in one resource group of its own.
//
// The scope is the subscription, not a resource group, so that `azd up` starts from nothing and `azd down` takes everything away
// again. Who deploys must be allowed to create resource groups and to assign roles (Owner, or Contributor with
// Role Based Access Control Administrator).

targetScope = 'subscription'

@minLength(1)
@maxLength(64)
@description('Name of this deployment, such as dev or prod. It names the resource group and is part of every name.')
param environmentName string

@minLength(1)
@description('Azure region. Choose one near the MotherDuck region.')
@metadata({ azd: { type: 'location' } })
param location string

@secure()
@description('MotherDuck access token. Leave empty, or enter "keep", to leave the secret in Key Vault as it is.')
param motherduckToken string

@description('Region of the MotherDuck organization, the middle of its host name pg.REGION-aws.motherduck.com.')
param motherduckRegion string = 'us-east-1'

@description('MotherDuck database to connect to; md: is the account\'s default.')
param motherduckDatabase string = 'md:'

@description('Name of the Key Vault secret that holds the token.')
param motherduckTokenSecret string = 'motherduck-token'

@description('Name of a second secret with a read-only token, for queries. Empty: queries use the first one.')
param motherduckReadTokenSecret string = ''

@description('Six-field NCRONTAB schedule, in UTC, of the loads marked hourly.')
param loadsHourlySchedule string = '0 5 * * * *'

@description('Six-field NCRONTAB schedule, in UTC, of the loads marked daily.')
param loadsDailySchedule string = '0 30 2 * * *'

//#if (!noSamples)
@description('Where the sample load reads its CSV file.')
param weatherCsvUrl string = 'https://raw.githubusercontent.com/duckdb/duckdb-web/main/data/weather.csv'
//#endif

@allowed([512, 2048, 4096])
@description('Memory of one instance in MB; CPU follows it (0.25, 1 and 2 cores).')
param instanceMemoryMB int = 2048

@minValue(1)
@maxValue(1000)
@description('The most instances the app may grow to. Each opens its own few connections to MotherDuck, so this also bounds those.')
param maximumInstanceCount int = 10

@description('Keep storage and vault off the public network: private endpoints, and a virtual network the app runs in.')
param vnetEnabled bool = false

@description('Storage account whose new blobs start loads; it may be any account of this subscription. Empty: none. Set it after the first deployment.')
param eventsStorageAccount string = ''

@description('Resource group of that storage account. Empty: the group made here.')
param eventsResourceGroup string = ''

@description('Container of that storage account whose blobs count. Empty: all of them.')
param eventsContainer string = ''

@description('Mail address that hears of failed requests and loads. Empty: no alert.')
param alertEmail string = ''

@description('Object id of who deploys. A person may then write the secrets in the vault; a pipeline may not.')
param principalId string = ''

@description('What that id is: User, Group or ServicePrincipal.')
param principalType string = ''

var suffix = uniqueString(subscription().id, environmentName, location)
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

// The app's only credential: an identity that storage, vault and Application Insights know by role.
module identity 'identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${suffix}'
    location: location
    tags: tags
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    alertEmail: alertEmail
  }
}

module storage 'storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${suffix}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    publicAccess: !vnetEnabled
  }
}

module vault 'vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${suffix}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    operatorId: principalType == 'User' ? principalId : ''
    publicAccess: !vnetEnabled
    secretName: motherduckTokenSecret
    secretValue: motherduckToken == 'keep' ? '' : motherduckToken
  }
}

module network 'network.bicep' = if (vnetEnabled) {
  name: 'network'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    storageAccountId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

// Last of all, since a function app reads its package, settings and secrets as soon as it exists: by then the roles are there.
module app 'app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'func-${suffix}'
    location: location
    tags: union(tags, { 'azd-service-name': 'functions' })
    identityName: identity.outputs.name
    storageAccountName: storage.outputs.name
    packageContainerUrl: storage.outputs.packageContainerUrl
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    settings: union(
      {
        APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
        KEY_VAULT_URI: vault.outputs.uri
        MotherDuck__Region: motherduckRegion
        MotherDuck__Database: motherduckDatabase
        MotherDuck__TokenSecret: motherduckTokenSecret
        LOADS_HOURLY_SCHEDULE: loadsHourlySchedule
        LOADS_DAILY_SCHEDULE: loadsDailySchedule
        //#if (!noSamples)
        WEATHER_CSV_URL: weatherCsvUrl
        //#endif
      },
      empty(motherduckReadTokenSecret) ? {} : { MotherDuck__ReadTokenSecret: motherduckReadTokenSecret }
    )
  }
}

module events 'events.bicep' = if (!empty(eventsStorageAccount)) {
  name: 'motherduck-events'
  scope: resourceGroup(empty(eventsResourceGroup) ? group.name : eventsResourceGroup)
  params: {
    storageAccountName: eventsStorageAccount
    container: eventsContainer
    appName: app.outputs.name
    appResourceGroup: group.name
  }
}

// azd keeps these in its environment (`azd env get-values`); azure.yaml, the README and the workflows use them by these names.
output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_NAME string = app.outputs.name
output AZURE_FUNCTION_URL string = app.outputs.url
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
