import {
  type AuthenticateRequestResult,
  AuthenticationError,
  BotFrameworkAuthentication,
  type BotFrameworkClient,
  ClaimsIdentity,
  type ConnectorClient,
  ConnectorFactory,
  UserTokenClient,
} from 'botframework-connector';
import type { Envelope, TokenCheck } from './authenticator.ts';

const unauthorized = 401;

/**
 * The library's authentication with one door instead of five (security.md F1): activities of Teams, checked by our own
 * rule. Streaming, skills and the emulator are refused, and so is everything the library would send by itself: all
 * sending goes through our sender, behind the gate.
 */
export class StrictAuthentication extends BotFrameworkAuthentication {
  readonly #check: (line: string, envelope: Envelope) => Promise<TokenCheck>;
  readonly #botId: string;

  constructor(botId: string, check: (line: string, envelope: Envelope) => Promise<TokenCheck>) {
    super();
    this.#botId = botId;
    this.#check = check;
  }

  override async authenticateRequest(
    activity: Envelope,
    authHeader: string,
  ): Promise<AuthenticateRequestResult> {
    const checked = await this.#check(authHeader, activity);
    if (checked.kind === 'refused') throw new AuthenticationError('Unauthorized.', unauthorized);
    const claimsIdentity = new ClaimsIdentity([{ type: 'aud', value: this.#botId }], 'strict');
    return { audience: this.#botId, claimsIdentity, connectorFactory: refusingFactory };
  }

  override async authenticateStreamingRequest(): Promise<AuthenticateRequestResult> {
    throw new AuthenticationError('Streaming is not offered.', unauthorized);
  }

  override async authenticateChannelRequest(): Promise<ClaimsIdentity> {
    throw new AuthenticationError('Skills are not offered.', unauthorized);
  }

  override createConnectorFactory(): ConnectorFactory {
    return refusingFactory;
  }

  override async createUserTokenClient(): Promise<UserTokenClient> {
    return refusingTokens;
  }

  override createBotFrameworkClient(): BotFrameworkClient {
    throw new Error('Skills are not offered.');
  }

  override getOriginatingAudience(): string {
    return this.#botId;
  }
}

function refuse(): never {
  throw new Error('The library sends nothing by itself: use the sender.');
}

/** The library wants a connector for every turn; this one has no way out. */
class RefusingFactory extends ConnectorFactory {
  override async create(): Promise<ConnectorClient> {
    return refusingConnector;
  }
}

class RefusingTokens extends UserTokenClient {
  override getUserToken = async () => refuse();
  override getSignInResource = async () => refuse();
  override signOutUser = async () => refuse();
  override getTokenStatus = async () => refuse();
  override getAadTokens = async () => refuse();
  override exchangeToken = async () => refuse();
}

const refusingConnector = new Proxy(
  {},
  // `then` must stay absent: the library awaits the client.
  { get: (_, name) => (name === 'then' ? undefined : refuse()) },
) as ConnectorClient;
const refusingFactory = new RefusingFactory();
const refusingTokens = new RefusingTokens();
