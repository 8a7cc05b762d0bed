import { expect, test } from '@jest/globals';
import { directoryPage } from '../../../shared/directory/page.ts';
import type { MailDomain } from '../../../shared/mail/mail-domain.ts';
import { dkimWords, dmarcWords, spfWords } from '../../../shared/mail/words.ts';
import type { DatasetState } from '../../../shared/tenants/tenant.ts';

const now = '2026-11-20T09:00:00.000Z';
const at = '2026-11-20T02:50:00.000Z';
const state = (change: Partial<DatasetState>): DatasetState => ({ state: 'error', triedAt: now, ...change });

test.each([
  { users: undefined, why: 'it was not read yet' },
  {
    users: state({ state: 'not-granted', why: 'not granted (User.Read.All)' }),
    why: 'it was not granted (User.Read.All)',
  },
  {
    users: state({ state: 'not-licensed', why: 'The feature needs Entra ID P1.' }),
    why: 'the feature needs Entra ID P1',
  },
  {
    users: state({ state: 'throttled', why: 'Microsoft asks us to wait.' }),
    why: 'Microsoft asks us to wait',
  },
  { users: state({}), why: 'it could not be read' },
])('no number without a reading: $why', ({ users, why }) => {
  const page = directoryPage({ datasets: users === undefined ? {} : { users } }, {}, now);
  expect(page.users).toEqual({ known: false, why });
});

test('what was read before stays beside the failure of the last try, with its own age', () => {
  const value = {
    members: 3,
    guests: 0,
    enabledMembers: 3,
    enabledGuests: 0,
    disabledLicensed: 0,
    synced: 0,
  };
  const datasets = { users: state({ state: 'throttled', why: 'Microsoft asks us to wait.', readAt: at }) };
  const page = directoryPage({ datasets }, { users: value }, now);
  expect(page.users).toEqual({ known: true, value, readAt: at });
  expect(page.datasets.find(({ name }) => name === 'users')).toMatchObject({
    state: 'throttled',
    triedAt: now,
    readAt: at,
  });
  // What enforces MFA is not known before both were read, and why is said of each.
  expect(page.enforcement).toMatchObject({ verdict: 'unknown' });
  expect(page.enforcement.lines[0]).toBe('Security defaults: not known, because it was not read yet.');
});

test('an empty list that was read is known; domains carry their mark', () => {
  const datasets = { mailDomains: { state: 'ok', triedAt: now, readAt: at } as const };
  expect(directoryPage({ datasets }, { mail: [] }, now).mail).toEqual({ known: true, value: [], readAt: at });
  const none = { kind: 'none' } as const;
  const domain: MailDomain = { name: 'a.example', isDefault: true, spf: none, dmarc: none, dkim: [] };
  expect(directoryPage({ datasets }, { mail: [domain] }, now).mail).toMatchObject({
    value: [{ mark: 'weak', why: 'no SPF policy' }],
  });
});

const selector = 'selector1';
test.each([
  {
    words: spfWords({ spf: { kind: 'ok', all: 'softfail', sendsNothing: false } }),
    says: 'SPF: others are suspect (~all)',
  },
  {
    words: spfWords({ spf: { kind: 'unknown', why: 'the name servers did not answer' } }),
    says: 'SPF: not looked up, the name servers did not answer',
  },
  {
    words: dkimWords({
      dkim: [
        { selector, key: { kind: 'ok' } },
        { selector: 'selector2', key: { kind: 'none' } },
      ],
    }),
    says: 'DKIM: 1 key at Microsoft’s 2 selectors',
  },
  {
    words: dkimWords({ dkim: [{ selector, key: { kind: 'none', pointsTo: 'x.example' } }] }),
    says: 'DKIM: selector1 points to Microsoft, but signing is off there',
  },
  {
    words: dkimWords({ dkim: [{ selector, key: { kind: 'revoked' } }] }),
    says: 'DKIM: the key at selector1 was taken back',
  },
  {
    words: dkimWords({ dkim: [{ selector, key: { kind: 'none' } }] }),
    says: 'DKIM: no key at Microsoft’s selectors',
  },
  {
    words: dmarcWords({
      dmarc: { kind: 'ok', policy: 'reject', subdomains: 'none', pct: 50, reports: false },
    }),
    says: 'DMARC: p=reject, for 50 % of mail, without reports',
  },
  {
    words: dmarcWords({
      dmarc: { kind: 'ok', policy: 'reject', subdomains: 'none', pct: 100, reports: true, from: 'b.example' },
    }),
    says: 'DMARC: p=none, from b.example',
  },
])('$says', ({ words, says }) => {
  expect(words).toBe(says);
});
