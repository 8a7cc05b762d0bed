import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTimetable } from '../../bot/jobs/index.ts';
import { Secret } from '../../bot/secrets.ts';
import type { Microsoft, Services } from '../../bot/services.ts';
import { scopeOfSystem } from '../../shared/access.ts';
import type {
  Added,
  BulkAnswer,
  BulkLinks,
  BulkSync,
  BulkSyncProgress,
  CompanyLines,
  JobList,
  LookedUp,
  Problem,
  TenantList,
} from '../../shared/api.ts';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { openMicrosoftOf, type Sandboxed } from '../jobs/sandboxed.ts';
import { count } from '../support/counts.ts';
import { poll } from '../support/program.ts';
import { openTabServer, type TabServer } from '../tab/tab-server.ts';

/** Adding companies, sorting them, links for all, how often they are read, and their jobs: over real HTTP. */

const everything = scopeOfSystem();
const many = count(20, 200);
type Customer = { name: string; domain: string; id: string; appId: string; secret: string };

let world: Sandboxed;
let server: TabServer;
let services: Services;
let admin: string;
let operator: string;
let reader: string;
let customers: Customer[];
/** How many questions to Entra run now, and the most there ever were. */
let asking = 0;
let mostAsking = 0;
let asked = 0;

beforeAll(async () => {
  world = await openMicrosoftOf();
  await world.sandbox.control('POST', '/_sandbox/limits', { off: true });
  const { microsoft } = world;
  const counted: Microsoft = {
    ...microsoft,
    async tenantOfDomain(domain) {
      asking += 1;
      asked += 1;
      mostAsking = Math.max(mostAsking, asking);
      try {
        return await microsoft.tenantOfDomain(domain);
      } finally {
        asking -= 1;
      }
    },
  };
  server = await openTabServer({
    seeds: [],
    services: { microsoft: counted, consent: { appId: 'ffffffff-0000-4000-8000-0000000000aa' } as never },
  });
  services = server.services;
  const made = await world.sandbox.control<{ tenants: Customer[] } | Customer[]>(
    'POST',
    '/_sandbox/tenants',
    { count: many, seed: 'companies' },
  );
  customers = Array.isArray(made) ? made : made.tenants;
  await server.grant(0, 'Admin', 'all');
  await server.grant(1, 'Operator', 'all');
  await server.grant(2, 'Reader', 'all');
  [admin = '', operator = '', reader = ''] = await Promise.all(
    [0, 1, 2].map(async (person) => `Bearer ${await server.tokenOf(person)}`),
  );
}, 60_000);
afterAll(async () => {
  await server?.close();
  await world?.stop();
});

async function post<T>(path: string, body: unknown, token = admin): Promise<T> {
  const answer = await server.post(`/api/tab/${path}`, body, token);
  const json = await answer.json();
  expect([answer.status, answer.status < 300 ? '' : JSON.stringify(json)]).toEqual([200, '']);
  return json as T;
}

async function list(query = '', token = admin): Promise<TenantList> {
  return (await (await server.get(`/api/tab/tenants${query}`, token)).json()) as TenantList;
}

async function lookUp(domains: string[]): Promise<LookedUp[]> {
  return (await post<{ found: LookedUp[] }>('companies/look-up', { domains })).found;
}

