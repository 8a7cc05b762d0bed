import { clean, plain } from '../../shared/foreign-text.ts';
import { comparisonOf } from '../../shared/score/comparison.ts';
import type { Action, Posture, ScoreChange } from '../../shared/score/score.ts';
import { trendLine } from '../../shared/score/trend.ts';
import { isStale, readAtOf } from '../../shared/score/worst-first.ts';
import { notRead } from '../../shared/tenants/not-read.ts';
import type { Tenant } from '../../shared/tenants/tenant.ts';
import { healthSentence } from '../../shared/tenants/tenant-health.ts';
import { type Day, daysBetween, type Instant, plusDays } from '../../shared/time.ts';
import {
  ageText,
  arrowed,
  counted,
  dayText,
  decimal,
  direction,
  percentChange,
  percentPoints,
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
/** As many days as fit one line of a narrow card. */
const longestTrend = 36;

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
  /** How old what was read may be. */
  staleAfterMs: number;
  /** The fall that channels were told of and that stands, in words; empty when there is none. Markdown, escaped. */
  fall: string;
  /** The reader may sync this tenant: *Sync now* is shown. */
  maySync: boolean;
};

/** The last card of a posture: the store gives the same posture object until there is a newer one. */
type Made = { of: ScoreCardInput; caption: string; notice: string; said: SaidScore };
const made = new WeakMap<Posture, Made>();

/** A card with its one line of Markdown, for where there are no cards. */
export type SaidScore = { card: CardData; text: string };

/**
 * One tenant's score: how good, is it getting better, what to do. The data of exactly this tenant. Asked again while
 * nothing it says has changed, it is the same card: nobody may change one.
 */
export function scoreCard(input: ScoreCardInput): SaidScore {
  const { tenant, posture, now } = input;
  const readAt = readAtOf(tenant, posture);
  // Of what the hour changes, all but the year of a day is said in these two.
  const caption = `Secure Score · ${dayText(posture.day, now)} · read ${ageText(readAt, now)}`;
  const noticed = notice(input, readAt);
  const last = made.get(posture);
  if (
    last !== undefined &&
    last.caption === caption &&
    last.notice === noticed.notice &&
    same(last.of, input)
  )
    return last.said;
  const text = plain(scoreLine(tenant.name, posture, now), 400);
  const said = { card: newCard(input, caption, noticed), text };
  made.set(posture, { of: input, caption, notice: noticed.notice, said });
  return said;
}

function same(before: ScoreCardInput, input: ScoreCardInput): boolean {
  return (
    before.tenant === input.tenant &&
    before.maySync === input.maySync &&
    before.settings === input.settings &&
    before.now.slice(0, 4) === input.now.slice(0, 4)
  );
}

function newCard(input: ScoreCardInput, caption: string, noticed: ReturnType<typeof notice>): CardData {
  const { tenant, posture, now } = input;
  // From the day that the change over 30 days is counted from, so that both tell the same story.
  const from = posture.over30Days?.from ?? plusDays(posture.day, -30);
  const trend = trendLine(
    posture.trend,
    posture.day,
    Math.min(daysBetween(from, posture.day) + 1, longestTrend),
  );
  const missing = notRead(tenant);
  return fill({
    fallback: clean(scoreLine(tenant.name, posture, now), 400),
    name: plain(tenant.name, 120),
    caption,
    percent: percentText(posture.percent),
    points: pointsOf(posture.current, posture.max),
    ...noticed,
    facts: [sinceYesterday(posture, now), over30Days(posture, now), compared(posture)],
    trend: trend === null ? '' : trend.line,
    range:
      trend === null
        ? 'Trend: not enough days read yet.'
        : // Beside the line; below it where the card is too narrow for both.
          ` ${counted(trend.days - 1, 'day').replace(' ', '\u00a0')},\u00a0${trend.range}${trend.missing > 0 ? `, ${trend.missing} not read` : ''}`,
    actionsTitle:
      posture.actions.length === 0
        ? 'Nothing left to gain by what Microsoft counts'
        : 'Worth most now, in points',
    actions: posture.actions.slice(0, shownActions).map((action) => actionRow(action, posture, now)),
    notSeen: missing.length === 0 ? '' : unseen(missing, 400),
    buttons: [
      openTenant(tenant.id, input.settings),
      ...(input.maySync ? [ask('Sync now', { verb: 'sync', tenant: tenant.id })] : []),
      ask('All tenants', { verb: 'ranking' }),
    ],
  });
}

/** The card as one line of text: the toast, the screen reader, the clients without cards. Not escaped. */
export function scoreLine(name: string, posture: Posture, now: Instant): string {
  const change = posture.sinceYesterday;
  const since =
    change === null
      ? 'no earlier day to compare with'
      : `${percentChange(change.percent)} since ${dayText(change.from, now)}`;
  const first = posture.actions[0];
  const todo =
    first === undefined ? '' : ` Worth most now: ${signed(first.gain)} points, ${clean(first.title, 80)}.`;
  return `${clean(name, 80)}: ${percentText(posture.percent)} (${pointsOf(posture.current, posture.max)}), ${since}.${todo}`;
}

