import { CloudAdapter, ConfigurationBotFrameworkAuthentication } from 'botbuilder';
import type { ServiceClientCredentialsFactory } from 'botframework-connector';

/**
 * botbuilder's own adapter, authentication on, with a fixed outbound token: it fetches none. `openIdMetadata` is where
 * the keys of inbound tokens are named.
 */
export function stockAdapter(botId: string, openIdMetadata: string): CloudAdapter {
  const credentials: ServiceClientCredentialsFactory = {
    isValidAppId: async (appId) => appId === botId,
    isAuthenticationDisabled: async () => false,
    createCredentials: async () => ({
      async signRequest(request) {
        request.headers.set('authorization', 'Bearer fixed');
        return request;
      },
    }),
  };
  const adapter = new CloudAdapter(
    new ConfigurationBotFrameworkAuthentication(
      {
        ValidateAuthority: 'true',
        ToChannelFromBotLoginUrl: 'https://login.microsoftonline.com/botframework.com',
        ToChannelFromBotOAuthScope: 'https://api.botframework.com',
        ToBotFromChannelTokenIssuer: 'https://api.botframework.com',
        OAuthUrl: 'https://api.botframework.com',
        ToBotFromChannelOpenIdMetadataUrl: openIdMetadata,
        ToBotFromEmulatorOpenIdMetadataUrl: openIdMetadata,
        CallerId: 'urn:botframework:azure',
      },
      credentials,
    ),
  );
  adapter.onTurnError = async (_, error) => {
    console.error(error);
  };
  return adapter;
}
