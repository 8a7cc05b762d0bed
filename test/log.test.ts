import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { poll } from './support/program.ts';

const log = JSON.stringify(fileURLToPath(new URL('../bot/log.ts', import.meta.url)));
const open = `const { openLog } = await import(${log}); const log = openLog('info', 'main');`;

let child: ReturnType<typeof start> | undefined;
afterEach(() => {
  child?.process.kill('SIGKILL');
});

/** A program of its own: what it has written when it ends, or while it stands still, is what counts. */
function start(code: string) {
  const process_ = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', `${open} ${code}`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  process_.stderr.on('data', (piece: Buffer) => {
    text += piece.toString('utf8');
  });
  const ended = new Promise((resolve) => process_.once('close', resolve));
  const lines = (): { level: string; msg: string; [field: string]: unknown }[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { process: process_, ended, lines };
}

test.each([
  { end: 'by itself', code: '' },
  { end: 'by process.exit', code: 'process.exit(0);' },
])('all lines are written when the program ends $end', async ({ code }) => {
  child = start(`for (let i = 0; i < 300; i += 1) log.info({ count: i }, 'line'); ${code}`);
  await child.ended;
  expect(child.lines().map((line) => line.count)).toEqual(Array.from({ length: 300 }, (_, at) => at));
});

test('all lines of a worker thread are written when it ends', async () => {
  const thread = `import(${log}).then(({ openLog }) => openLog('info', 'clock').info({}, 'of the thread'));`;
  child = start(
    `const { Worker } = await import('node:worker_threads'); new Worker(${JSON.stringify(thread)}, { eval: true });`,
  );
  await child.ended;
  expect(child.lines()).toMatchObject([{ thread: 'clock', msg: 'of the thread' }]);
});

test('a quiet line is written soon, though the program goes on', async () => {
  child = start("log.info({}, 'alone'); setInterval(() => undefined, 1000);");
  const { lines } = child;
  await poll(
    () => lines().some((line) => line.msg === 'alone'),
    10_000,
    () => 'the line never came',
  );
});

test('a warning is written at once, with what was said before it', async () => {
  // Nothing runs after the two lines: no timer can have written them.
  child = start("log.info({}, 'first'); log.warn({}, 'second'); for (;;);");
  const { lines } = child;
  await poll(
    () => lines().length === 2,
    10_000,
    () => 'the warning never came',
  );
  expect(lines().map((line) => line.msg)).toEqual(['first', 'second']);
});

test('a field that is not on the list is not written', async () => {
  child = start("log.info({ code: 'x', token: 'secret' }, 'line');");
  await child.ended;
  expect(child.lines()[0]).toMatchObject({ code: 'x', msg: 'line' });
  expect(JSON.stringify(child.lines())).not.toContain('secret');
});
