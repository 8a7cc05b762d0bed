import { fileURLToPath } from 'node:url';

export const project = fileURLToPath(new URL('../..', import.meta.url));
export const appPackage = fileURLToPath(new URL('../../appPackage', import.meta.url));

/** What an operator sets, as it looks in life. */
export const real = {
  TEAMS_APP_ID: '0c6a1f4e-93d7-4b25-8e50-a7d2f3b61c98',
  BOT_ID: 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6',
  AAD_APP_CLIENT_ID: '5a7e9b13-c2d4-4f68-90ab-3e1c7d5f8264',
  PUBLIC_URL: 'https://watchpost.contoso.com',
} as const;
