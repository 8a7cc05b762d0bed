import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { demoPeople } from '../../bot/cast.ts';
import { keepShot, openBrowser } from '../support/browser.ts';
import { actionsOf, type Chat, openChat, wordsOf } from '../support/playground.ts';
import { type Program, poll, startProgram } from '../support/program.ts';

/** The demo as a person meets it: the program, the sandbox, and Microsoft's own Agents Playground as the client. */

const cli = fileURLToPath(new URL('../../bot/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'wp-ask-'));
const eli = demoPeople[4]?.teamsId ?? '';
const dana = demoPeople[3]?.teamsId ?? '';
let program: Program;
let chat: Chat;
let sandbox: string;
let playground: string;

beforeAll(async () => {
  program = await startProgram({ folder, until: /Ctrl-C stops everything/ });
  const info = JSON.parse(readFileSync(join(folder, 'sandbox.json'), 'utf8')) as {
    url: string;
    chat: string;
  };
  sandbox = info.url;
  playground = info.chat;
  // This story asks faster than people do; pacing is proved elsewhere.
  await control('/_sandbox/limits', { off: true });
  chat = await openChat(info.chat);
}, 90_000);
afterAll(async () => {
  chat?.close();
  await program?.end();
  rmSync(folder, { recursive: true, force: true });
});

describe('the score of one tenant', () => {
  test('answers the three questions: how good, is it getting better, what do I do', async () => {
    const { words, card } = await chat.say('/score contoso');
    expect(words).toContain('Contoso Ltd');
    expect(words).toMatch(/\d\d\.\d\u2009% .*[\d.]+ of [\d.]+ points/); // how good
    expect(words).toMatch(/▼ \d+\.\d %-points since \d+\s\w+/); // since the day before
    expect(words).toMatch(/[▲▼] \d+\.\d %-points in 30\sdays/);
    expect(words).toMatch(/[▁▂▃▄▅▆▇█]{20,}.*30\sdays,\s\d+\.\d–\d+\.\d\u2009%/);
    expect(words).toMatch(/(above|below) .*tenants/); // against whom, labelled
    expect(words.match(/\+\d+\.\d/g)?.length).toBeGreaterThanOrEqual(3); // three actions with their gain
    expect(words).toMatch(/read (just now|\d+ min ago)/);
    expect(
      actionsOf(card)
        .filter((one) => one.title)
        .map((one) => one.title),
    ).toEqual(['Open in Watchpost', 'Sync now', 'All tenants']);
    expect(JSON.stringify(card)).not.toContain('Chart');
  });

  test.each([
    'score contoso',
    'score "Contoso Ltd"',
    'score contoso.com',
    'score “Contoso Ltd”',
    'score\u00a0contoso',
    '  score   contoso  ',
    'SCORE CONTOSO',
    'Score Contoso?',
    '/SCORE contoso!',
  ])('%j is the same question', async (text) => {
    expect((await chat.say(text)).words).toMatch(/^Contoso Ltd Secure Score/);
  });

  test.each(['group', 'channel'] as const)('in a %s it is asked by mention', async (place) => {
    expect((await chat.say('score fabrikam', { in: place })).words).toMatch(/^Fabrikam Secure Score/);
  });

  test('what could not be read is said with its reason', async () => {
    expect((await chat.say('score adventure works')).words).toContain('Entra ID P2');
    const woodgrove = (await chat.say('score woodgrove')).words;
    expect(woodgrove).toContain('Permission Error');
    expect(woodgrove).toMatch(/consent/i);
  });
});

describe('without a name or with a wrong one', () => {
  test('score alone ranks all tenants, worst change first', async () => {
    const { words } = await chat.say('score');
    const places = ['Contoso Ltd', 'Fabrikam', 'Adventure Works', 'Northwind Traders'].map((name) =>
      words.indexOf(name),
    );
    expect(places.every((place) => place >= 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  test('an unknown name is answered with the nearest ones, and their button answers on click', async () => {
    const answer = await chat.say('score fabrikan');
    expect(answer.words).toMatch(/^No tenant called "fabrikan" is available here\./);
    const pressed = await chat.press(answer, /Fabrikam/);
    expect(pressed.status).toBe(200);
    expect(pressed.words).toMatch(/Fabrikam Secure Score/);
  });

  test('a name that begins several asks which one, and answers on click', async () => {
    await connectAnother('Contoso Retail', 'contoso-retail.com');
    const answer = await chat.say('score conto');
    expect(answer.words).toMatch(/Contoso Ltd.*Contoso Retail|Contoso Retail.*Contoso Ltd/);
    const pressed = await chat.press(answer, /Contoso Retail/);
    expect(pressed.words).toMatch(/^Contoso Retail Secure Score/);
    // The whole name of one is no question.
    expect((await chat.say('score "Contoso Ltd"')).words).toMatch(/^Contoso Ltd Secure Score/);
  }, 60_000);

  test('tenants lists health; help, hi and unknown words show the way forward', async () => {
    expect((await chat.say('tenants')).words).toMatch(/Woodgrove Bank.*Permission Error/);
    for (const text of ['help', 'hi', 'flurb']) expect((await chat.say(text)).words).toMatch(/score contoso/);
  });
});

test('All tenants on a score comes as a message of its own: the score stays', async () => {
  const answer = await chat.say('score "Contoso Ltd"');
  const since = chat.shown().length;
  const pressed = await chat.press(answer, /All tenants/);
  expect(pressed.status).toBe(200);
  const list = await chat.next((one) => /worst change first/.test(one.words), since);
  expect(list.id).not.toBe(answer.id);
  expect(
    chat
      .shown()
      .slice(since)
      .filter((one) => one.id === answer.id),
  ).toEqual([]);
});

describe('people', () => {
  test('who has no role gets help and nothing else; a grant shows that tenant and no other; revoke ends it', async () => {
    expect(await asked(eli, 'score contoso')).not.toContain('62.');
    expect(await asked(eli, 'who am i')).toMatch(/no role/i);

    expect((await chat.say('grant eli@fourthcoffee.example reader "Contoso Ltd"')).words).toMatch(
      /Eli Novak/,
    );
    expect(await asked(eli, 'who am i')).toMatch(/Reader/);
    expect(await asked(eli, 'score "Contoso Ltd"')).toMatch(/Contoso Ltd.*62\.4/);
    const other = await asked(eli, 'score fabrikam');
    const nobody = await asked(eli, 'score nosuchname');
    expect(other).toMatch(/No tenant called "fabrikam" is available here\./);
    expect(other.replaceAll('fabrikam', 'x')).toBe(nobody.replaceAll('nosuchname', 'x'));

    expect((await chat.say('revoke eli@fourthcoffee.example')).words).toMatch(/Eli Novak/);
    expect(await asked(eli, 'who am i')).toMatch(/no role/i);
    expect(await asked(eli, 'score "Contoso Ltd"')).not.toContain('62.');
  });

  test('a Reader may look and may not sync or grant', async () => {
    expect(await asked(dana, 'score "Contoso Ltd"')).toContain('62.4');
    expect(await asked(dana, 'sync "Contoso Ltd"')).toMatch(/Operators and Admins/);
    expect(await asked(dana, 'grant dana@fourthcoffee.example admin')).toMatch(/Admin/);
    expect(await asked(dana, 'who am i')).toMatch(/Reader of all tenants/);
  });
});

test('sync says at once that it syncs, then the same message says what changed', async () => {
  await control('/_sandbox/tenants/northwindtraders.com/score', { drop: 12 });
  const since = chat.shown().length;
  const first = await chat.say('sync northwind');
  expect(first.words).toMatch(/Syncing Northwind Traders …/);
  const done = await chat.next((one) => one.action === 'updateMessage' && one.id === first.id, since);
  expect(done.words).toMatch(/Northwind Traders\**\s+is synced/);
  expect(done.words).toMatch(/down \d/);
  expect((await chat.say('score northwind')).words).toMatch(/▼/);
}, 70_000);

test('in the Playground itself the card is drawn as it should look', async () => {
  const browser = await openBrowser();
  if (browser === null) return;
  try {
    const page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    await page.goto(playground);
    const box = page.locator('[contenteditable]').first();
    await box.click();
    await box.pressSequentially('/score contoso');
    await page.keyboard.press('Enter');
    const card = page.locator('.ac-adaptiveCard').filter({ hasText: 'Worth most now' }).last();
    await card.waitFor({ timeout: 15_000 });
    const size = await card.evaluate((element) => ({ wide: element.scrollWidth, room: element.clientWidth }));
    expect(size.wide).toBeLessThanOrEqual(size.room);
    await keepShot(page, 'score-in-playground');
    await page.getByRole('button', { name: 'Sync now' }).last().click();
    await page
      .getByText(/is synced/)
      .last()
      .waitFor({ timeout: 30_000 });
  } finally {
    await browser.close();
  }
}, 60_000);

/** Says it to the bot in the personal chat of one of the five people: through the relay, read from the ledger. */
async function asked(teamsId: string, text: string): Promise<string> {
  const conversation = `a:personal-of-${teamsId.slice(3)}`;
  const before = (await posts(conversation)).length;
  const answer = await fetch(`${sandbox}/relay/api/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      type: 'message',
      id: randomUUID(),
      text,
      from: { id: teamsId },
      conversation: { id: conversation, conversationType: 'personal' },
    }),
  });
  expect(answer.status).toBe(200);
  const post = await poll(
    async () => (await posts(conversation)).slice(before).find((one) => one.activity?.type === 'message'),
    10_000,
    () => `no answer to ${text}`,
  );
  const card = post.activity?.attachments?.[0]?.content;
  return [post.activity?.text ?? '', ...wordsOf(card)].join(' ').replaceAll('\u2060', '').trim();
}

type Post = {
  conversation: string;
  activity?: { type: string; text?: string; attachments?: { content: unknown }[] };
};

async function posts(conversation: string): Promise<Post[]> {
  const body = (await (await fetch(`${sandbox}/_sandbox/posts`)).json()) as Post[] | { posts: Post[] };
  return (Array.isArray(body) ? body : body.posts).filter((one) => one.conversation === conversation);
}

/** As an operator does it: a tenant of the sandbox, connected by the command line beside the running demo. */
async function connectAnother(name: string, domain: string): Promise<void> {
  await control('/_sandbox/tenants', { name, domain, seed: 7 });
  const info = (await (
    await fetch(`${sandbox}/_sandbox`, { headers: { accept: 'application/json' } })
  ).json()) as {
    tenants: { domain: string; appId: string; secret: string }[];
  };
  const made = info.tenants.find((tenant) => tenant.domain === domain);
  const secretFile = join(folder, 'secret.txt');
  writeFileSync(secretFile, `${made?.secret}\n`, { mode: 0o600 });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      cli,
      'connect',
      domain,
      '--app-id',
      made?.appId ?? '',
      '--secret-file',
      secretFile,
    ],
    { env: { PATH: process.env.PATH, HOME: process.env.HOME, WATCHPOST_DATA: folder }, timeout: 40_000 },
  );
  expect(stdout).toMatch(
    /ok +Read Secure Score[\s\S]*Connected Contoso Retail \(contoso-retail.com\)[\s\S]*First read: \d/,
  );
}

async function control(path: string, body: unknown): Promise<void> {
  const answer = await fetch(sandbox + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`the sandbox refused ${path}: ${await answer.text()}`);
}