describe('adding companies', () => {
  test('a list is read, looked up and added; again, nothing is done twice', async () => {
    const rows = customers.map(({ name, domain }, n) => `"${name}";${domain};gold,wave ${n % 4}`);
    const text = `\ufeffName;Domain;Tags\r\n${rows.join('\r\n\r\n')}\r\nNobody;nobody-has-this.example;\r\nOnce more;${customers[0]?.domain};\r\n`;
    const { lines } = await post<CompanyLines>('companies/read', { text });
    expect(lines).toHaveLength(many + 2);
    expect(lines.at(-1)?.fault).toBe('The same as line 2.');
    const good = lines.filter(({ fault }) => fault === '');

    const found: LookedUp[] = [];
    for (let at = 0; at < good.length; at += 20) {
      found.push(...(await lookUp(good.slice(at, at + 20).map(({ domain }) => domain))));
    }
    expect(found.filter(({ kind }) => kind === 'found')).toHaveLength(many);
    expect(found.at(-1)).toMatchObject({
      kind: 'none',
      says: expect.stringMatching(/No Microsoft 365 tenant/),
    });
    expect(mostAsking).toBeLessThanOrEqual(4);
    expect(mostAsking).toBeGreaterThan(1);

    const ids = new Map(found.map((one) => [one.domain, one.kind === 'found' ? one.id : '']));
    const companies = good
      .filter(({ domain }) => ids.get(domain) !== '')
      .map(({ name, domain, tags }) => ({ name, domain, tags, id: ids.get(domain) ?? '' }));
    const before = asked;
    // Cut off after the first twenty and begun again from the start: what is there stays as it is.
    const runs = [
      companies.slice(0, 20),
      ...Array.from({ length: many / 20 }, (_, n) => companies.slice(n * 20, n * 20 + 20)),
    ];
    const added: Added[] = [];
    for (const run of runs)
      added.push(...(await post<{ added: Added[] }>('companies/add', { companies: run })).added);
    expect(added.filter(({ kind }) => kind === 'added')).toHaveLength(many);
    expect(added.filter(({ kind }) => kind === 'known')).toHaveLength(20);
    expect(asked).toBe(before);
    expect(await server.store.tenants.list(everything)).toHaveLength(many);

    const again = await post<CompanyLines>('companies/read', { text });
    expect(again.lines.filter(({ fault }) => /^It is there already, as /.test(fault))).toHaveLength(many);
    const { rows: written } = await server.store.audit.list({ limit: 1_000 });
    expect(written.filter(({ what, result }) => what === 'add company' && result === 'done')).toHaveLength(
      many,
    );
    expect(written.filter(({ what }) => /companies\/(read|look-up)/.test(what))).toEqual([]);
  });

  test('what the preview did not show as good is not added: another tenant, no tenant, a wrong tag', async () => {
    const [first, second] = customers;
    if (first === undefined || second === undefined) throw new Error('no customers');
    const fresh = await world.sandbox.control<Customer>('POST', '/_sandbox/tenants', {
      ...{ name: 'Wingtip Toys', domain: 'wingtip.com', seed: 'one' },
    });
    const base = { name: '', tags: [], domain: 'wingtip.com' };
    const { added } = await post<{ added: Added[] }>('companies/add', {
      companies: [
        { ...base, id: first.id },
        { ...base, domain: 'nobody-has-this.example', id: first.id },
        { ...base, tags: ['x'.repeat(41)], id: fresh.id },
        { ...base, name: '  Wingtip  ', tags: ['Gold', 'gold'], id: fresh.id },
      ],
    });
    expect(added.map((one) => (one.kind === 'failed' ? one.says : one.kind))).toEqual([
      expect.stringMatching(/another tenant than the preview showed/),
      expect.stringMatching(/No Microsoft 365 tenant/),
      expect.stringMatching(/at most 40 characters/),
      'added',
    ]);
    const id = tenantId(fresh.id);
    expect(id && (await server.store.tenants.get(everything, id))).toMatchObject({
      ...{ name: 'Wingtip', tags: ['gold'], health: { state: 'waiting', cause: 'Not connected yet.' } },
    });
  });

  test('Microsoft not answering is told as such, and asked again it answers', async () => {
    await world.sandbox.control('POST', '/_sandbox/faults', { path: '/lucerne.com/', status: 503 });
    await world.sandbox.control('POST', '/_sandbox/tenants', { name: 'Lucerne', domain: 'lucerne.com' });
    expect(await lookUp(['lucerne.com'])).toMatchObject([
      { kind: 'later', says: expect.stringMatching(/\.$/) },
    ]);
    await world.sandbox.control('DELETE', '/_sandbox/faults', {});
    expect(await lookUp(['lucerne.com'])).toMatchObject([{ kind: 'found', known: null }]);
  });

  test.each([
    { what: '21 domains', path: 'look-up', body: { domains: Array(21).fill('a.com') }, says: /At most 20/ },
    {
      what: 'a list that is too long',
      path: 'read',
      body: { text: 'a.com\n'.repeat(2_001) },
      says: /2,000 lines/,
    },
    { what: 'half a quotation', path: 'read', body: { text: 'a,"b.com\n' }, says: /quotation mark/ },
    { what: 'nothing', path: 'read', body: { text: ' \n' }, says: /no company/ },
  ])('$what is refused with a sentence', async ({ path, body, says }) => {
    const answer = await server.post(`/api/tab/companies/${path}`, body, admin);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as Problem).detail).toMatch(says);
  });
});

