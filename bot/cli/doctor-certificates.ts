import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expiryText } from '../../shared/tenants/credential-expiry.ts';
import type { Config } from '../config.ts';
import type { AppCredential } from '../config-reader.ts';
import { type Check, ok, wrong } from './doctor-report.ts';

const dayMs = 86_400_000;
/** Time enough to have a new one made. */
export const warnDays = 30;

/** The certificates that the settings name: readable, in their time, belonging to their keys; secrets whose end is
 * known. `now` in milliseconds. */
export function examineCertificates(config: Config, now: number): Check[] {
  return [
    ...certificate('BOT_CERTIFICATE_FILE', config.bot.credential, now),
    ...certificate('AAD_APP_CERTIFICATE_FILE', config.tab.credential, now),
    ...certificate('GRAPH_CERTIFICATE_FILE', config.graph?.credential, now),
    ...secret('BOT_PASSWORD', config.bot.credential, now),
    ...secret('AAD_APP_SECRET', config.tab.credential, now),
    ...secret('GRAPH_APP_SECRET', config.graph?.credential, now),
  ];
}

/** When a secret ends, where the setting beside it says so. */
export function secret(about: string, credential: AppCredential | undefined, now: number): Check[] {
  if (credential?.kind !== 'secret' || credential.expiresAt === undefined) return [];
  const { expiresAt } = credential;
  const text = `It ${expiryText(expiresAt, new Date(now).toISOString())}.`;
  if (Date.parse(expiresAt) - now >= warnDays * dayMs) return [ok(about, text)];
  return [wrong(about, text, `Make a new one in Entra, set it, and its day as ${about}_EXPIRES.`)];
}

function certificate(about: string, credential: AppCredential | undefined, now: number): Check[] {
  if (credential?.kind !== 'certificate') return [];
  const pair =
    'Name the certificate and the private key that was made with it, both as PEM without a password.';
  let read: X509Certificate;
  try {
    read = new X509Certificate(credential.certificatePem);
  } catch {
    // What OpenSSL says of it helps nobody.
    return [wrong(about, 'The file holds no certificate that can be read.', pair)];
  }
  const fits = credential.key.use((pem) => {
    try {
      return read.checkPrivateKey(createPrivateKey(pem));
    } catch {
      return undefined;
    }
  });
  if (fits === undefined) return [wrong(about, 'The private key beside it cannot be read.', pair)];
  if (!fits) return [wrong(about, 'The private key belongs to another certificate.', pair)];
  return [validity(about, read.validFromDate, read.validToDate, now)];
}

/** Whether a certificate is in its time, and will be for a while. */
export function validity(about: string, from: Date, to: Date, now: number): Check {
  const day = to.toISOString().slice(0, 10);
  const days = Math.floor((to.getTime() - now) / dayMs);
  const renew = 'Make a new one, register it with the application, then exchange the files.';
  if (from.getTime() > now)
    return wrong(
      about,
      `It is valid from ${from.toISOString().slice(0, 10)} on, not yet.`,
      'Check the clock.',
    );
  if (days < 0 || to.getTime() <= now) return wrong(about, `It ended on ${day}.`, renew);
  if (days < warnDays)
    return wrong(about, `It ends in ${days} ${days === 1 ? 'day' : 'days'}, on ${day}.`, renew);
  return ok(about, `It is valid until ${day} and belongs to its key.`);
}
