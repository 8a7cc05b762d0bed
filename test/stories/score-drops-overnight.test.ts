import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { usualConsent } from '../sandbox/tenants.ts';
import { personalWith, type Spot } from '../support/actors.ts';
import type { SandboxCustomer } from '../support/production.ts';
import { openSoc, type Soc, type Told } from './hear/soc.ts';

/** A score falls while everybody sleeps: what the channels of an operations centre hear of it, and what they do not. */
describe('a score drops overnight', () => {
  let soc: Soc;
  let watchers: Spot;
  let contoso: SandboxCustomer;
  let fabrikam: SandboxCustomer;

  beforeAll(async () => {
    soc = await openSoc();
    watchers = await soc.channel('watchers');
    contoso = await soc.connect('Contoso Ltd');
    fabrikam = await soc.connect('Fabrikam');
  }, 90_000);
  afterAll(async () => await soc?.end());

  /** Nothing more can come of what was before: a later fall of another customer has been told meanwhile. */
  async function laterNews(): Promise<void> {
    const marker = await soc.connect(`Marker ${Math.random().toString(36).slice(2, 8)}`);
    await soc.score(marker, { drop: 12 });
    await soc.sync(marker);
    await soc.hears(watchers, ({ words }) => words.includes(marker.name));
  }

  const of = (customer: SandboxCustomer, transition: string) => (told: Told) =>
    told.words.includes(customer.name) && told.transition === transition;

  test('who watches is told what will be heard; the first read of a customer says nothing', async () => {
    const said = await soc.ask(soc.bo, watchers, 'watch all', /now watches all/);
    expect(said).toMatch(/unwatch/i);
    expect(await soc.ask(soc.bo, watchers, 'watching', /watch/i)).toMatch(/all/i);
    expect(await soc.told(watchers)).toEqual([]);
  }, 60_000);

  test('a fall is one card: how much, why, what to do first', async () => {
    await soc.score(contoso, { drop: 12 });
    await soc.sync(contoso);
    const { post, words } = await soc.hears(watchers, of(contoso, 'opened'));
    expect(post.kind).toBe('create');
    expect(words).toMatch(/Contoso Ltd (fell|lost)/);
    // The points of the controls add up to the loss.
    expect(words).toMatch(/Why, in points/);
    expect(words).toMatch(/−12(\.0)? points/);
    expect(words).toMatch(/Acknowledge/);
    expect(words).toMatch(/Open in Watchpost/);
    await soc.sync(contoso);
    await laterNews();
    expect((await soc.told(watchers, 'create')).filter(of(contoso, 'opened'))).toHaveLength(1);
  }, 120_000);

  test('a further fall draws the card anew and says so in its thread', async () => {
    const [first] = (await soc.told(watchers, 'create')).filter(of(contoso, 'opened'));
    await soc.score(contoso, { drop: 10 });
    await soc.sync(contoso);
    const note = await soc.hears(
      watchers,
      (told) => of(contoso, 'worsened')(told) && told.post.kind === 'create',
    );
    expect(note.post.conversation).toContain(`;messageid=${first?.post.activityId}`);
    const drawn = (await soc.told(watchers, 'update')).filter(of(contoso, 'worsened'));
    expect(drawn.map(({ post }) => post.activityId)).toEqual([first?.post.activityId]);
    expect(drawn[0]?.words).toMatch(/further/);
  }, 120_000);

  test('who acknowledges it is named on the card for everybody', async () => {
    const card = (await soc.told(watchers, 'update')).findLast(of(contoso, 'worsened'));
    if (card === undefined) throw new Error('no card');
    const answer = await soc.press(soc.bo, watchers, card.post, /Acknowledge/);
    expect(answer).toContain(`Acknowledged by ${soc.bo.name}`);
    const redrawn = await soc.hears(
      watchers,
      ({ post, words }) => post.kind === 'update' && words.includes(`Acknowledged by ${soc.bo.name}`),
    );
    expect(redrawn.post.activityId).toBe(card.post.activityId);
    // Whoever asks for the score hears of it too, for as long as it stands.
    const asked = await soc.ask(soc.bo, personalWith(soc.bo), 'score "Contoso Ltd"', /Contoso Ltd/);
    expect(asked).toMatch(new RegExp(`Contoso Ltd (fell|lost).*Acknowledged by ${soc.bo.name}`));
    expect(await soc.press(soc.ana, watchers, card.post, /Acknowledge/)).toMatch(
      new RegExp(`already|${soc.bo.name}`, 'i'),
    );
  }, 120_000);

  test('a recovery closes it; falling again opens it anew with a card of its own', async () => {
    const card = (await soc.told(watchers, 'create')).find(of(contoso, 'opened'));
    await soc.score(contoso, { recover: true });
    await soc.sync(contoso);
    const closed = await soc.hears(
      watchers,
      (told) => of(contoso, 'resolved')(told) && told.post.kind === 'update',
    );
    expect(closed.post.activityId).toBe(card?.post.activityId);
    expect(closed.words).toMatch(/recovered/i);
    expect(closed.words).not.toMatch(/Acknowledge /);
    expect(await soc.ask(soc.bo, personalWith(soc.bo), 'score "Contoso Ltd"', /Contoso Ltd/)).not.toMatch(
      /Contoso Ltd (fell|lost)/,
    );

    await soc.score(contoso, { drop: 12 });
    await soc.sync(contoso);
    const again = await soc.hears(watchers, of(contoso, 'reopened'));
    expect(again.post.kind).toBe('create');
    expect(again.generation).toBe(2);
    expect(again.post.activityId).not.toBe(card?.post.activityId);
  }, 120_000);

  test.each([
    { what: 'Microsoft moves the maximum', call: { max: 40 } },
    { what: 'licences go', call: { licences: -50 } },
  ])(
    'when $what nobody is woken',
    async ({ call }) => {
      await soc.score(fabrikam, call);
      await soc.sync(fabrikam);
      await laterNews();
      expect((await soc.told(watchers)).filter(({ words }) => words.includes('Fabrikam'))).toEqual([]);
    },
    120_000,
  );

  test('a fall while Watchpost was dead is told after the start, once', async () => {
    await soc.kill();
    await soc.score(fabrikam, { drop: 14 });
    await soc.start();
    await soc.sync(fabrikam);
    await soc.hears(watchers, of(fabrikam, 'opened'));
    await soc.kill();
    await soc.start();
    await soc.sync(fabrikam);
    await laterNews();
    expect((await soc.told(watchers, 'create')).filter(of(fabrikam, 'opened'))).toHaveLength(1);
  }, 180_000);

  test('a withdrawn consent is told once, with what to do, and its end in the same card', async () => {
    const litware = await soc.connect('Litware');
    await soc.sandbox.control('POST', `/_sandbox/tenants/${litware.id}/consent`, { revoke: true });
    expect(await soc.sync(litware)).toMatch(/could not be synced/);
    const broken = await soc.hears(watchers, of(litware, 'opened'));
    expect(broken.words).toMatch(/Litware cannot be read/);
    expect(broken.words).toMatch(/Permission Error since/);
    expect(broken.words).toMatch(/consent again/);
    await soc.sync(litware);
    expect(await soc.ask(soc.bo, watchers, 'health litware', /Litware/)).toMatch(/Permission Error/);
    expect(await soc.press(soc.bo, watchers, broken.post, /Acknowledge/)).toContain(soc.bo.name);
    await soc.sandbox.control('POST', `/_sandbox/tenants/${litware.id}/consent`, { grant: usualConsent });
    expect(await soc.sync(litware)).toMatch(/is synced/);
    const back = await soc.hears(
      watchers,
      (told) => of(litware, 'resolved')(told) && told.post.kind === 'update',
    );
    expect(back.post.activityId).toBe(broken.post.activityId);
    expect(back.words).toMatch(/can be read again/);
    expect((await soc.told(watchers, 'create')).filter(of(litware, 'opened'))).toHaveLength(1);
  }, 120_000);

  test('a channel hears by its own threshold, and nothing after unwatch', async () => {
    const calm = await soc.channel('calm');
    const adatum = await soc.connect('Adatum');
    await soc.ask(soc.bo, calm, 'watch adatum', /Adatum/);
    await soc.ask(soc.bo, calm, 'threshold adatum 60 points', /60 points/);
    await soc.score(adatum, { drop: 12 });
    await soc.sync(adatum);
    await soc.hears(watchers, of(adatum, 'opened'));
    await soc.score(adatum, { drop: 60 });
    await soc.sync(adatum);
    await soc.hears(calm, ({ words }) => words.includes('Adatum'));
    const before = (await soc.told(calm)).length;
    await soc.ask(soc.bo, calm, 'unwatch adatum', /Adatum|no longer|nothing/i);
    await soc.score(adatum, { drop: 40 });
    await soc.sync(adatum);
    await laterNews();
    expect(await soc.told(calm)).toHaveLength(before);
  }, 180_000);

  test('where a guest reads along nothing is watched, and nothing comes once one has joined', async () => {
    const guest = { aadObjectId: '5b7d0c1e-8f23-4a96-b1d4-0e9c6a72f385', userRole: 'guest', name: 'Gus' };
    const staff = [soc.ana, soc.bo].map(({ oid, teamsId, name, tid }) => ({
      ...{ aadObjectId: oid, id: teamsId, name, tenantId: tid, userRole: 'user' },
    }));
    const mixed = await soc.channel('mixed', [...staff, { ...guest, tenantId: contoso.id }]);
    const refused = await soc.ask(soc.bo, mixed, 'watch all', /./);
    expect(refused).not.toMatch(/Contoso|Fabrikam/);
    expect(refused).toMatch(/help|personal|Admin|score|guest/i);

    const turned = await soc.channel('turned', staff);
    await soc.ask(soc.bo, turned, 'watch all', /now watches all/);
    await soc.channel('turned', [...staff, { ...guest, tenantId: contoso.id }]);
    await soc.tell(turned, soc.ana, {
      membersAdded: [{ id: '29:gus', aadObjectId: guest.aadObjectId }],
      membersRemoved: [],
    });
    await soc.score(fabrikam, { drop: 20 });
    await soc.sync(fabrikam);
    await soc.hears(watchers, of(fabrikam, 'worsened'));
    await laterNews();
    expect(await soc.told(turned)).toEqual([]);
    expect(await soc.told(mixed)).toEqual([]);
  }, 180_000);

  test('in the whole night no transition came twice, and none without its finding', async () => {
    for (const where of [watchers, await soc.channel('calm')]) {
      const created = await soc.told(where, 'create');
      const keys = created.map(({ id, generation, transition }) => `${id} ${generation} ${transition}`);
      expect([...new Set(keys)]).toEqual(keys);
      expect(keys.length).toBeGreaterThan(0);
    }
  }, 60_000);
});
