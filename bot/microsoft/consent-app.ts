import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { Cloud } from '../clouds.ts';
import { hasCode } from '../errors.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import type { ConsentApp, ConsentProof, Failure, SignedIn, SigningKeys } from '../services.ts';
import { entraErrorSchema, entraFailure } from './aadsts.ts';
import { looseJson, MicrosoftError, nonsense, silence } from './failures.ts';
import { checkIdToken } from './id-token.ts';
import type { ConsentCredential } from './token-request.ts';

export type ConsentAppOptions = {
  app: ConsentCredential;
  cloud: Cloud;
  outbound: Outbound;
  keys: SigningKeys;
  /** `{publicUrl}/connect/callback`, as registered. */
  redirectUri: string;
  /** Where browsers meet Entra: the cloud's own address, in the demo the sandbox's. */
  pages: string;
  /** Milliseconds since 1970. */
  now(): number;
  signal: AbortSignal;
};

/**
 * Our own application for many tenants, as an administrator meets it (`graph.md` §6.2): the address of the consent page
 * and of the sign-in after it, and what the sign-in brought. What the pages answer in their query proves nothing.
 */
export function openConsentApp(options: ConsentAppOptions): ConsentApp {
  const { app, cloud, pages, redirectUri } = options;
  const page = (tenant: TenantId, path: string, query: Record<string, string>): string =>
    `${pages}/${tenant}/${path}?${new URLSearchParams({ client_id: app.appId, redirect_uri: redirectUri, ...query })}`;
  return {
    appId: app.appId,
    pages: new URL(pages).origin,
    consentUrl: (tenant, state) => page(tenant, 'v2.0/adminconsent', { scope: cloud.graphScope, state }),
    signInUrl: (tenant, state, { verifier, nonce }) =>
      page(tenant, 'oauth2/v2.0/authorize', {
        response_type: 'code',
        response_mode: 'query',
        scope: 'openid profile',
        state,
        nonce,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      }),
    async signedIn(tenant, code, proof) {
      try {
        const token = await redeem(options, tenant, code, proof);
        return await checkIdToken(token, {
          keys: options.keys,
          audience: app.appId,
          issuer: cloud.tabIssuer,
          nonce: proof.nonce,
          now: new Date(options.now()),
        });
      } catch (error) {
        return failedBy(error);
      }
    },
  };
}

const answerSchema = v.object({ id_token: v.pipe(v.string(), v.nonEmpty(), v.maxLength(64 * 1024)) });

/** The code for an ID token, with our own credential and the verifier. @throws MicrosoftError, OutboundError */
async function redeem(
  { app, cloud, outbound, redirectUri, now, signal }: ConsentAppOptions,
  tenant: TenantId,
  code: string,
  { verifier }: ConsentProof,
): Promise<string> {
  const endpoint = `${cloud.authority}/${tenant}/oauth2/v2.0/token`;
  const form = new URLSearchParams({
    client_id: app.appId,
    grant_type: 'authorization_code',
    scope: 'openid profile',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  const { credential } = app;
  if (credential.kind === 'secret') credential.secret.use((secret) => form.set('client_secret', secret));
  else {
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    form.set('client_assertion', await assertion(app.appId, credential, endpoint, now()));
  }
  const answer = await outbound(endpoint, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    timeoutMs: 10_000,
    maxBytes: 1024 * 1024,
    signal,
  });
  const json = looseJson(answer.body);
  const refusal = v.safeParse(entraErrorSchema, json);
  if (refusal.success) throw new MicrosoftError(entraFailure(answer.status, refusal.output));
  const parsed = v.safeParse(answerSchema, json);
  if (answer.status !== 200 || !parsed.success)
    throw new MicrosoftError(
      nonsense('Microsoft Entra answered without a sign-in.', `HTTP ${answer.status}`),
    );
  return parsed.output.id_token;
}

/** PS256 with `x5t#S256`, good for five minutes. */
async function assertion(
  appId: string,
  credential: Extract<ConsentCredential['credential'], { kind: 'certificate' }>,
  audience: string,
  now: number,
): Promise<string> {
  // Signing is needed by who has a certificate only, and then once in a while.
  const { SignJWT } = await import('jose/jwt/sign');
  const thumbprint = new X509Certificate(credential.certificatePem).fingerprint256.replaceAll(':', '');
  const seconds = Math.floor(now / 1000);
  return await credential.key.use((pem) =>
    new SignJWT({})
      .setProtectedHeader({
        alg: 'PS256',
        typ: 'JWT',
        'x5t#S256': Buffer.from(thumbprint, 'hex').toString('base64url'),
      })
      .setIssuer(appId)
      .setSubject(appId)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + 300)
      .sign(createPrivateKey(pem)),
  );
}

function failedBy(error: unknown): SignedIn {
  const failure = failureOf(error);
  if (failure === undefined) throw error;
  return { kind: 'failed', failure };
}

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof MicrosoftError) return error.failure;
  if (error instanceof OutboundError && error.code !== 'stopped') return silence(error).failure;
  // Nobody can say of a token whether it is right while Entra tells no keys.
  if (hasCode(error, 'service-error')) return nonsense(error.message);
  return undefined;
}
