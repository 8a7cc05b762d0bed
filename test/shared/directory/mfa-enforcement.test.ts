import { expect, test } from '@jest/globals';
import type { ConditionalAccessFacts, PolicyFacts } from '../../../shared/directory/directory.ts';
import { mfaEnforcement } from '../../../shared/directory/mfa-enforcement.ts';
import type { Known } from '../../../shared/tenants/tenant.ts';

const base: PolicyFacts = {
  ...{ name: 'P', state: 'on', reach: 'everyone', apps: 'all', exclusions: 0 },
  ...{ demands: 'mfa', blocksLegacy: false, conditional: false },
};
const ca = (...policies: Partial<PolicyFacts>[]): Known<ConditionalAccessFacts> => ({
  known: true,
  value: { on: 0, reportOnly: 0, off: 0, policies: policies.map((one) => ({ ...base, ...one })) },
});
const defaults = (isOn: boolean) => ({ known: true, value: { isOn } }) as const;
const unread = { known: false, why: 'not granted (Policy.Read.All)' } as const;

test.each([
  {
    name: 'security defaults',
    sd: defaults(true),
    ca: ca(),
    verdict: 'everyone',
    says: /administrators always pass/,
  },
  { name: 'neither', sd: defaults(false), ca: ca(), verdict: 'nobody', says: /No Conditional Access policy/ },
  {
    name: 'everybody',
    sd: defaults(false),
    ca: ca({}),
    verdict: 'everyone',
    says: /“P” demands MFA of everybody for all apps\./,
  },
  {
    name: 'report-only',
    sd: defaults(false),
    ca: ca({ state: 'reportOnly' }),
    verdict: 'nobody',
    says: /1 policy for MFA is in report-only/,
  },
  {
    name: 'switched off',
    sd: defaults(false),
    ca: ca({ state: 'off' }),
    verdict: 'nobody',
    says: /No Conditional/,
  },
  {
    name: 'administrators',
    sd: defaults(false),
    ca: ca({ reach: 'admins', exclusions: 1 }),
    verdict: 'admins',
    says: /with 1 exclusion\./,
  },
  { name: 'some apps', sd: defaults(false), ca: ca({ apps: 'some' }), verdict: 'partly', says: /some apps/ },
  {
    name: 'at a risk',
    sd: defaults(false),
    ca: ca({ conditional: true }),
    verdict: 'partly',
    says: /conditions only/,
  },
  {
    name: 'or something else',
    sd: defaults(false),
    ca: ca({ demands: 'mfaOr' }),
    verdict: 'partly',
    says: /instead/,
  },
  {
    name: 'a policy for nobody',
    sd: defaults(false),
    ca: ca({ reach: 'nobody' }),
    verdict: 'nobody',
    says: /nobody/,
  },
  {
    name: 'a block is no MFA',
    sd: defaults(false),
    ca: ca({ demands: 'block' }),
    verdict: 'nobody',
    says: /No Conditional/,
  },
  {
    name: 'policies not read',
    sd: defaults(false),
    ca: unread,
    verdict: 'unknown',
    says: /Conditional Access: not known, because not granted/,
  },
  {
    name: 'defaults not read, nothing else',
    sd: unread,
    ca: ca(),
    verdict: 'unknown',
    says: /Security defaults: not known/,
  },
  {
    name: 'defaults not read, all by policy',
    sd: unread,
    ca: ca({}),
    verdict: 'everyone',
    says: /everybody/,
  },
  {
    name: 'defaults on, policies not read',
    sd: defaults(true),
    ca: unread,
    verdict: 'everyone',
    says: /not known/,
  },
])('$name: $verdict', ({ sd, ca: policies, verdict, says }) => {
  const found = mfaEnforcement(sd, policies);
  expect(found.verdict).toBe(verdict);
  expect(found.lines.join('\n')).toMatch(says);
  // What nobody can read is said each time.
  expect(found.lines.at(-1)).toMatch(/^Per-user MFA: not known, because/);
});