/** What the reader should know before the figures: what is wrong with them, and the fall that stands. */
function notice(input: ScoreCardInput, readAt: Instant): Pick<ScoreCard, 'notice' | 'noticeStyle'> {
  const said = [wrong(input, readAt), input.fall].filter((one) => one !== '');
  return { notice: said.join(' '), noticeStyle: said.length === 0 ? 'emphasis' : 'warning' };
}

function wrong({ tenant: { health }, now, staleAfterMs }: ScoreCardInput, readAt: Instant): string {
  const inTrouble = health.state !== 'connected' && health.state !== 'waiting';
  // Tries that failed and may pass: the state waits for more of them, the reader of old figures does not.
  if (inTrouble || health.failing !== undefined) return plain(healthSentence(health, now), 400);
  return isStale(readAt, now, staleAfterMs) ? `This is old: last read ${ageText(readAt, now)}.` : '';
}

const colors: Record<ReturnType<typeof direction>, Color> = {
  up: 'Good',
  down: 'Attention',
  level: 'Default',
};

/** "Not seen: risky users (needs Entra ID P2)." from the sentences of `notRead`; escaped. */
export function unseen(missing: readonly string[], max: number): string {
  const said = missing.map((line) =>
    line.replace(
      /^(.*?): (.*?)(?: \(([^()]*)\))?$/,
      (_, what: string, why: string, permission?: string) =>
        `${what} (${why}${permission === undefined ? '' : `: ${permission}`})`,
    ),
  );
  return `Not seen: ${plain(said.join('; '), max)}.`;
}

/** The percentage moved, but nothing in the tenant did: nobody's fall or merit. */
export function onlyMaximumMoved(posture: Posture): boolean {
  const change = posture.sinceYesterday;
  return (
    change !== null &&
    posture.regressed === 0 &&
    posture.improved === 0 &&
    direction(change.maxPoints) !== 'level'
  );
}

/** A day that no line break tears apart. */
function whole(day: Day, now: Instant): string {
  return dayText(day, now).replaceAll(' ', '\u00a0');
}

/** The change against the day before: "▼ 3.1" above "%-points since 19 Nov, 2 controls regressed". */
function sinceYesterday(posture: Posture, now: Instant): Fact {
  const change = posture.sinceYesterday;
  if (change === null) {
    return { headline: 'no earlier day', color: 'Default', detail: 'change not known yet' };
  }
  // A date, not "yesterday": the newest day may itself be of yesterday, and days may be missing.
  const since = `since ${whole(change.from, now)}`;
  const way = direction(change.percent);
  return {
    headline: way === 'level' ? 'unchanged' : arrowed(change.percent),
    color: onlyMaximumMoved(posture) ? 'Default' : colors[way],
    detail: `${way === 'level' ? '' : `${percentPoints} `}${since}, ${moves(posture, change)}`,
  };
}

function moves(posture: Posture, change: ScoreChange): string {
  const { regressed, improved } = posture;
  const parts: string[] = [];
  if (regressed > 0) parts.push(`${counted(regressed, 'control')} regressed`);
  if (improved > 0)
    parts.push(regressed > 0 ? `${improved} improved` : `${counted(improved, 'control')} improved`);
  if ((posture.byUsers ?? 0) > 0) parts.push('licences or users changed');
  if (direction(change.maxPoints) !== 'level') {
    parts.push(`Microsoft moved the maximum by ${signed(change.maxPoints)}\u00a0points`);
  }
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
    headline: way === 'level' ? 'unchanged' : arrowed(change.percent),
    color: colors[way],
    detail: `${way === 'level' ? '' : `${percentPoints} `}in ${days}\u00a0days, ${from} ${whole(change.from, now)}`,
  };
}

function compared(posture: Posture): Fact {
  const found = comparisonOf(posture.comparisons, posture.percent);
  if (found === null)
    return { headline: 'not available', color: 'Default', detail: 'comparison with other tenants' };
  const way = direction(found.difference);
  const words = { up: 'above', down: 'below', level: 'level with' };
  return {
    headline: way === 'level' ? words.level : `${decimal(Math.abs(found.difference))} ${words[way]}`,
    color: 'Default',
    detail: `${found.label} (${decimal(found.percent)}\u2009%)`,
  };
}

function actionRow(
  action: Action,
  posture: Posture,
  now: Instant,
): { gain: string; title: string; detail: string } {
  const effort = action.effort === '' ? 'effort not known' : `${plain(action.effort, 30)} effort`;
  const before = posture.sinceYesterday?.from;
  const since = before === undefined ? '' : ` since ${whole(before, now)}`;
  return {
    gain: signed(action.gain),
    title: plain(action.title, 120),
    detail: action.regressed ? `${effort} · regressed${since}` : effort,
  };
}
