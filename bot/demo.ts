import { scopeOfSystem } from '../shared/access.ts';
import { demoHome, demoPeople } from './cast.ts';
import { connectTenant } from './connect/connect-tenant.ts';
import type { Demo } from './demo-sandbox.ts';
import { WatchpostError } from './errors.ts';
import type { Services } from './services.ts';

/** On an empty store: the five people as grants by `demo`, and the five tenants by the function that `connect` uses. */
export async function seedDemo(demo: Demo, services: Services): Promise<void> {
  const { store } = services;
  const everything = scopeOfSystem();
  const people = await store.people.withGrants({ limit: 1 });
  if (people.rows.length === 0) {
    for (const person of demoPeople) {
      await store.people.seen({
        tid: demoHome.id,
        oid: person.oid,
        name: person.name,
        address: person.address,
        teamsId: person.teamsId,
      });
      if (person.role === null) continue;
      await store.people.addGrant(demoHome.id, person.oid, person.name, {
        id: `demo-${person.oid}`,
        role: person.role,
        scope: 'all',
        source: 'demo',
        by: 'the demo',
        at: services.now(),
      });
    }
  }
  if ((await store.tenants.list(everything)).length > 0) return;
  for (const tenant of demo.tenants) {
    const report = await connectTenant(
      {
        domain: tenant.domain,
        appId: tenant.appId,
        credential: { kind: 'secret', secret: tenant.secret },
        by: 'the demo',
      },
      services,
    );
    if (report.saved === null) {
      const broken = report.steps.find((step) => !step.works);
      throw new WatchpostError(
        'start',
        `The demo could not connect ${tenant.domain}: ${broken?.says ?? 'no answer'}`,
      );
    }
  }
  await synced(services, demo.tenants.length);
  await withdrawWoodgrove(demo, services);
}

/** Woodgrove shows old data and a Permission Error: its consent goes after the first good sync. */
async function withdrawWoodgrove(demo: Demo, services: Services): Promise<void> {
  const everything = scopeOfSystem();
  const woodgrove = (await services.store.tenants.list(everything)).find((tenant) =>
    tenant.name.startsWith('Woodgrove'),
  );
  if (woodgrove === undefined) return;
  await control(demo.sandboxUrl, `/_sandbox/tenants/${woodgrove.id}/consent`, { revoke: true });
  services.microsoft.forget(woodgrove.id);
  const request = await services.store.syncRequests.add(everything, woodgrove.id, 'the demo');
  await services.store.work.schedule(everything, woodgrove.id, 'sync-scores', services.now());
  services.nudge();
  await until(services, async () => {
    const row = await services.store.syncRequests.get(everything, woodgrove.id, request.id);
    return row?.state === 'done' || row?.state === 'failed';
  });
}

/** Until each of them has been read once, with everything that belongs to it. */
async function synced(services: Services, count: number): Promise<void> {
  await until(services, async () => {
    const tenants = await services.store.tenants.list(scopeOfSystem());
    return tenants.filter((tenant) => tenant.datasets.secureScores?.readAt !== undefined).length >= count;
  });
}

/** Looks every 100 ms, for at most 20 s: a slow machine starts all the same, only with less to see at first. */
async function until(services: Services, done: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (performance.now() < end && !services.signal.aborted) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function control(url: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
    redirect: 'error',
  });
  if (!answer.ok) throw new WatchpostError('start', `The sandbox refused ${path} with ${answer.status}.`);
  await answer.arrayBuffer();
}
