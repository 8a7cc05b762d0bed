import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runCli } from '../../bot/cli/run.ts';
import { audited, cardActions } from '../../bot/commands/card-actions.ts';
import { runCommand } from '../../bot/commands/run-command.ts';
import { WatchpostError } from '../../bot/errors.ts';
import type { AuditRow, CardHandler, Place, Services } from '../../bot/services.ts';
import { type Caller, scopeOfJob } from '../../shared/access.ts';
import { parseCommand } from '../../shared/command.ts';
import { commandTable } from '../../shared/command-table.ts';
import { aTenant } from '../cards/samples.ts';
import { admin, internal, nobody, openRig, personal, type Rig } from './rig.ts';

/** Every command and every button that changes something leaves an entry; so does every one that is refused. */

const contoso = aTenant(1, 'Contoso Ltd');
const bo = { tid: admin.tid, oid: crypto.randomUUID(), name: 'Bo Lind' };
/** `sync` waits for its end, which does not come here: the program stops instead. */
const stopped = () => ({ ...rig.services, signal: AbortSignal.abort() });
let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  await rig.services.store.tenants.save(scopeOfJob(contoso.id), contoso);
});
afterAll(() => rig.close());

/** As typed by somebody who may, where it may be; a command of the table without a row here fails the test. */
const typed: Record<string, { text: string; where: Place }> = {
  connect: { text: 'connect contoso', where: personal(admin) },
  sync: { text: 'sync contoso', where: personal(admin) },
  watch: { text: 'watch contoso', where: internal },
  unwatch: { text: 'unwatch contoso', where: internal },
  threshold: { text: 'threshold contoso 3 points', where: internal },
  grant: { text: `grant ${bo.oid} operator`, where: personal(admin) },
  revoke: { text: `revoke ${bo.oid}`, where: personal(admin) },
  bind: { text: 'bind internal', where: internal },
  unbind: { text: 'unbind', where: internal },
  claim: { text: 'claim ABCD-EFGH', where: personal(nobody) },
};
const changing = commandTable.filter(({ changes }) => changes);
const texts = changing.map(({ name }) => ({ name, ...(typed[name] ?? { text: '', where: internal }) }));

async function entriesOf(work: () => Promise<unknown>): Promise<AuditRow[]> {
  const { audit } = rig.services.store;
  const before = (await audit.list({ limit: 1 })).rows[0]?.seq ?? 0;
  await work();
  return (await audit.list({ limit: 20 })).rows.filter(({ seq = 0 }) => seq > before);
}
const say = (text: string, who: Caller, where: Place, services: Services = stopped()) =>
  runCommand(parseCommand(text, []), who, where, services);

test('the table has a line for each command that changes something', () => {
  expect(Object.keys(typed).sort()).toEqual(changing.map(({ name }) => String(name)).sort());
});

test.each(texts)('“$text” leaves an entry', async ({ name, text, where }) => {
  const who = name === 'claim' ? nobody : admin;
  expect(parseCommand(text, [])).toMatchObject({ kind: name });
  const entries = await entriesOf(() => say(text, who, where));
  expect(entries.length).toBeGreaterThan(0);
  expect(entries.every((entry) => entry.who === `${who.tid}/${who.oid}`)).toBe(true);
});

test.each(commandTable.filter(({ needs }) => needs !== null).map(({ name, usage }) => ({ name, usage })))(
  '$name refused to somebody without a role leaves an entry',
  async ({ name }) => {
    const stranger = { ...nobody, oid: crypto.randomUUID() };
    const where = name in typed && typed[name]?.where === internal ? internal : personal(stranger);
    const text = typed[name]?.text ?? String(name).replaceAll('-', ' ');
    const entries = await entriesOf(() => say(text, stranger, where));
    expect(entries).toMatchObject([{ what: expect.any(String), result: 'refused' }]);
  },
);

describe('a button that changes something', () => {
  const verbs = Object.entries(cardActions).filter(([, { changes }]) => changes);
  const careless: CardHandler = {
    changes: true,
    run: async () => ({ text: 'done', to: 'caller', tenants: [] }),
  };
  const press = (verb: string, handler: CardHandler, services = stopped()) =>
    handler.run({ verb, tenant: contoso.id }, {}, admin, personal(admin), services);

  test.each(verbs.map(([verb, handler]) => ({ verb, handler })))(
    '$verb leaves an entry',
    async ({ verb, handler }) => {
      expect((await entriesOf(() => press(verb, handler))).length).toBeGreaterThan(0);
    },
  );

  test('leaves one though its handler forgets, and none when nobody looks', async () => {
    const entries = await entriesOf(() => press('some-verb', audited('some-verb', careless)));
    expect(entries).toMatchObject([{ what: 'some-verb', result: 'done', tenant: contoso.id }]);
    expect(await entriesOf(() => press('some-verb', careless))).toEqual([]);
  });
});

test('the command line leaves an entry, as the system’s user', async () => {
  const entries = await entriesOf(() =>
    runCli({ command: 'verify', user: 'root' }, rig.services, () => undefined),
  );
  expect(entries).toMatchObject([{ who: 'cli:root', what: 'cli verify', result: 'done' }]);
});

describe('while the audit log cannot be written', () => {
  /** As the store answers then: what comes first says so in a sentence. */
  const away = (): Services => {
    const { audit } = rig.services.store;
    const refuse = async (): Promise<never> => {
      throw new WatchpostError('audit', 'Nothing was done: the audit log cannot be written right now.');
    };
    const cut = { ...audit, write: refuse, writeFirst: refuse, denied: async () => undefined };
    return { ...rig.services, store: { ...rig.services.store, audit: cut } };
  };
  const bo = {
    tid: admin.tid,
    oid: crypto.randomUUID(),
    name: 'Bo Lind',
    address: 'bo@fourthcoffee.example',
  };

  test.each([
    { text: `grant ${bo.oid} operator`, where: personal(admin), who: admin },
    { text: `deny ${bo.oid} contoso`, where: personal(admin), who: admin },
    { text: `revoke ${bo.oid}`, where: personal(admin), who: admin },
    { text: 'bind internal', where: internal, who: admin },
    { text: 'claim ABCD-EFGH', where: personal(nobody), who: nobody },
  ])('“$text” is not done, and says so', async ({ text, where, who }) => {
    const { people, places } = rig.services.store;
    await people.seen(bo);
    await people.change(bo.tid, bo.oid, bo.name, () => ({
      grants: [
        { id: 'held', role: 'Reader', scope: 'all', source: 'demo', by: 'demo', at: rig.services.now() },
      ],
    }));
    await places.save({ ...internal, kind: 'channel', seenAt: rig.services.now() });
    const state = async () =>
      JSON.stringify([
        (await people.byOid(bo.oid)).map(({ grants, denies }) => [grants, denies ?? []]),
        (await places.get(internal.conversationId))?.binding,
        (await people.byOid(nobody.oid)).map(({ grants }) => grants),
      ]);
    const before = await state();
    const reply = await say(text, who, where, away());
    expect(`${reply.text} ${JSON.stringify(reply.card ?? '')}`).toMatch(/Nothing was done: the audit log/);
    expect(await state()).toBe(before);
  });
});
