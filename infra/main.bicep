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

// An object, since azd copies a secret string to GitHub with `azd pipeline config`, and an object never.
@secure()
@description('MotherDuck access token. An empty one, and the word "keep", leave the secret in Key Vault as it is.')
param motherduckToken {
  @description('The token itself.')
  value: string
}

@secure()
@description('Further secrets for the vault, by name: a read-only token, secrets of webhooks. What is not named here stays as it is.')
param vaultSecrets { *: string } = {}

@description('Region of the MotherDuck organization, the middle of its host name pg.REGION-aws.motherduck.com.')
param motherduckRegion string = 'us-east-1'

@description('MotherDuck database to connect to; md: is the account\'s default.')
param motherduckDatabase string = 'md:'

@description('Name, in Key Vault, of the token.')
param tokenNameInVault string = 'motherduck-token'

@description('Name, in Key Vault, of a second, read-only token for queries. Empty: queries use the first one.')
param readTokenNameInVault string = ''

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
@description('The most instances that HTTP may grow the app to. Each timer runs on one more. Each opens its own few connections to MotherDuck.')
param maximumInstanceCount int = 10

@description('Keep storage and vault off the public network: private endpoints, and a virtual network the app runs in.')
param vnetEnabled bool = false

@description('Nobody can remove the vault and its secrets for good within 7 days. Once on, it stays on; off lets `azd down --purge` free the name.')
param purgeProtection bool = true

@description('Storage account whose new blobs start loads; it may be any account of this subscription. Empty: none. Set it after the first deployment.')
param eventsStorageAccount string = ''

@description('Resource group of that storage account. Empty: the group made here.')
param eventsResourceGroup string = ''

@description('Container of that storage account whose blobs count. Empty: all of them.')
param eventsContainer string = ''

@description('Event Grid system topic that the storage account has already, in its group and with a system-assigned identity. Empty: one is made.')
param eventsSystemTopic string = ''

@description('Mail address that hears of failed requests and loads, of loads that did not run, and of secrets that end. Empty: no alerts.')
param alertEmail string = ''

@description('Web sites whose pages may call the app, such as https://www.example.com, with commas between them. Empty: none.')
param corsOrigins string = ''

@description('Client id of the app registration whose tokens callers need. Empty: callers are known by the function key.')
param authClientId string = ''

@description('Entra tenant of that app registration. Empty: the subscription\'s.')
param authTenantId string = ''

@description('Object id of who deploys. A person may then write the secrets in the vault; a pipeline may not.')
param principalId string = ''

@description('What that id is: User, Group or ServicePrincipal.')
param principalType string = ''

@description('The project\'s name, the same as in azure.yaml: two projects in one subscription have nothing in common, even if their environments have one name.')
var project = 'motherduck-functions'

@description('Part of every name that must be unique in Azure.')
var suffix = uniqueString(subscription().id, project, environmentName, location)

@description('azd finds what belongs to an environment by this tag.')
var tags = { 'azd-env-name': environmentName }

@description('Names that others than the module itself need.')
var names = {
  group: 'rg-${take(project, 22)}-${environmentName}'
  app: 'func-${suffix}'
  identity: 'id-${suffix}'
  storage: 'st${suffix}'
  mail: 'ag-${suffix}'
}

@description('Whose tokens callers need, and as whom the page signs people in.')
var auth = empty(authClientId)
  ? {}
  : {
      Auth__Authority: '${environment().authentication.loginEndpoint}${empty(authTenantId) ? tenant().tenantId : authTenantId}/v2.0'
      Auth__Audience: authClientId
      Auth__ClientId: authClientId
    }

@description('Who hears of alerts; empty where nobody does.')
var mailId = empty(alertEmail) ? '' : resourceId(subscription().subscriptionId, names.group, 'Microsoft.Insights/actionGroups', names.mail)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: names.group
  location: location
  tags: tags
}

// The app's only credential: an identity that storage, vault and Application Insights know by role.
module identity 'identity.bicep' = {
  scope: group
  params: {
    name: names.identity
    location: location
    tags: tags
  }
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    appIdentity: names.identity
    appPrincipalId: identity.outputs.principalId
  }
}

module alerts 'alerts.bicep' = if (!empty(alertEmail)) {
  scope: group
  params: {
    name: names.mail
    suffix: suffix
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    email: alertEmail
  }
}

module storage 'storage.bicep' = {
  scope: group
  params: {
    name: names.storage
    location: location
    tags: tags
    appIdentity: names.identity
    appPrincipalId: identity.outputs.principalId
    publicAccess: !vnetEnabled
    trustedServices: !empty(eventsStorageAccount)
  }
}

module vault 'vault.bicep' = {
  scope: group
  params: {
    name: 'kv-${suffix}'
    location: location
    tags: tags
    appIdentity: names.identity
    appPrincipalId: identity.outputs.principalId
    operatorId: principalType == 'User' ? principalId : ''
    publicAccess: !vnetEnabled
    purgeProtection: purgeProtection
    tokenName: tokenNameInVault
    token: motherduckToken.value
    secrets: vaultSecrets
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: mailId
  }
  dependsOn: [alerts]
}

module network 'network.bicep' = if (vnetEnabled) {
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
  scope: group
  params: {
    name: names.app
    location: location
    tags: tags
    serviceName: 'functions' // as azure.yaml calls it
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageAccountName: storage.outputs.name
    packageContainerUrl: storage.outputs.packageContainerUrl
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    corsOrigins: empty(corsOrigins) ? [] : map(split(corsOrigins, ','), origin => trim(origin))
    settings: union(
      {
        APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
        KEY_VAULT_URI: vault.outputs.uri
        MotherDuck__Region: motherduckRegion
        MotherDuck__Database: motherduckDatabase
        MotherDuck__TokenSecret: tokenNameInVault
        LOADS_HOURLY_SCHEDULE: loadsHourlySchedule
        LOADS_DAILY_SCHEDULE: loadsDailySchedule
        //#if (!noSamples)
        WEATHER_CSV_URL: weatherCsvUrl
        //#endif
      },
      empty(readTokenNameInVault) ? {} : { MotherDuck__ReadTokenSecret: readTokenNameInVault },
      empty(corsOrigins) ? {} : { Cors__Origins: corsOrigins },
      auth
    )
  }
}

module events 'events.bicep' = if (!empty(eventsStorageAccount)) {
  scope: resourceGroup(empty(eventsResourceGroup) ? group.name : eventsResourceGroup)
  params: {
    storageAccountName: eventsStorageAccount
    container: eventsContainer
    systemTopicName: eventsSystemTopic
    appName: names.app
    appResourceGroup: group.name
    appStorageAccountName: names.storage
    actionGroupId: mailId
    tags: tags
  }
  dependsOn: [app, alerts]
}

// azd keeps these in its environment (`azd env get-values`); azure.yaml, the docs and the workflows use them by these names.

@description('The region.')
output AZURE_LOCATION string = location

@description('The Entra tenant.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('The group that holds everything made here; `azd down` removes it and no other.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The function app\'s name.')
output AZURE_FUNCTION_NAME string = app.outputs.name

@description('The function app\'s address.')
output AZURE_FUNCTION_URL string = app.outputs.url

@description('The vault of the MotherDuck token.')
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
