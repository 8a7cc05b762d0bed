import { expect, test } from '@jest/globals';
import { clockTrouble } from '../../tab/clock.ts';

/** Noon on 20 Nov 2026, in milliseconds; a minute; a token that was just issued, for an hour. */
const noon = Date.UTC(2026, 10, 20, 12);
const minute = 60_000;
const tokenOf = (iat: number, exp: number) =>
  `h.${Buffer.from(JSON.stringify({ iat: iat / 1000, exp: exp / 1000, name: 'Zoë ✓' })).toString('base64url')}.s`;
const fresh = tokenOf(noon, noon + 60 * minute);

test.each([
  { what: 'all clocks agree', token: fresh, server: 0, device: 0, says: null },
  { what: 'seconds apart', token: fresh, server: 1, device: -1, says: null },
  { what: 'the server is behind', token: fresh, server: -30, device: 0, says: /server is 30 minutes behind/ },
  { what: 'the server is days behind', token: fresh, server: -4320, device: 0, says: /3 days behind/ },
  { what: 'the device is ahead', token: fresh, server: 0, device: 60, says: /device is 60 minutes ahead of/ },
  { what: 'the device is behind', token: fresh, server: 90, device: -90, says: /device is 3 hours behind/ },
  {
    what: 'Teams keeps an old token',
    token: tokenOf(noon - 90 * minute, noon - 30 * minute),
    server: 0,
    device: 0,
    says: /ended 30 minutes ago/,
  },
  { what: 'no token at all', token: 'a.b.c', server: 0, device: 0, says: null },
  {
    what: 'no token, but a wrong device',
    token: '',
    server: 0,
    device: 10,
    says: /device is 10 minutes ahead/,
  },
  { what: 'a token of something else', token: 'h.eyJpYXQiOiJ4In0.s', server: 0, device: 0, says: null },
  { what: 'a server that does not say', token: fresh, server: Number.NaN, device: 90, says: null },
])('$what', ({ token, server, device, says }) => {
  const words = clockTrouble(token, noon + server * minute, noon + device * minute);
  if (says === null) expect(words).toBeNull();
  else expect(words).toMatch(says);
});
