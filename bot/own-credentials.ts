import { X509Certificate } from 'node:crypto';
import type { OwnCredential } from '../shared/tenants/credential-expiry.ts';
import type { Config } from './config.ts';
import type { AppCredential } from './config-reader.ts';

/** Watchpost's own credentials and when they end: of certificates what they say, of secrets what the settings say. */
export function ownCredentials({ bot, tab, graph }: Pick<Config, 'bot' | 'tab' | 'graph'>): OwnCredential[] {
  return [
    ...own('the bot', bot.credential),
    ...own('the tab', tab.credential),
    ...own('the application that customers consent to', graph?.credential),
  ];
}

function own(of: string, credential: AppCredential | undefined): OwnCredential[] {
  if (credential === undefined) return [];
  const { kind } = credential;
  const expiresAt = kind === 'secret' ? credential.expiresAt : endOf(credential.certificatePem);
  return [{ of, kind, ...(expiresAt === undefined ? {} : { expiresAt }) }];
}

function endOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).validToDate.toISOString();
  } catch {
    return undefined; // what is wrong with it is told by the doctor, and by Entra at the first token
  }
}
