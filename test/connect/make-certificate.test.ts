import { createPrivateKey, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import { type MadeCertificate, makeCertificate } from '../../bot/connect/make-certificate.ts';

/** Judged by OpenSSL, as Node has it: not by the library that made them. */

const now = '2026-11-21T20:00:00.000Z';

let one: MadeCertificate;
let other: MadeCertificate;
beforeAll(async () => {
  [one, other] = await Promise.all([
    makeCertificate('11111111-1111-4111-8111-111111111111', now),
    makeCertificate('11111111-1111-4111-8111-111111111111', now),
  ]);
});

test('a key pair of 3,072 bits and a certificate of one year that fits it, signed by itself with SHA-256', () => {
  const { certificatePem, key } = one;
  const certificate = new X509Certificate(certificatePem);
  expect(certificate).toMatchObject({
    subject: 'CN=Watchpost 11111111-1111-4111-8111-111111111111',
    issuer: 'CN=Watchpost 11111111-1111-4111-8111-111111111111',
    signatureAlgorithm: 'sha256WithRSAEncryption',
    ca: false,
    validToDate: new Date('2027-11-21T20:00:00.000Z'),
  });
  // A clock that is behind ours by minutes takes it all the same.
  expect(certificate.validFromDate).toEqual(new Date('2026-11-21T19:50:00.000Z'));
  expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 3072 });
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(key.use((pem) => certificate.checkPrivateKey(createPrivateKey(pem)))).toBe(true);
  expect(certificatePem).toMatch(/^-----BEGIN CERTIFICATE-----\n[\s\S]+\n-----END CERTIFICATE-----\n$/);
});

test('each has a key and a serial number of its own; printed, it shows no key', () => {
  const serials = [one, other].map((made) => new X509Certificate(made.certificatePem).serialNumber);
  expect(serials[0]).not.toBe(serials[1]);
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  expect(one.key.use((pem) => pem)).not.toBe(other.key.use((pem) => pem));
  expect(inspect(one, { depth: 9, showHidden: true })).not.toMatch(/PRIVATE KEY/);
  expect(JSON.stringify(one)).not.toMatch(/PRIVATE KEY/);
});