describe('the work list', () => {
  test('the bar counts what this person may see; state and tag narrow together with the search', async () => {
    const { figures } = await list();
    expect(figures).toMatchObject({ tenants: many + 1, connected: 0 });
    expect(figures.states).toEqual([{ state: 'not-connected', count: many + 1 }]);
    expect(figures.tags[0]).toEqual({ tag: 'gold', count: many + 1 });
    expect((await list('?tag=wave%201')).total).toBe(many / 4);
    expect((await list('?state=not-connected&tag=wave%201&q=zz-no')).total).toBe(0);
    expect((await list('?state=connected')).total).toBe(0);
    expect((await server.get('/api/tab/tenants?state=broken', admin)).status).toBe(400);

    const [first, second] = await server.store.tenants.list(everything);
    if (first === undefined || second === undefined) throw new Error('no tenants');
    await server.grant(3, 'Reader', [first.id, second.id]);
    const few = await list('', `Bearer ${await server.tokenOf(3)}`);
    expect(few.figures).toMatchObject({ tenants: 2, connected: 0 });
  });

  test('tags: of one, of all that a filter shows; what is not his is left out and counted', async () => {
    const first = (await server.store.tenants.list(everything)).find(
      ({ domain }) => domain === 'wingtip.com',
    );
    if (first === undefined) throw new Error('no tenants');
    expect(await post(`tenants/${first.id}/tags`, { tags: ['  VIP ', 'vip', 'north'] })).toEqual({
      tags: ['north', 'vip'],
    });
    const bulk = { of: { match: { tag: 'wave 2' } }, add: ['second wave'], remove: ['gold'] };
    expect(await post<BulkAnswer>('tenants/tags', bulk)).toEqual({ changed: many / 4, same: 0, left: 0 });
    expect(await post<BulkAnswer>('tenants/tags', bulk)).toEqual({ changed: 0, same: many / 4, left: 0 });
    expect((await list('?tag=second%20wave')).total).toBe(many / 4);
    const { rows } = await server.store.audit.list({ limit: 20 });
    expect(rows.find(({ what }) => what === 'change tags')).toMatchObject({
      detail: '+second wave -gold',
    });

    // An Admin of one tenant, who may look at all: changes that one.
    await server.grant(4, 'Admin', [first.id]);
    await server.grant(4, 'Reader', 'all');
    const other = `Bearer ${await server.tokenOf(4)}`;
    const answer = await post<BulkAnswer>('tenants/tags', { of: { match: {} }, add: ['mine'] }, other);
    expect(answer).toEqual({ changed: 1, same: 0, left: many });
    expect((await list('?tag=mine')).total).toBe(1);
  });

  test('links for all of a filter: a file that works, each link made once, each audited', async () => {
    const answer = await post<BulkLinks>('tenants/links', { of: { match: { tag: 'wave 3' } } });
    expect(answer).toMatchObject({ count: many / 4, left: [] });
    const lines = answer.csv.trimEnd().split('\r\n');
    expect(lines[0]).toBe('\ufeff"Name","Domain","Link","Valid until"');
    expect(lines).toHaveLength(many / 4 + 1);
    const token = /\/connect\/([\w-]{43})"/.exec(lines[1] ?? '')?.[1] ?? '';
    expect(await server.store.connectLinks.look(token)).not.toBeNull();
    const second = await post<BulkLinks>('tenants/links', { of: { match: { tag: 'wave 3' } } });
    expect(second.count).toBe(0);
    expect(second.left).toHaveLength(many / 4);
    expect(await server.store.connectLinks.look(token)).not.toBeNull();
    const { rows } = await server.store.audit.list({ limit: 1_000 });
    const made = rows.filter(({ what, result }) => what === 'make connect link' && result === 'done');
    expect(made).toHaveLength(many / 4);
    expect(JSON.stringify(rows)).not.toContain(token);
  });
});

