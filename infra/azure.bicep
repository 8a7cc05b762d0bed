// The Azure Bot that hands Watchpost the messages of Teams: free tier, one organisation, Teams channel. The app
// registration it speaks for is made before (teamsapp.yml, or by hand); Watchpost itself may run anywhere.

@description('Name of the Azure Bot resource, unique in Azure.')
@minLength(4)
@maxLength(42)
param botName string

@description('Name people see before the app is installed.')
@maxLength(42)
param botDisplayName string = 'Watchpost'

@description('Application (client) id of the bot\'s app registration: BOT_ID.')
@minLength(36)
@maxLength(36)
param botAppId string

@description('Tenant of that registration: BOT_TENANT_ID.')
@minLength(36)
@maxLength(36)
param botTenantId string

@description('The https address at which Watchpost is reached, without a slash at the end: PUBLIC_URL.')
@minLength(12)
param publicUrl string

resource bot 'Microsoft.BotService/botServices@2022-09-15' = {
  name: botName
  location: 'global'
  kind: 'azurebot'
  sku: {
    name: 'F0'
  }
  properties: {
    displayName: botDisplayName
    description: 'Security posture of Microsoft 365 tenants'
    endpoint: '${publicUrl}/api/messages'
    msaAppId: botAppId
    msaAppTenantId: botTenantId
    msaAppType: 'SingleTenant'
  }
}

resource teams 'Microsoft.BotService/botServices/channels@2022-09-15' = {
  parent: bot
  name: 'MsTeamsChannel'
  location: 'global'
  properties: {
    channelName: 'MsTeamsChannel'
    properties: {
      isEnabled: true
      enableCalling: false
    }
  }
}

output BOT_ENDPOINT string = bot.properties.endpoint
