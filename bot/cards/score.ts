import { clean, plain } from '../../shared/foreign-text.ts';
import { comparisonOf } from '../../shared/score/comparison.ts';
import type { Action, Posture, ScoreChange } from '../../shared/score/score.ts';
import { trendLine } from '../../shared/score/trend.ts';
import { notRead } from '../../shared/tenants/not-read.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { healthSentence } from '../../shared/tenants/tenant-health.ts';
import { daysBetween, type Instant, millis } from '../../shared/time.ts';
import {
  ageText,
  arrowed,
  counted,
  dayText,
  decimal,
  direction,
  percentText,
  pointsOf,
  signed,
} from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { ask, type Button, type LinkSettings, openTenant } from './actions.ts';
import { cardTemplate } from './render.ts';
import template from './score.json' with { type: 'json' };

/** How many of the actions worth most are shown. */
const shownActions = 3;
/** Two missed syncs at the usual cadence of 12 hours: the reader should know. */
const staleAfterMs = 24 * 3_600_000;

type Color = 'Default' | 'Good' | 'Attention';
type Fact = { headline: string; color: Color; detail: string };

type ScoreCard = {
  fallback: string;
  name: string;
  caption: string;
  percent: string;
  points: string;
  /** Empty = nothing to notice. */
  notice: string;
  noticeStyle: 'warning' | 'emphasis';
  facts: Fact[];
  trend: string;
  range: string;
  actionsTitle: string;
  actions: { gain: string; title: string; detail: string }[];
  notSeen: string;
  buttons: Button[];
};

const fill = cardTemplate<ScoreCard>(template);

export type ScoreCardInput = {
  tenant: Tenant;
  posture: Posture;
  now: Instant;
  settings: LinkSettings;
  /** The reader may sync this tenant: *Sync now* is shown. */
  maySync: boolean;
};

/** One tenant's score: how good, is it getting better, what to do. The data of exactly this tenant. */
export function scoreCard(input: ScoreCardInput): CardData {
  const { tenant, posture, now } = input;
  const trend = trendLine(posture.trend, posture.day);
  const missing = notRead(tenant);
  const readAt = readAtOf(tenant, posture);
  return fill({
    fallback: clean(scoreLine(tenant.name, posture, now), 400),
    name: plain(tenant.name, 120),
    caption: `Secure Score · ${dayText(posture.day, now)} · read ${ageText(readAt, now)}`,
    percent: percentText(posture.percent),
    points: pointsOf(posture.current, posture.max),
    ...notice(input, readAt),
    facts: [sinceYesterday(posture, now), over30Days(posture, now), compared(posture)],
    trend: trend === null ? '' : trend.line,
    range:
      trend === null
        ? 'Trend: not enough days read yet.'
        : `${counted(trend.days, 'day')}, ${trend.range}${trend.missing > 0 ? `, ${trend.missing} not read` : ''}`,
    actionsTitle:
      posture.actions.length === 0 ? 'Nothing left to gain by what Microsoft counts' : 'Worth most now',
    actions: posture.actions.slice(0, shownActions).map(actionRow),
    notSeen: missing.length === 0 ? '' : `Not seen: ${plain(missing.join('; '), 400)}.`,
    buttons: [
      openTenant(tenant.id, input.settings),
      ...(input.maySync ? [ask('Sync now', { verb: 'sync', tenant: tenant.id })] : []),
      ask('All tenants', { verb: 'ranking' }),
    ],
  });
}

/** The card as one line of text: the toast, the screen reader, the clients without cards. Not escaped. */
export function scoreLine(name: string, posture: Posture, now: Instant): string {
  const change = sinceYesterday(posture, now);
  const first = posture.actions[0];
  const todo = first === undefined ? '' : ` Worth most now: ${signed(first.gain)} ${clean(first.title, 80)}.`;
  return `${clean(name, 80)}: ${percentText(posture.percent)} (${pointsOf(posture.current, posture.max)}), ${change.headline}.${todo}`;
}

/** When the score was last read: an unchanged answer is a good read too, though nothing was evaluated. */
export function readAtOf(tenant: Tenant, posture: Posture): Instant {
  const read = tenant.datasets.secureScores?.readAt;
  return read !== undefined && read > posture.readAt ? read : posture.readAt;
}

function notice(input: ScoreCardInput, readAt: Instant): Pick<ScoreCard, 'notice' | 'noticeStyle'> {
  const { tenant, now } = input;
  if (tenant.health.state !== 'connected' && tenant.health.state !== 'waiting') {
    return { notice: plain(healthSentence(tenant.health, now), 400), noticeStyle: 'warning' };
  }
  if (millis(now) - millis(readAt) > staleAfterMs) {
    return { notice: `This is old: last read ${ageText(readAt, now)}.`, noticeStyle: 'warning' };
  }
  return { notice: '', noticeStyle: 'emphasis' };
}

const colors: Record<ReturnType<typeof direction>, Color> = {
  up: 'Good',
  down: 'Attention',
  level: 'Default',
};

/** The change against the previous day in words: "▼ 3.1 since 19 Nov". */
export function sinceYesterday(posture: Posture, now: Instant): Fact {
  const change = posture.sinceYesterday;
  if (change === null) {
    return { headline: 'no earlier day', color: 'Default', detail: 'change not known yet' };
  }
  // A date, not "yesterday": the newest day may itself be of yesterday, and days may be missing.
  const since = dayText(change.from, now);
  const way = direction(change.percent);
  return {
    headline: way === 'level' ? `unchanged since ${since}` : `${arrowed(change.percent)} since ${since}`,
    color: colors[way],
    detail: moves(posture, change),
  };
}

function moves(posture: Posture, change: ScoreChange): string {
  const { regressed, improved } = posture;
  const parts: string[] = [];
  if (regressed > 0) parts.push(`${counted(regressed, 'control')} regressed`);
  if (improved > 0)
    parts.push(regressed > 0 ? `${improved} improved` : `${counted(improved, 'control')} improved`);
  if (direction(change.maxPoints) !== 'level') parts.push(`maximum ${signed(change.maxPoints)}`);
  return parts.length === 0 ? 'no control moved' : parts.join(', ');
}

function over30Days(posture: Posture, now: Instant): Fact {
  const change = posture.over30Days;
  if (change === null)
    return { headline: 'not known', color: 'Default', detail: 'over 30 days: not read that long' };
  const way = direction(change.percent);
  const days = daysBetween(change.from, change.to);
  const from =
    posture.percent === null ? 'since' : `from ${percentText(posture.percent - change.percent)} on`;
  return {
    headline: way === 'level' ? `unchanged in ${days} days` : `${arrowed(change.percent)} in ${days} days`,
    color: colors[way],
    detail: `${from} ${dayText(change.from, now)}`,
  };
}

function compared(posture: Posture): Fact {
  const found = comparisonOf(posture.comparisons, posture.percent);
  if (found === null)
    return { headline: 'not available', color: 'Default', detail: 'comparison with other tenants' };
  const way = direction(found.difference);
  const words = { up: 'above', down: 'below', level: 'level with' };
  return {
    headline: way === 'level' ? words.level : `${signed(found.difference)} ${words[way]}`,
    color: 'Default',
    detail: `${found.label} (${decimal(found.percent)}\u2009%)`,
  };
}

function actionRow(action: Action): { gain: string; title: string; detail: string } {
  const effort = action.effort === '' ? 'effort not known' : `${plain(action.effort, 30)} effort`;
  return {
    gain: signed(action.gain),
    title: plain(action.title, 120),
    detail: action.regressed ? `${effort} · regressed on the last day` : effort,
  };
}
