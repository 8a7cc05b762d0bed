import { constants, verify, X509Certificate } from 'node:crypto';
import type { App } from './tenants.ts';

/**
 * What is wrong with a client assertion, as an AADSTS number, or undefined when it is right: PS256 with `x5t#S256`,
 * or the old RS256 with `x5t`; signed by a certificate of the app; audience, issuer, subject, life and id as asked.
 */
export function assertionProblem(
  assertion: string,
  expected: { app: App; now: Date; type: string | null; audiences: string[] },
): { code: number; detail: string } | undefined {
  if (expected.type !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    return { code: 50027, detail: 'The client_assertion_type is not supported.' };
  const parts = assertion.split('.');
  const header = decoded(parts[0]);
  const claims = decoded(parts[1]);
  if (parts.length !== 3 || header === undefined || claims === undefined)
    return { code: 50027, detail: 'The assertion cannot be read.' };

  const certificate = expected.app.certificates
    .map((pem) => new X509Certificate(pem))
    .find((one) => names(one, header));
  if (certificate === undefined) return { code: 700027, detail: 'The thumbprint is not known.' };
  if ((expected.app.acceptedFrom?.[certificate.fingerprint256] ?? 0) > expected.now.getTime())
    return { code: 700027, detail: 'The certificate is not known here yet.' };
  if (Date.parse(certificate.validTo) < expected.now.getTime())
    return { code: 700027, detail: 'The certificate has expired.' };
  if (!signed(parts, header, certificate))
    return { code: 700027, detail: 'The signature does not fit the certificate.' };

  const now = expected.now.getTime() / 1000;
  const { aud, iss, sub, exp, nbf, jti } = claims;
  if (typeof aud !== 'string' || !expected.audiences.includes(aud))
    return { code: 50027, detail: `The audience '${String(aud)}' is not this endpoint.` };
  if (iss !== expected.app.appId || sub !== expected.app.appId)
    return { code: 50027, detail: 'Issuer and subject must be the application.' };
  if (typeof jti !== 'string' || jti === '') return { code: 50027, detail: 'The assertion has no id.' };
  if (typeof exp !== 'number' || exp <= now) return { code: 700024, detail: 'The assertion has expired.' };
  if (exp > now + 24 * 3600) return { code: 700024, detail: 'The assertion lives too long.' };
  if (typeof nbf === 'number' && nbf > now + 300)
    return { code: 700024, detail: 'The assertion is not valid yet.' };
  return undefined;
}

function names(certificate: X509Certificate, header: Record<string, unknown>): boolean {
  const sha256 = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  const sha1 = Buffer.from(certificate.fingerprint.replaceAll(':', ''), 'hex').toString('base64url');
  return header['x5t#S256'] === sha256 || (header.alg === 'RS256' && header.x5t === sha1);
}

function signed(parts: string[], header: Record<string, unknown>, certificate: X509Certificate): boolean {
  const data = Buffer.from(`${parts[0]}.${parts[1]}`);
  const signature = Buffer.from(parts[2] ?? '', 'base64url');
  if (header.alg === 'PS256')
    return verify(
      'sha256',
      data,
      {
        key: certificate.publicKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      },
      signature,
    );
  return header.alg === 'RS256' && verify('RSA-SHA256', data, certificate.publicKey, signature);
}

function decoded(part: string | undefined): Record<string, unknown> | undefined {
  if (part === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
