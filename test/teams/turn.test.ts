import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Commands } from '../../bot/teams/turns.ts';
import { parseCommand } from '../../shared/command.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
const commands: Commands = {
  parseCommand,
  changesSomething: () => false,
  async runCommand(command, who, where) {
    return {
      text: `${command.kind} for ${who.oid} in ${where.audience.kind}`,
      to: 'conversation',
      tenants: [],
    };
  },
  cardActions: {},
};

beforeAll(async () => {
  rig = await openRig({ commands });
});
afterAll(() => rig.close());

test('a message in a personal chat is answered there', async () => {
  const answer = await rig.post(rig.activity({ text: 'score' }));
  expect(answer.status).toBe(200);
    JSON.stringify(rig.lines),
    JSON.stringify(await rig.posts()),
    JSON.stringify(await rig.sandbox.requests()),
  );
  const [post] = await rig.posts('a:personal-of-ana');
  expect(post?.activity?.text).toMatch(/^ranking for .* in personal$/);
});
