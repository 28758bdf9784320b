// Optional: a virtual network for the app, and private endpoints for the app's storage and vault.
// MotherDuck is reached as before, over the internet with TLS.

@description('Part of every name.')
param suffix string

@description('The region.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('The app\'s storage account.')
param storageAccountId string

@description('The vault of the MotherDuck token.')
param vaultId string

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.0.0/24'
          delegations: [
            { name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } } // what Flex Consumption asks for
          ]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.0.1.0/24' }
      }
    ]
  }

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }

  resource endpointsSubnet 'subnets' existing = {
    name: 'endpoints'
  }
}

// The app's storage is used for blobs (package, keys, locks) and tables (diagnostic events).
module blobs 'private-endpoint.bicep' = {
  params: {
    name: 'blob'
    suffix: suffix
    location: location
    tags: tags
    targetId: storageAccountId
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
    networkId: network.id
    subnetId: network::endpointsSubnet.id
  }
}

module tables 'private-endpoint.bicep' = {
  params: {
    name: 'table'
    suffix: suffix
    location: location
    tags: tags
    targetId: storageAccountId
    zoneName: 'privatelink.table.${environment().suffixes.storage}'
    networkId: network.id
    subnetId: network::endpointsSubnet.id
  }
}

module vault 'private-endpoint.bicep' = {
  params: {
    name: 'vault'
    suffix: suffix
    location: location
    tags: tags
    targetId: vaultId
    zoneName: 'privatelink.vaultcore.azure.net'
    networkId: network.id
    subnetId: network::endpointsSubnet.id
  }
}

@description('Where the app runs.')
output appSubnetId string = network::appSubnet.id
