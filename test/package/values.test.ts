import { expect, test } from '@jest/globals';
import { packageValues } from '../../bot/cli/package-values.ts';
import { real } from './real.ts';

/** What stands in for the placeholders, and the one sentence when something is missing or wrong. */

test('nothing set: the demo, whatever else is in the environment', () => {
  expect(packageValues({ PATH: '/bin', PORT: '4000', LOG_LEVEL: 'info', BOT_COLOUR: 'blue' }).demo).toBe(
    true,
  );
});

test('the address gives the domain; ids are written small', () => {
  const { demo, values } = packageValues({
    ...real,
    BOT_ID: ` ${real.BOT_ID.toUpperCase()}\r`,
    PUBLIC_URL: 'https://watchpost.contoso.com/',
  });
  expect(demo).toBe(false);
  expect(values).toEqual({ ...real, TAB_DOMAIN: 'watchpost.contoso.com' });
});

test.each([
  { what: 'one is missing', change: { BOT_ID: undefined }, says: /: BOT_ID is missing\.$/ },
  {
    what: 'two are missing',
    change: { TEAMS_APP_ID: undefined, PUBLIC_URL: '  ' },
    says: /: TEAMS_APP_ID and PUBLIC_URL are missing\.$/,
  },
  {
    what: 'all got lost but one setting of a server',
    change: { ...blank(), BOT_PASSWORD: 'set' },
    says: /TEAMS_APP_ID, BOT_ID, AAD_APP_CLIENT_ID and PUBLIC_URL are missing/,
  },
  {
    what: 'an id is no GUID',
    change: { AAD_APP_CLIENT_ID: 'watchpost' },
    says: /AAD_APP_CLIENT_ID must be a GUID/,
  },
  {
    what: 'the address is plain http',
    change: { PUBLIC_URL: 'http://watchpost.contoso.com' },
    says: /https address/,
  },
  {
    what: 'the address is this machine',
    change: { PUBLIC_URL: 'http://localhost:3978' },
    says: /begin with https/,
  },
  {
    what: 'the address has a query',
    change: { PUBLIC_URL: 'https://contoso.com/?a=1' },
    says: /without user, query/,
  },
  {
    what: 'the domain is another one',
    change: { TAB_DOMAIN: 'tab.contoso.com' },
    says: /TAB_DOMAIN must be the host of PUBLIC_URL, watchpost.contoso.com/,
  },
])('$what: one sentence, no package', ({ change, says }) => {
  expect(() => packageValues({ ...real, ...change })).toThrow(says);
});

test('a file that was named is never the demo', () => {
  expect(() => packageValues({}, true)).toThrow(/are missing/);
});

function blank(): Record<string, undefined> {
  return Object.fromEntries(Object.keys(real).map((name) => [name, undefined]));
}
