// The function app's own identity. It is a resource of its own, so that its roles exist before the app first starts.

@description('The identity\'s name.')
param name string

@description('The region.')
param location string

@description('Tags of every resource.')
param tags { *: string }

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Its resource id.')
output id string = identity.id

@description('Its principal, which roles are given to.')
output principalId string = identity.properties.principalId

@description('Its client id, which the app signs in with.')
output clientId string = identity.properties.clientId
