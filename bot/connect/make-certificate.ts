import { randomBytes } from 'node:crypto';
import { type Instant, millis } from '../../shared/time.ts';
import { Secret } from '../secrets.ts';

/** A certificate made here, with its private key: only the certificate may leave. */
export type MadeCertificate = { certificatePem: string; key: Secret };

const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  // About 300 ms on a thread of its own; asked for once a year.
  modulusLength: 3072,
  publicExponent: new Uint8Array([1, 0, 1]),
};
/** Clocks of others are behind ours by minutes. */
const beforehandMs = 10 * 60_000;
const yearMs = 365 * 86_400_000;

/**
 * A new RSA key pair and its self-signed certificate, valid for one year from `now`, for signing in to one tenant.
 * `subject` names it neutrally (a tenant's id): a certificate is public, so it says nothing about the customer.
 */
export async function makeCertificate(subject: string, now: Instant): Promise<MadeCertificate> {
  const x509 = await library();
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serial(),
      name: [{ CN: [`Watchpost ${subject}`] }],
      notBefore: new Date(millis(now) - beforehandMs),
      notAfter: new Date(millis(now) + yearMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  const { PemConverter } = x509;
  const key = PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', keys.privateKey),
    PemConverter.PrivateKeyTag,
  );
  return { certificatePem: `${made.toString('pem')}\n`, key: new Secret(`${key}\n`) };
}

/** It takes a tenth of a second to read and is wanted a few times a year: not at start. */
async function library(): Promise<typeof import('@peculiar/x509')> {
  // Its container of parts asks for this before it is read.
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

/** 20 bytes at most and positive (RFC 5280, 4.1.2.2): 127 random bits. */
function serial(): string {
  const bytes = randomBytes(16);
  // The first bit is the sign; never zero, so that the number has its 16 bytes.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}
