import { type Caller, covers, scopeFor } from '../../shared/access.ts';
import { thresholdOf } from '../../shared/alerts/route.ts';
import { defaultThreshold, thresholdInWords } from '../../shared/alerts/threshold.ts';
import type { Command } from '../../shared/command.ts';
import { clean, plain, unescaped } from '../../shared/foreign-text.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { counted, listed } from '../../shared/words.ts';
import { ask, openTenants } from '../cards/actions.ts';
import { noticeCard } from '../cards/notice.ts';
import type { Place, Reply, Services, SubscriptionRow } from '../services.ts';
import { auditor } from './audit.ts';
import { lookUpAll } from './look-up-all.ts';
import { refuse, withCard } from './reply.ts';
import { mostLookedAt, standingFalls, standingInWords } from './standing.ts';
import { freshRow, hereOf, refusedForRoom, refusedWatch, withTenants } from './subscribing.ts';

/** `watch contoso`, `watch contoso, fabrikam`, `watch all`: from now on this conversation hears of their falls. */
export async function watch(
  command: Extract<Command, { kind: 'watch' }>,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  if (command.tenants === 'all') return await watchAll(who, where, services);
  const found = await lookUpAll(command.tenants, 'watch', who, where, services);
  if (found.kind === 'reply') return found.reply;
  return await watchThese(found.tenants, '', who, where, services);
}

/** One tenant, chosen on a card. */
export async function watchTenant(
  tenant: Tenant,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  return await watchThese([tenant], '', who, where, services);
}

/**
 * All tenants there are and will be, for whoever may decide that of all. Others get exactly those they may decide on,
 * and are told so; in a customer's place that is the customer.
 */
async function watchAll(who: Caller, where: Place, services: Services): Promise<Reply> {
  const now = services.now();
  const scope = scopeFor(who, where.audience, 'watch', now);
  const seen = await services.store.tenants.list(scopeFor(who, where.audience, 'view', now));
  if (!scope.all) {
    const own = seen.filter(({ id }) => covers(scope, id));
    const only =
      where.audience.kind === 'customer'
        ? ''
        : 'These are the tenants you may decide on; those connected later are not among them.';
    if (own.length === 0) return refuse(where, 'No tenants are available here.');
    return await watchThese(own, only, who, where, services);
  }
  const full = await refusedForRoom(who, where, services);
  if (full !== null) return full;
  const row = await subscribe('all', who, where, services);
  await auditor(who, where, services)('watch', 'done', { detail: 'all tenants' });
  const own = seen.filter(({ id }) => row.thresholds.some(({ tenantId }) => tenantId === id));
  return await confirmed(
    {
      watched: 'all tenants',
      text: what(row, own, true),
      lines: ['Those connected later are among them.', ...ownThresholds(row, own)],
      stop: 'unwatch',
      threshold: 'threshold contoso 3%',
      tenants: [...seen],
      named: own,
    },
    who,
    where,
    services,
  );
}

async function watchThese(
  tenants: Tenant[],
  only: string,
  who: Caller,
  where: Place,
  services: Services,
): Promise<Reply> {
  const refused =
    (await refusedWatch('watch', tenants, who, where, services)) ??
    (await refusedForRoom(who, where, services));
  if (refused !== null) return refused;
  const row = await subscribe(
    tenants.map(({ id }) => id),
    who,
    where,
    services,
  );
  const audit = auditor(who, where, services);
  for (const { id } of tenants) await audit('watch', 'done', { tenant: id });

  const names = listed(
    tenants.map((tenant) => plain(tenant.name, 60)),
    namesShown,
  );
  const many = tenants.length > 3;
  const everything = row.tenants === 'all' ? 'All other tenants are watched here too.' : '';
  const typed = plain(tenants[0]?.domain ?? '', 80);
  return await confirmed(
    {
      watched: many ? counted(tenants.length, 'tenant') : names,
      text: what(row, tenants),
      lines: [
        many ? `${names}.` : '',
        everything,
        only,
        ...(tenants.length < 2 ? [] : ownThresholds(row, tenants)),
      ].filter((line) => line !== ''),
      stop: `unwatch ${typed}`,
      threshold: `threshold ${typed} 3%`,
      tenants,
      named: tenants,
    },
    who,
    where,
    services,
  );
}

