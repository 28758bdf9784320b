// Secrets by name. A file of its own, since a preview of a deployment shows nothing of a template that repeats over a secret value.

@description('The vault.')
param vaultName string

@secure()
@description('The secrets. What is in the vault and not named here stays as it is.')
param secrets { *: string }

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource each 'Microsoft.KeyVault/vaults/secrets@2025-05-01' = [
  for secret in items(secrets): {
    parent: vault
    name: secret.key
    properties: { value: secret.value }
  }
]
