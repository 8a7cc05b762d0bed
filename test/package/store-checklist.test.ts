import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseCommand } from '../../shared/command.ts';
import { ana, openRig, type Rig } from '../teams/rig.ts';
import { project } from './real.ts';
import { holds } from './store-holds.ts';
import { type Point, points } from './store-points.ts';

/**
 * The fifty points of the app store: each is asserted here, proven by a test elsewhere, or was looked at by eye, which
 * docs/store-checklist.md says. What is not fulfilled stands there too.
 */

const page = readFileSync(join(project, 'docs/store-checklist.md'), 'utf8');

test('there are fifty, each with a proof', () => {
  expect(points.map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  for (const n of Object.keys(holds)) expect(points.map((one) => String(one.n))).toContain(n);
});

test.each(points)('$n: $point', async (point) => {
  expect(complaints(point, page)).toEqual([]);
  await holds[point.n]?.();
});

test('the page says nothing of other points', () => {
  const named = (heading: string) => Object.keys(rowsUnder(heading, page)).map(Number);
  expect(named('By eye')).toEqual(points.filter(({ byEye }) => byEye).map(({ n }) => n));
  expect(named('Not there')).toEqual(points.filter(({ missing }) => missing).map(({ n }) => n));
});

/** What is wrong with the proof of a point, in sentences. */
function complaints({ n, proven = {}, byEye, missing }: Point, said: string): string[] {
  const tests = Object.entries(proven).flatMap(([file, titles]) =>
    titles.map((title) => complaintAbout(join(project, 'test', file), title)),
  );
  const nothing = tests.length === 0 && holds[n] === undefined && ownProof !== n && byEye !== true;
  const looked = rowsUnder('By eye', said)[n] ?? [];
  const absent = rowsUnder('Not there', said)[n] ?? [];
  return [
    ...tests.filter((one) => one !== ''),
    ...(nothing ? [`Nothing proves point ${n}.`] : []),
    ...(byEye === true && !(looked.length === 2 && /\S/.test(looked[0] ?? '') && day.test(looked[1] ?? ''))
      ? [`The page does not say what was looked at for point ${n}, and when.`]
      : []),
    ...(missing === true && absent.length !== 2
      ? [`The page does not say what is missing of point ${n}, and where.`]
      : []),
  ];
}

/** Proven below, over real HTTP. */
const ownProof = 15;
const day = /^\d{1,2} [A-Z][a-z]{2} 20\d\d$/;

/** Empty when the file has a test with that title, and no test of it is switched off. */
function complaintAbout(file: string, title: string): string {
  if (!existsSync(file)) return `There is no ${file}.`;
  return complaintIn(readFileSync(file, 'utf8'), title);
}

function complaintIn(source: string, title: string): string {
  const literally = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (!new RegExp(`\\(\\s*(['"\`])${literally}\\1,`).test(source)) return `No test says: ${title}`;
  const off = /\b(?:test|it|describe)\.(?:skip|todo|failing|only)\s*(?:\(|\.each)|\bx(?:test|it|describe)\(/;
  return off.test(source) ? `Beside it a test is switched off: ${title}` : '';
}

/** The rows of the table below a heading, by their number: the other cells. */
function rowsUnder(heading: string, said: string): Record<number, string[]> {
  const [, below = ''] = said.split(`\n## ${heading}\n`);
  const [table = ''] = below.split('\n## ');
  return Object.fromEntries(
    [...table.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, n, cells]) => [
      Number(n),
      (cells ?? '').split(' | '),
    ]),
  );
}

describe('the judge is awake', () => {
  const title = 'a button is answered';
  test.each([
    { source: `test('${title}', () => {});`, says: '' },
    { source: `test.each(rows)(\n  '${title}',\n  () => {},\n);`, says: '' },
    { source: `test('another', () => {}); // ${title}`, says: 'No test says' },
    { source: `test.skip('${title}', () => {});`, says: 'switched off' },
    { source: `describe.skip('all', () => {\n  test('${title}', () => {});\n});`, says: 'switched off' },
    { source: `test.only('x', () => {});\ntest('${title}', () => {});`, says: 'switched off' },
  ])('$source', ({ source, says }) => {
    expect(complaintIn(source, title)).toMatch(says === '' ? /^$/ : new RegExp(says));
  });

  test.each<{ what: string; point: Point; said: string; says: RegExp }>([
    { what: 'no proof', point: { n: 99, point: 'x' }, said: page, says: /Nothing proves point 99/ },
    {
      what: 'not looked at',
      point: { n: 30, point: 'x', byEye: true },
      said: '',
      says: /looked at for point 30/,
    },
    {
      what: 'looked at, nobody says when',
      point: { n: 30, point: 'x', byEye: true },
      said: '\n## By eye\n\n| 30 | cards | soon |\n',
      says: /looked at for point 30/,
    },
    {
      what: 'missing, nobody says where',
      point: { n: 24, point: 'x', missing: true },
      said: '\n## Not there\n\n| 24 | on-call |\n',
      says: /missing of point 24/,
    },
    {
      what: 'a file that is gone',
      point: { n: 1, point: 'x', proven: { 'gone.test.ts': ['x'] } },
      said: page,
      says: /There is no .*gone\.test\.ts/,
    },
  ])('$what is complained about', ({ point, said, says }) => {
    expect(complaints(point, said).join('\n')).toMatch(says);
  });
});

describe('15, over real HTTP', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({
      commands: {
        parseCommand,
        changesSomething: () => false,
        runCommand: async (command) => ({
          text: `answer to ${command.kind}`,
          to: 'conversation',
          tenants: [],
        }),
        cardActions: {},
      },
    });
  });
  afterAll(() => rig.close());

  test('greeted once; not on help, not on a new member, not when it is delivered again', async () => {
    const id = '19:checklist@thread.tacv2';
    await rig.sandbox.control('POST', '/_sandbox/conversations', { id, kind: 'channel' });
    const conversation = { id, conversationType: 'channel', tenantId: rig.home, isGroup: true };
    const mentioned = { id: `28:${rig.botId}`, name: 'Watchpost' };
    const install = rig.activity({
      type: 'installationUpdate',
      action: 'add',
      conversation,
      text: undefined,
    });
    const joined = { type: 'conversationUpdate', membersAdded: [{ id: ana.teamsId }], text: undefined };
    const asked = {
      text: '<at>Watchpost</at> help',
      entities: [{ type: 'mention', text: '<at>Watchpost</at>', mentioned }],
    };
    for (const told of [
      install,
      install,
      rig.activity({ ...joined, conversation }),
      rig.activity({ ...asked, conversation }),
      install,
    ])
      expect((await rig.post(told)).status).toBe(200);
    const said = (await rig.posts(id)).flatMap(({ activity }) =>
      activity?.text ? [String(activity.text)] : [],
    );
    expect(said.filter((one) => one.includes('added Watchpost'))).toHaveLength(1);
    expect(said.filter((one) => one === 'answer to help')).toHaveLength(1);
  });
});
