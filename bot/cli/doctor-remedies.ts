import type { Name } from '../config-reader.ts';

/** What to do about a setting that is missing or wrong: what it is and where it is found. */
export const remedies: Readonly<Record<Name, string>> = {
  PORT: 'Name a free port from 1 to 65535, or remove it for 3978.',
  HOST: 'Name the address to listen on, or remove it for 0.0.0.0.',
  PUBLIC_URL:
    'Set the https address of the proxy in front of Watchpost, such as https://watchpost.example.com.',
  BOT_ID: "Set the application (client) id of the bot's app registration in Entra.",
  BOT_PASSWORD:
    "Set a client secret's value (not its id) from the bot's app registration, or a certificate and its key.",
  BOT_PASSWORD_EXPIRES: 'Set the day on which BOT_PASSWORD ends, like 2027-03-31, or remove it.',
  BOT_CERTIFICATE_FILE:
    'Set both BOT_CERTIFICATE_FILE and BOT_KEY_FILE, PEM files that the user of Watchpost may read, and no BOT_PASSWORD.',
  BOT_KEY_FILE:
    'Set both BOT_CERTIFICATE_FILE and BOT_KEY_FILE, PEM files that the user of Watchpost may read, and no BOT_PASSWORD.',
  BOT_TENANT_ID: "Set the directory (tenant) id of the bot's app registration.",
  TEAMS_APP_ID: 'Set the GUID that the app package was built with (npm run package).',
  AAD_APP_CLIENT_ID:
    "Set the application (client) id of the tab's app registration, another one than the bot's.",
  AAD_APP_TENANT_ID: "Set the directory (tenant) id of the tab's app registration.",
  AAD_APP_SECRET: "Set a client secret's value of the tab's app registration, or remove it.",
  AAD_APP_SECRET_EXPIRES: 'Set the day on which AAD_APP_SECRET ends, like 2027-03-31, or remove it.',
  AAD_APP_CERTIFICATE_FILE:
    'Set both AAD_APP_CERTIFICATE_FILE and AAD_APP_KEY_FILE as PEM files, or remove both.',
  AAD_APP_KEY_FILE: 'Set both AAD_APP_CERTIFICATE_FILE and AAD_APP_KEY_FILE as PEM files, or remove both.',
  GRAPH_APP_ID:
    'Set GRAPH_APP_ID together with GRAPH_APP_SECRET or a certificate and its key, or remove them all.',
  GRAPH_APP_SECRET:
    'Set GRAPH_APP_ID together with GRAPH_APP_SECRET or a certificate and its key, or remove them all.',
  GRAPH_APP_SECRET_EXPIRES: 'Set the day on which GRAPH_APP_SECRET ends, like 2027-03-31, or remove it.',
  GRAPH_CERTIFICATE_FILE: 'Set both GRAPH_CERTIFICATE_FILE and GRAPH_KEY_FILE as PEM files, or remove both.',
  GRAPH_KEY_FILE: 'Set both GRAPH_CERTIFICATE_FILE and GRAPH_KEY_FILE as PEM files, or remove both.',
  HOME_TENANT_ID:
    'Set the directory (tenant) id of the organisation whose people use Watchpost, or remove it.',
  ENCRYPTION_KEYS:
    'Make one with `openssl rand -base64 32` and set it as k1: and that text; keep a copy apart from the data.',
  AUDIT_CHECKPOINT_FILE:
    'Name a file on another disk or machine that the user of Watchpost may write, or remove it.',
  AUDIT_KEY_FILE:
    'Make one with `openssl genpkey -algorithm ed25519 -out audit-key.pem`, mode 0600, or remove it: then one is made.',
  MONGODB_URI:
    'Set an address like mongodb://user:password@host1,host2,host3/watchpost?replicaSet=rs0, or remove it for the embedded store.',
  WATCHPOST_DATA: 'Name a folder that the user of Watchpost may write.',
  WATCHPOST_ROLE: 'Remove it, or set MONGODB_URI and one of all, web, clock.',
  WATCHPOST_GROUP_ROLES: 'Set <object id of a group>=Operator, several with commas between, or remove it.',
  WATCHPOST_NAME_CLAIMS: 'Set name, preferred_username or another claim named, or remove it for name.',
  WATCHPOST_MAIL_CLAIMS: 'Set email, preferred_username or another claim named, or remove it.',
  METRICS_TOKEN: 'Set at least 16 random characters, such as from `openssl rand -hex 24`, or remove it.',
  CLOUD: 'Set global, usgov, usgovdod or china, or remove it for global.',
  SYNC_CRON_SCORES: 'Set five fields in UTC, such as 17 5,17 * * *, or remove it.',
  SYNC_CRON_ALERTS: 'Set five fields in UTC, or remove it.',
  SYNC_CRON_IDENTITY: 'Set five fields in UTC, or remove it.',
  SYNC_CRON_DIRECTORY: 'Set five fields in UTC, such as 41 2 * * *, or remove it.',
  SYNC_CRON_POLICIES: 'Set five fields in UTC, or remove it.',
  SYNC_CRON_CALENDAR: 'Set five fields in UTC, or remove it.',
  SANDBOX_URL: 'Remove it: it is for the demo.',
  LOG_LEVEL: 'Set info, or another of the levels named.',
};