describe('jobs', () => {
  let connected: TenantId[];
  beforeAll(async () => {
    connected = [];
    for (const [n, customer] of customers.slice(0, 4).entries()) {
      const id = tenantId(customer.id);
      if (id === undefined) throw new Error('no id');
      connected.push(id);
      const secret = new Secret(n === 3 ? 'not-the-right-secret' : customer.secret);
      await server.store.credentials.save(everything, {
        ...{ tenantId: id, appId: customer.appId, credential: { kind: 'secret', secret } },
      });
      await server.store.tenants.setHealth(everything, id, {
        ...{ state: 'waiting', since: server.store.now(), cause: '', remedy: '' },
      });
    }
  });

  const jobs = async (query = '', token = operator): Promise<JobList> =>
    (await (await server.get(`/api/tab/jobs${query}`, token)).json()) as JobList;

  test('how often is changed for a selection; the next time comes forward', async () => {
    const body = { of: { ids: connected.slice(0, 2) }, part: 'scores', every: 'hourly' };
    expect(await post<BulkAnswer>('tenants/cadence', body)).toEqual({ changed: 2, same: 0, left: 0 });
    expect(await post<BulkAnswer>('tenants/cadence', body)).toEqual({ changed: 0, same: 2, left: 0 });
    const [first] = connected;
    if (first === undefined) throw new Error('no tenants');
    expect((await server.store.tenants.get(everything, first))?.cadence).toEqual({ scores: '7 * * * *' });
    const due = (await server.store.work.get(everything, first, 'sync-scores'))?.dueAt ?? '';
    expect(Date.parse(due) - Date.parse(server.store.now())).toBeLessThanOrEqual(90 * 60_000);
    const row = (await list(`?q=${customers[0]?.domain}`)).rows[0];
    expect(row?.cadence).toEqual({ scores: 'hourly', directory: 'default' });
  });

  test('an Operator syncs all with progress; who fails stands first, with the reason, and is tried again from there', async () => {
    const begun = await post<BulkSync>('tenants/sync', { of: { match: {} } }, operator);
    // Companies that are not connected have nothing to be read with.
    expect([...begun.ids].sort()).toEqual([...connected].sort());
    expect(begun.left).toBe(many + 1 - 4);
    const progress = async () =>
      await post<BulkSyncProgress>('tenants/sync/progress', { ids: begun.ids, since: begun.since }, operator);
    expect(await progress()).toEqual({ total: 4, done: 0, failed: 0, running: 0 });

    const clock = startTimetable(services, { sendAtOnce: 0 });
    await poll(
      async () => {
        const { done, failed } = await progress();
        return done + failed === 4 ? true : null;
      },
      30_000,
      () => 'not all four were read in time',
    );
    expect(await progress()).toEqual({ total: 4, done: 3, failed: 1, running: 0 });
    await clock.stop(10_000);

    const all = await jobs();
    expect(all.rows[0]?.failures).toBe(1);
    const failed = all.rows.find(({ part, failures }) => part === 'scores' && failures > 0);
    expect(failed).toMatchObject({
      ...{ tenant: { id: connected[3] }, outcome: 'failed', maySync: true },
      ...{ why: expect.stringMatching(/secret/i), ms: expect.any(Number) },
    });
    expect(all.counts).toMatchObject({ all: 8, failing: expect.any(Number) });
    expect((await jobs('?show=failing')).rows.every(({ failures }) => failures > 0)).toBe(true);
    expect((await jobs(`?q=${encodeURIComponent(customers[0]?.name ?? '')}`)).total).toBe(2);
    expect((await list()).figures.connected).toBe(3);

    const again = await server.post(`/api/tab/tenants/${connected[3]}/sync`, {}, operator);
    expect(again.status).toBe(200);
    const [lease] = await server.store.work.claimDue('sync-scores', 1, 60_000);
    expect(lease?.tenantId).toBe(connected[3]);
    const running = await jobs('?show=running');
    expect(running.rows).toMatchObject([{ lease: { instance: lease?.owner } }]);
    expect(running.instances).toEqual([lease?.owner]);
  });

  test('what was due over a minute ago and nobody took is the backlog', async () => {
    const [first] = connected;
    if (first === undefined) throw new Error('no tenants');
    await server.store.work.schedule(everything, first, 'sync-scores', '2026-01-01T00:00:00.000Z');
    const { rows, counts, oldestSeconds } = await jobs('?show=overdue');
    expect(rows).toMatchObject([{ tenant: { id: first }, overdue: true }]);
    expect(counts.overdue).toBe(1);
    expect(oldestSeconds).toBeGreaterThan(3_600);
  });

  test('an Operator of one tenant sees the jobs of that one, a Reader none', async () => {
    await server.grant(2, 'Operator', connected.slice(0, 1));
    expect(new Set((await jobs('', reader)).rows.map(({ tenant }) => tenant.id))).toEqual(
      new Set(connected.slice(0, 1)),
    );
  });
});