const namesShown = 10;
const fallsShown = 5;

async function subscribe(
  tenants: 'all' | Tenant['id'][],
  who: Caller,
  where: Place,
  services: Services,
): Promise<SubscriptionRow> {
  const { subscriptions, outbox } = services.store;
  const fresh = freshRow(who, where, services);
  // Whoever asks here has the bot here: what was refused waits again before the mark that says so goes.
  const before = await subscriptions.get(fresh.conversationId);
  if (before?.broken !== undefined && (await outbox.revive(fresh.conversationId)) > 0) services.nudge();
  const decide = (row: SubscriptionRow | null): SubscriptionRow => withTenants(row, tenants, fresh);
  return (await subscriptions.change(fresh.conversationId, decide)) ?? decide(null);
}

/** What is heard; the threshold is named here where it is the same for all. */
function what(row: SubscriptionRow, tenants: readonly Tenant[], everything = false): string {
  const [first] = tenants;
  const only = everything || tenants.length > 1 ? undefined : first;
  const threshold = only === undefined ? defaultThreshold : thresholdOf(row, only.id);
  const apart = only === undefined && ownThresholds(row, tenants).length > 0;
  const usually = apart ? ', unless said otherwise below' : '';
  return `One card comes when a Secure Score falls by ${thresholdInWords(threshold)}${usually}. It changes when the score falls further, somebody acknowledges it, or it recovers. What only Microsoft's maximum or licences moved is not told. A connection that breaks, or whose credential ends soon, is told too.`;
}

function ownThresholds(row: SubscriptionRow, tenants: readonly Tenant[]): string[] {
  return tenants
    .filter(({ id }) => row.thresholds.some(({ tenantId }) => tenantId === id))
    .slice(0, namesShown)
    .map(
      (tenant) =>
        `${plain(tenant.name, 60)}: from a loss of ${thresholdInWords(thresholdOf(row, tenant.id))} on.`,
    );
}

type Confirmed = {
  /** Escaped, as `lines` are. */
  watched: string;
  text: string;
  lines: string[];
  /** Commands to type. */
  stop: string;
  threshold: string;
  /** Of these it is said whether a fall stands already. */
  tenants: Tenant[];
  named: Tenant[];
};

async function confirmed(said: Confirmed, who: Caller, where: Place, services: Services): Promise<Reply> {
  const now = services.now();
  const scope = scopeFor(who, where.audience, 'view', now);
  const falls = await standingFalls(scope, said.tenants, services);
  const shown = falls.slice(0, fallsShown);
  const standing = shown.map((fall) => standingInWords(fall, now));
  // Said once, above all of them.
  const lines = [
    ...said.lines,
    ...(standing.length > 1 ? ['Standing now:', ...standing] : standing.map((one) => `Standing now: ${one}`)),
  ];
  if (falls.length > shown.length) lines.push(`And ${falls.length - shown.length} more falls stand now.`);
  if (said.tenants.length > mostLookedAt) {
    lines.push(`For falls that stand already only the first ${mostLookedAt} tenants were looked through.`);
  }
  // The answer is private; what it is about is not.
  if (where.targeted)
    lines.push(`Only you see this answer. The news is for everybody in this ${hereOf(where)}.`);
  const title = `This ${hereOf(where)} now watches ${said.watched}`;
  const card = noticeCard({
    title,
    text: said.text,
    lines,
    foot: `To stop: ${said.stop} · Earlier or later: ${said.threshold} · All that is watched here: watching`,
    fallback: clean(unescaped([`${title}.`, said.text, ...lines].join(' ')), 700),
    buttons: [ask('Watching', { verb: 'watching' }), openTenants(services.settings)],
  });
  return withCard(
    where,
    card,
    [`${title}.`, said.text, ...lines].join(' '),
    [...said.named, ...falls.map(({ tenant }) => tenant)].map(({ id }) => id),
  );
}
