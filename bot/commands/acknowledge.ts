import { type Caller, covers, scopeFor, type TenantScope } from '../../shared/access.ts';
import { type Finding, lastTransition } from '../../shared/alerts/finding.ts';
import { outboxId } from '../../shared/alerts/outbox-id.ts';
import { acknowledge } from '../../shared/alerts/people.ts';
import { clean, plain } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { acknowledgedLine, acknowledgedObject } from '../cards/finding.ts';
import { findingNews } from '../cards/news.ts';
import { digest } from '../digest.ts';
import { WatchpostError } from '../errors.ts';
import type { CardAction, CardHandler, OutboxEntry, Place, Reply, Services } from '../services.ts';
import { auditor } from './audit.ts';

/** Others who change the same finding at that moment: the clock thread, and people who press together. */
const mostTries = 10;

/**
 * *Acknowledge* on the card of a finding: this person has taken note. Authorised by today's role and place, the first one
 * only; every channel's card is drawn anew by the clock thread. What the click answers is for who pressed (R28): the
 * card as it stands now, or a sentence while the card stays.
 */
export const acknowledgeFromCard: CardHandler['run'] = async (action, _, who, where, services) => {
  const found = await findingOf(action, who, where, services);
  if (found.kind === 'say') return sentenceFor(found.say, found.tenant);
  const { tenant, id, generation, scope } = found;
  const audit = auditor(who, where, services);
  const doing = { who: clean(who.name, 80) || 'somebody', at: services.now(), why: '' };

  for (let tries = 0; tries < mostTries; tries += 1) {
    const kept = await services.store.findings.get(scope, tenant.id, id);
    if (kept === null || kept.value.generation < generation) {
      return sentenceFor(`This news of ${plain(tenant.name, 80)} is not known any more.`, tenant);
    }
    if (kept.value.generation > generation) {
      const say = `This is over at ${plain(tenant.name, 80)}, and came again since: that has a card of its own.`;
      return sentenceFor(say, tenant);
    }
    const done = acknowledge(kept.value, doing);
    if (done.kind === 'refused') {
      await audit('acknowledge', 'refused', { tenant: tenant.id, detail: 'it is over already' });
      return answered(kept.value, tenant, `${done.say} `, services);
    }
    // Pressed again it changes nothing, but completes what a crash kept from being written: rows that are there stay.
    const tell = await refreshes(done.finding, scope, services);
    if (!(await services.store.findings.save(scope, done.finding, kept.revision, tell))) continue;
    if (tell.length > 0) services.nudge();
    if (done.kind === 'done') {
      await audit('acknowledge', 'done', { tenant: tenant.id, detail: `finding ${id} ${generation}` });
      return answered(done.finding, tenant, '', services);
    }
    await audit('acknowledge', 'refused', { tenant: tenant.id, detail: 'somebody was first' });
    return answered(done.finding, tenant, firstWas(done.finding, services), services);
  }
  throw new WatchpostError('conflict', 'The finding was changed by others again and again.');
};

type Found =
  | { kind: 'found'; tenant: Tenant; id: string; generation: number; scope: TenantScope }
  | { kind: 'say'; say: string; tenant?: Tenant };

/** What the button is about, if this person may work on it here, by today's roles. */
async function findingOf(action: CardAction, who: Caller, where: Place, services: Services): Promise<Found> {
  const now = services.now();
  const tenants = await services.store.tenants.list(scopeFor(who, where.audience, 'view', now));
  const tenant = tenants.find(({ id }) => id === action.tenant);
  // Gone, out of scope, or not for this place any more: one answer for all three.
  if (tenant === undefined) return { kind: 'say', say: 'This tenant is not available here any more.' };
  const scope = scopeFor(who, where.audience, 'work', now);
  if (!covers(scope, tenant.id)) {
    await auditor(who, where, services)('acknowledge', 'refused', { tenant: tenant.id });
    const say = `News of ${plain(tenant.name, 80)} is acknowledged by Operators and Admins. You may look at it.`;
    return { kind: 'say', say, tenant };
  }
  const object = acknowledgedObject(action.object);
  if (object === null)
    return { kind: 'say', say: 'This button is of an older version and no longer answers.', tenant };
  return { kind: 'found', tenant, scope, ...object };
}

/** One row for every conversation that has a card of this finding; the same for every repeat of this acknowledgement. */
async function refreshes(finding: Finding, scope: TenantScope, { store }: Services): Promise<OutboxEntry[]> {
  const { id, tenantId, generation, worsenings } = finding;
  // After a further fall it is acknowledged anew, which is drawn anew too.
  const name = worsenings === 0 ? 'acknowledged' : `acknowledged-${worsenings}`;
  const transition = lastTransition(finding);
  const heard = await store.outbox.heard(scope, tenantId, id, generation);
  return heard.map((conversationId) => ({
    id: outboxId({ tenantId, conversationId, rule: finding.rule, finding: id, name, generation }, digest),
    tenantId,
    conversationId,
    finding: { id, generation, transition: transition.name },
    kind: 'refresh',
    transition,
  }));
}

/** "Acknowledged by Ana Reyes on 20 Nov, 09:14 UTC already. " */
function firstWas(finding: Finding, services: Services): string {
  const line = acknowledgedLine(finding, services.now(), (text) => plain(text, 80));
  return line === '' ? '' : `${line}, before you. `;
}

function answered(finding: Finding, tenant: Tenant, lead: string, services: Services): Reply {
  const { card, text } = findingNews({
    tenant,
    transition: lastTransition(finding),
    finding,
    now: services.now(),
    settings: services.settings,
    maybeRepeated: false,
    mayAcknowledge: false,
  });
  return { card, text: `${lead}${text}`, to: 'caller', tenants: [tenant.id] };
}

/** Words alone: the card that everybody reads stays as it is, for this person too. */
function sentenceFor(text: string, tenant?: Tenant): Reply {
  return { text, to: 'caller', tenants: tenant === undefined ? [] : [tenant.id] };
}
