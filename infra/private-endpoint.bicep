// One service of one resource, reachable from a virtual network under its usual name.

@description('What of the resource: blob, table or vault.')
param name string

@description('Part of every name.')
param suffix string

@description('The region.')
param location string

@description('Tags of every resource.')
param tags { *: string }

@description('The resource.')
param targetId string

@description('The private DNS zone that its name is looked up in.')
param zoneName string

@description('The virtual network.')
param networkId string

@description('The subnet that the endpoint gets its address from.')
param subnetId string

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: 'pe-${name}-${suffix}'
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: name
        properties: { privateLinkServiceId: targetId, groupIds: [name] }
      }
    ]
  }

  resource record 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        { name: name, properties: { privateDnsZoneId: zone.id } }
      ]
    }
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: zoneName
  location: 'global'
  tags: tags

  resource link 'virtualNetworkLinks' = {
    name: 'vnet-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
}
