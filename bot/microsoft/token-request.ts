import { createPrivateKey, X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication, type INetworkModule, type NetworkResponse } from '@azure/msal-node';
import * as v from 'valibot';
import type { Cloud } from '../clouds.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import { Secret } from '../secrets.ts';
import type { TenantAccess } from '../services.ts';
import { entraErrorSchema, entraFailure } from './aadsts.ts';
import { looseJson, MicrosoftError, nonsense, silence, throttled } from './failures.ts';
import { askedToWait } from './retry.ts';

/** An app-only token. `roles` is a hint for "which permissions are missing"; the API call decides. */
export type AppToken = {
  value: Secret;
  roles: readonly string[];
  /** Milliseconds since 1970; from `renewAt` on a new one is fetched. */
  expiresAt: number;
  renewAt: number;
};

export type TokenOptions = {
  outbound: Outbound;
  cloud: Cloud;
  /** Milliseconds. */
  now(): number;
  signal?: AbortSignal;
  /** Default: Microsoft Graph's. */
  scope?: string;
  /** Tokens kept at most; a token is about 2 kB. */
  most?: number;
  /** Our own application, which customers consent to. */
  consentApp?: ConsentCredential;
};

/** The application of this installation that administrators of tenants consent to, and how it proves who it is. */
export type ConsentCredential = {
  appId: string;
  credential: Exclude<TenantAccess['credential'], { kind: 'consent' }>;
};
/** What a request is signed with: a tenant's own credential, or ours where it consented. */
export type OwnAccess = Omit<TenantAccess, 'credential'> & Pick<ConsentCredential, 'credential'>;

/**
 * A tenant that consented is entered with our own credential. @throws MicrosoftError when this Watchpost has no such
 * application, or has another one by now.
 */
export function ownCredential(access: TenantAccess, ours: ConsentCredential | undefined): OwnAccess {
  const { credential } = access;
  if (credential.kind !== 'consent') return { ...access, credential };
  if (ours === undefined || ours.appId.toLowerCase() !== access.appId.toLowerCase()) {
    throw new MicrosoftError({
      kind: 'authentication',
      cause:
        ours === undefined
          ? 'This tenant consented to an application whose credential this Watchpost does not have.'
          : 'This tenant consented to another application than the one Watchpost has now.',
      remedy:
        ours === undefined
          ? 'Set GRAPH_APP_ID with its secret or certificate again.'
          : 'An administrator of the tenant consents again: Reconnect.',
      transient: false,
    });
  }
  return { ...access, credential: ours.credential };
}

/** Entra answers quickly or not at all. */
export const askMs = 10_000;
const marginMs = 300_000;

/**
 * One token request: the checks of `security.md` §5.3, Entra's refusals as failures in plain words.
 * @throws MicrosoftError; OutboundError `stopped` when given up.
 */
export async function appToken(
  options: TokenOptions,
  access: OwnAccess,
  request: { scope: string; claims?: string },
): Promise<AppToken> {
  const { cloud, outbound, now, signal } = options;
  const authority = `${cloud.authority}/${access.tenantId}`;
  let seen: Seen | undefined;
  let problem: unknown;

  const networkClient: INetworkModule = {
    sendGetRequestAsync() {
      // All metadata is given below; there is nothing to ask for.
      return Promise.reject(new MicrosoftError(nonsense('An unexpected address was asked for.')));
    },
    async sendPostRequestAsync<T>(
      url: string,
      init?: { headers?: Record<string, string>; body?: string },
    ): Promise<NetworkResponse<T>> {
      try {
        const answer = await outbound(url, {
          method: 'POST',
          headers: { ...init?.headers, accept: 'application/json' },
          body: init?.body ?? '',
          timeoutMs: askMs,
          maxBytes: 1024 * 1024,
          ...(signal ? { signal } : {}),
        });
        seen = understood(answer, now());
        return { status: answer.status, headers: { ...answer.headers }, body: seen.json as T };
      } catch (error) {
        problem = error;
        throw error;
      }
    },
  };

  const bornAt = now();
  try {
    await withCredential(access, async (credential) => {
      const app = new ConfidentialClientApplication({
        auth: {
          clientId: access.appId,
          authority,
          knownAuthorities: [new URL(cloud.authority).hostname],
          authorityMetadata: JSON.stringify({
            issuer: `${authority}/v2.0`,
            authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
            token_endpoint: `${authority}/oauth2/v2.0/token`,
            jwks_uri: `${authority}/discovery/v2.0/keys`,
          }),
          ...credential,
        },
        system: { networkClient },
      });
      await app.acquireTokenByClientCredential({
        scopes: [request.scope],
        skipCache: true,
        ...(request.claims === undefined ? {} : { claims: request.claims }),
      });
    });
  } catch (error) {
    // msal judges answers too; where one was seen, our own checks below decide.
    if (problem !== undefined || seen === undefined) throw asFailure(problem ?? error);
  }
  if (seen === undefined) throw new MicrosoftError(nonsense('Microsoft Entra gave no answer.'));
  return checked(seen.json, access, bornAt);
}

type Seen = { json: Record<string, unknown> };
type MsalCredential =
  | { clientSecret: string }
  | { clientCertificate: { thumbprintSha256: string; privateKey: string } };

