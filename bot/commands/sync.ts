import { type Caller, covers, scopeFor, type TenantScope } from '../../shared/access.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { millis } from '../../shared/time.ts';
import { ask, openTenant } from '../cards/actions.ts';
import { errorCode } from '../errors.ts';
import type { ActivityId, Place, Reply, Services, SyncRequest } from '../services.ts';
import { auditor } from './audit.ts';
import { lookUp } from './look-up.ts';
import { refuse, replyTo, say } from './reply.ts';
import { followSync, hasEnded, requestSync } from './request-sync.ts';
import { scoreOf } from './score.ts';

/** `sync contoso`: says at once that it syncs, then replaces that message with what changed. */
export async function sync(
  command: Extract<Command, { kind: 'sync' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const found = await lookUp(command.tenant, 'sync', who, where, services);
  if (found.kind === 'reply') return found.reply;
  const scope = await permitted(found.tenant, who, where, services);
  if (scope === null) return mayNot(found.tenant, where);

  const request = await requestSync(scope, found.tenant.id, nameOf(who), services);
  if (hasEnded(request)) {
    await sayFresh(found.tenant, request, who, where, services);
    return await scoreOf(found.tenant, who, where, services);
  }
  const ours = await announce(found.tenant, who, where, services);
  return await told(found.tenant, scope, request, ours, where, services);
}

/**
 * *Sync now* on a card: answered with the card at once (a click must be answered within seconds). That it syncs, and
 * then what changed, is said in a message of its own: the card is never told of the end, so it claims nothing.
 */
export async function syncFromCard(
  tenant: Tenant,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const scope = await permitted(tenant, who, where, services);
  // Only for who pressed: the card that others read stays as it is.
  if (scope === null) return { ...mayNot(tenant, where), to: 'caller' };
  const request = await requestSync(scope, tenant.id, nameOf(who), services);
  followInBackground(tenant, scope, request, who, where, services);
  return { ...(await scoreOf(tenant, who, where, services)), to: 'caller' };
}

/** The right to sync this tenant here, audited; null without it. */
async function permitted(
  tenant: Tenant,
  who: Caller,
  where: Place,
  services: Services,
): Promise<TenantScope | null> {
  const scope = scopeFor(who, where.audience, 'sync', services.now());
  const allowed = covers(scope, tenant.id);
  await auditor(who, where, services)('sync', allowed ? 'done' : 'refused', { tenant: tenant.id });
  return allowed ? scope : null;
}

function mayNot(tenant: Tenant, where: Place): Reply {
  const reply = refuse(
    where,
    `${plain(tenant.name, 80)} can be synced by Operators and Admins. You may look at it.`,
  );
  return { ...reply, tenants: [tenant.id] };
}

function followInBackground(
  tenant: Tenant,
  scope: TenantScope,
  request: SyncRequest,
  who: Caller,
  where: Place,
  services: Services,
): void {
  const follow = async (): Promise<void> => {
    if (hasEnded(request)) return await sayFresh(tenant, request, who, where, services);
    const ours = await announce(tenant, who, where, services);
    await services.deliver.send(where, await told(tenant, scope, request, ours, where, services), who);
  };
  follow().catch((error: unknown) => {
    services.log.warn({ tenant: tenant.id, code: errorCode(error) }, 'sync could not be followed');
  });
}

/** Somebody else had it synced a moment ago: one sentence above the card, which shows what was found. */
async function sayFresh(
  tenant: Tenant,
  request: SyncRequest,
  who: Caller,
  where: Place,
  services: Services,
): Promise<void> {
  const seconds = Math.max(1, Math.ceil((millis(services.now()) - millis(request.at)) / 1000));
  const text = `${plain(tenant.name, 80)} was read ${seconds} s ago for somebody else, so it is not read again yet.`;
  const delivery = await services.deliver.send(
    where,
    { text, to: replyTo(where), tenants: [tenant.id] },
    who,
  );
  if (delivery.kind === 'sent') return;
  services.log.warn(
    { tenant: tenant.id, outcome: delivery.kind },
    'it could not be said that no sync is needed',
  );
}

/** Our own "Syncing …" message, to be replaced; undefined when Teams did not take it. */
async function announce(
  tenant: Tenant,
  who: Caller,
  where: Place,
  services: Services,
): Promise<ActivityId | undefined> {
  const text = `Syncing ${plain(tenant.name, 80)} …`;
  const delivery = await services.deliver.send(
    where,
    { text, to: replyTo(where), tenants: [tenant.id] },
    who,
  );
  if (delivery.kind === 'sent') return delivery.activityId;
  services.log.warn({ tenant: tenant.id, outcome: delivery.kind }, 'sync could not be announced');
  return undefined;
}

/** Waits for the request to end and says how it did. */
async function told(
  tenant: Tenant,
  scope: TenantScope,
  request: SyncRequest,
  ours: ActivityId | undefined,
  where: Place,
  services: Services,
): Promise<Reply> {
  const ended = await followSync(request, scope, services);
  const reply = inWords(tenant, ended, where, services);
  return ours === undefined ? reply : { ...reply, replaces: ours };
}

function inWords(tenant: Tenant, request: SyncRequest, where: Place, services: Services): Reply {
  const name = plain(tenant.name, 80);
  const result = request.result ?? '';
  const show = ask('Show score', { verb: 'score', tenant: tenant.id });
  const open = openTenant(tenant.id, services.settings);
  const heading = { done: 'is synced', failed: 'could not be synced', waiting: '', running: '' }[
    request.state
  ];
  if (heading === '') {
    const text = `${name} is still syncing. The result will be in Watchpost, and in the answer to score ${name}.`;
    return say(where, { text, buttons: [open, show] }, [tenant.id]);
  }
  return say(
    where,
    {
      text: `**${name}** ${heading}.`,
      lines: [plain(result === '' ? 'No more is known.' : result, 600)],
      fallback: clean(`${tenant.name} ${heading}. ${result}`, 700),
      buttons: [show, open],
    },
    [tenant.id],
  );
}

/** As it stands in the request row: who wished it. */
function nameOf(who: Caller): string {
  return `${who.tid}/${who.oid}`;
}
