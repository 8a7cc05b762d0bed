import { expect, test } from '@jest/globals';
import { tokenTrouble } from '../../tab/token-trouble.ts';

test.each([
  { said: 'resourceRequiresConsent', kind: 'consent' },
  { said: 'resourceRequiresMfa', kind: 'consent' },
  { said: 'AADSTS65001: invalid_grant', kind: 'consent' },
  { said: 'interaction_required', kind: 'consent' },
  { said: 'consent_required', kind: 'consent' },
  { said: 'CancelledByUser', kind: 'consent' },
  { said: 'User cancelled the operation', kind: 'consent' },
  { said: 'access_denied', kind: 'consent' },
  { said: 'User is not signed in', kind: 'signed-out' },
  { said: 'login_required', kind: 'signed-out' },
  { said: 'Network request failed', kind: 'unreachable' },
  { said: 'Failed to fetch', kind: 'unreachable' },
  { said: 'no answer', kind: 'unreachable' },
  { said: '', kind: 'signed-out' },
  { said: 'Something else 42', kind: 'signed-out' },
])('"$said" is $kind, in a sentence that does not repeat it', ({ said, kind }) => {
  const trouble = tokenTrouble(new Error(said));
  expect(trouble.kind).toBe(kind);
  expect(trouble.message).toMatch(/^[A-Z].*\.$/);
  if (said !== '') expect(trouble.message).not.toContain(said);
});