async function withCredential(
  access: OwnAccess,
  use: (credential: MsalCredential) => Promise<void>,
): Promise<void> {
  const { credential } = access;
  if (credential.kind === 'secret') {
    return credential.secret.use((clientSecret) => use({ clientSecret }));
  }
  return credential.key.use((privateKey) => {
    let thumbprintSha256: string;
    try {
      const certificate = new X509Certificate(credential.certificatePem);
      if (!certificate.checkPrivateKey(createPrivateKey(privateKey)))
        throw unusable('does not belong to the key');
      thumbprintSha256 = certificate.fingerprint256.replaceAll(':', '');
    } catch (error) {
      throw error instanceof MicrosoftError ? error : unusable('or its key cannot be read');
    }
    return use({ clientCertificate: { thumbprintSha256, privateKey } });
  });
}

function unusable(why: string): MicrosoftError {
  return new MicrosoftError({
    kind: 'authentication',
    cause: `The saved certificate ${why}.`,
    remedy: 'Save the certificate and its key once more, both as PEM.',
    transient: false,
  });
}

/** Entra's answer as a JSON object with status 200, or the failure it stands for. */
function understood(
  answer: { status: number; headers: Readonly<Record<string, string>>; body: Buffer },
  now: number,
): Seen {
  const json = looseJson(answer.body);
  const refusal = v.safeParse(entraErrorSchema, json);
  if (answer.status !== 200 || refusal.success) {
    const failure = refusal.success
      ? entraFailure(answer.status, refusal.output)
      : answer.status === 429
        ? throttled()
        : nonsense('Microsoft Entra answered with something that is not a token.', `HTTP ${answer.status}`);
    if (failure.transient) {
      const wait = askedToWait(answer.headers, now);
      if (wait !== undefined) failure.retryAfterMs = wait;
    }
    throw new MicrosoftError(failure, failure.transient && answer.status !== 200);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new MicrosoftError(
      nonsense('Microsoft Entra answered with something that is not a token.', 'NOT_JSON'),
    );
  }
  return { json: json as Record<string, unknown> };
}

const tokenSchema = v.object({
  access_token: v.pipe(v.string(), v.nonEmpty(), v.maxLength(64 * 1024)),
  token_type: v.pipe(v.string(), v.regex(/^bearer$/i)),
  // Documented as a number, seen as text.
  expires_in: v.optional(
    v.pipe(v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/))]), v.transform(Number)),
  ),
});
const claimsSchema = v.object({
  tid: v.optional(v.string()),
  appid: v.optional(v.string()),
  azp: v.optional(v.string()),
  exp: v.optional(v.number()),
  roles: v.fallback(v.optional(v.array(v.string()), []), []),
});

function checked(json: Record<string, unknown>, access: TenantAccess, bornAt: number): AppToken {
  const answer = v.safeParse(tokenSchema, json);
  if (!answer.success) {
    throw new MicrosoftError(nonsense('Microsoft Entra answered without a usable token.', 'NO_TOKEN'));
  }
  const { access_token: value, expires_in: seconds } = answer.output;
  const claims = claimsOf(value);
  if (claims !== undefined) {
    const app = claims.appid ?? claims.azp;
    if (claims.tid?.toLowerCase() !== access.tenantId || app?.toLowerCase() !== access.appId.toLowerCase()) {
      throw new MicrosoftError(
        nonsense('Microsoft Entra answered with a token for another tenant or application.', 'WRONG_TOKEN'),
      );
    }
  }
  const ends = [
    ...(seconds !== undefined && seconds > 0 ? [bornAt + seconds * 1000] : []),
    ...(claims?.exp === undefined ? [] : [claims.exp * 1000]),
  ];
  const expiresAt = ends.length === 0 ? bornAt : Math.min(...ends);
  if (!(expiresAt > bornAt)) {
    throw new MicrosoftError(
      nonsense('Microsoft Entra answered with a token that has ended.', 'EXPIRED_TOKEN'),
    );
  }
  return {
    value: new Secret(value),
    roles: claims?.roles.filter((role) => /^[A-Za-z]+(\.[A-Za-z0-9-]+){1,5}$/.test(role)) ?? [],
    expiresAt,
    // Five minutes before the end; a short-lived one lives half its life.
    renewAt: expiresAt - Math.min(marginMs, (expiresAt - bornAt) / 2),
  };
}

/** Claims of a signed token, unverified: it came from Entra over TLS. Undefined for one that is opaque to clients. */
function claimsOf(token: string): v.InferOutput<typeof claimsSchema> | undefined {
  const parts = token.split('.');
  if (parts.length !== 3 || parts[1] === undefined) return undefined;
  const parsed = v.safeParse(claimsSchema, looseJson(Buffer.from(parts[1], 'base64url')));
  return parsed.success ? parsed.output : undefined;
}

function asFailure(error: unknown): Error {
  if (error instanceof MicrosoftError) return error;
  if (error instanceof OutboundError) {
    return error.code === 'stopped' ? error : silence(error);
  }
  // msal's own errors may carry the request: only a plain word crosses this line.
  return new MicrosoftError({
    kind: 'authentication',
    cause: 'No token request could be made with the saved credential.',
    remedy: 'Check the App id and save the secret or certificate once more.',
    code: error instanceof Error ? error.name : 'unknown',
    transient: false,
  });
}
