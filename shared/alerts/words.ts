import { percentOf } from '../score/score-change.ts';
import type { Instant } from '../time.ts';
import {
  counted,
  dayText,
  decimal,
  direction,
  listed,
  percentPoints,
  percentText,
  sentence,
  signed,
  total,
} from '../words.ts';
import { accountInWords } from './account.ts';
import type { DropFacts } from './drop-facts.ts';
import type { Severity, Transition } from './finding.ts';
import { thousandths } from './threshold.ts';

/**
 * What is said of a score drop. Names of tenants and titles of controls are foreign text: `foreign` makes them fit
 * for where they go (`plain` for Markdown, `clean` for anything else).
 */
export type Saying = { tenant: string; now: Instant; foreign: (text: string) => string };

type Drop = Pick<Transition<'scoreDrop'>, 'kind' | 'facts'>;

/** One sentence, enough for a toast: "Contoso fell 3.1 %-points (65.5 % → 62.4 %), 2 controls regressed." */
export function headline({ kind, facts }: Drop, saying: Saying): string {
  const name = saying.foreign(saying.tenant);
  switch (kind) {
    case 'opened':
      return sentence(`${name} ${fall(facts)}`);
    case 'reopened':
      return sentence(`${name} again ${fall(facts)}`);
    case 'worsened':
      return sentence(
        `${name} lost a further ${points(facts.further)}: now ${loss(facts)} since ${dayText(facts.since, saying.now)}${span(facts)}`,
      );
    case 'resolved':
      return recovered(name, facts);
  }
}

/** "fell 3.1 %-points (65.5 % → 62.4 %), 2 controls regressed": only when the shown figures say just that. */
function fall(facts: DropFacts): string {
  const { before, after } = shown(facts);
  const regressed = `${counted(facts.regressed.length, 'control')} regressed`;
  if (before !== null && after !== null && facts.percent !== null) {
    const agrees = Math.abs(before - after - facts.percent) < 0.05;
    if (agrees && direction(facts.percent) !== 'level') {
      return `fell ${share(facts.percent)} (${percent(before)} → ${percent(after)}), ${regressed}`;
    }
  }
  return `lost ${loss(facts)}, ${regressed}${span(facts)}`;
}

/**
 * What is over, and where the score stands. Lower than before for other reasons, it does not say "fell" beside "all is
 * back": those reasons are named instead.
 */
function recovered(name: string, facts: DropFacts): string {
  const { before, after } = shown(facts);
  const lower = before !== null && after !== null && direction(after - before) === 'down';
  if (facts.regressed.length > 0 || !lower) return sentence(`${name} ${recovery(facts)}${span(facts)}`);
  const said = sentence(
    `${name} ${recovery(facts)}. Its score is ${percent(after)}, from ${percent(before)}`,
  );
  return [said, ...notCounted(facts)].join(' ');
}

function recovery(facts: DropFacts): string {
  const { microsoft, tenant } = facts.notCounted;
  if (facts.regressed.length === 0) {
    return microsoft.retired + tenant.unlicensed === 0
      ? 'recovered: everything that was lost is back'
      : 'recovered: nothing is lost any more of what Microsoft still counts';
  }
  return `recovered: of what was lost, ${points(facts.points)} ${facts.points === 1 ? 'is' : 'are'} left`;
}

/** "16 points (3.1 %-points)" */
function loss(facts: Pick<DropFacts, 'points' | 'percent'>): string {
  const { percent: lost } = facts;
  const inPercent = lost === null || direction(lost) === 'level' ? '' : ` (${share(lost)})`;
  return `${points(facts.points)}${inPercent}`;
}

/** ". Its score fell from 65.5 % to 61.2 %: −3.1 by these controls, −1.2 by Microsoft": all that moved it. */
function span(facts: DropFacts): string {
  const { before, after } = shown(facts);
  if (after === null) return '';
  if (before === null || percent(before) === percent(after)) return `. Its score is ${percent(after)}`;
  const way = after < before ? 'fell' : 'rose';
  const account = accountInWords(facts);
  const why = account === '' ? '' : `: ${account}`;
  return `. Its score ${way} from ${percent(before)} to ${percent(after)}${why}`;
}

function shown(facts: DropFacts): { before: number | null; after: number | null } {
  return { before: percentOf(facts.before), after: percentOf(facts.after) };
}

// Lines break anywhere in a narrow card, but never between a number and its unit.
const unbroken = '\u00a0';

/** "16 points", "1 point" */
function points(value: number): string {
  return `${total(value)}${unbroken}${thousandths(value) === 1000 ? 'point' : 'points'}`;
}

/** "3.1 %-points" */
function share(value: number): string {
  return `${decimal(value)}${unbroken}${percentPoints}`;
}

/** "62.4 %", with a thin space that does not break. */
function percent(value: number): string {
  return percentText(value).replace('\u2009', '\u202f');
}

/** "−10.0 MFA for all administrators": at most `most` of them, and how many more. */
export function reasons(
  facts: DropFacts,
  saying: Saying,
  most: number,
): { lines: { points: string; title: string }[]; more: string } {
  const rest = facts.regressed.slice(most);
  const left = rest.reduce((sum, one) => sum + thousandths(one.points), 0) / 1000;
  return {
    lines: facts.regressed
      .slice(0, most)
      .map((one) => ({ points: signed(-one.points), title: saying.foreign(one.title) })),
    more: rest.length === 0 ? '' : `and ${counted(rest.length, 'more control')} with ${signed(-left)}`,
  };
}

/** "It had lost 16 points (3.1 %-points) since 19 Nov."; empty of a fall that stands, and of older ones that are over. */
export function hadLost({ was }: DropFacts, { now }: Saying): string {
  return was === undefined ? '' : `It had lost ${loss(was)} since ${dayText(was.since, now)}.`;
}

/** What moved the score and is nobody's fall, one sentence each; none when nothing did. */
export function notCounted(facts: Pick<DropFacts, 'notCounted'>): string[] {
  return movedBesides(facts.notCounted).map((what) => `${what}; that is not counted.`);
}

/** "Microsoft moved the maximum by +10", "Licences or users changed: −5 licensed users": each without an end. */
export function movedBesides({ microsoft, tenant }: DropFacts['notCounted']): string[] {
  const say: string[] = [];
  const theirs: string[] = [];
  if (microsoft.added > 0) theirs.push(`added ${counted(microsoft.added, 'control')}`);
  if (microsoft.retired > 0) theirs.push(`retired ${counted(microsoft.retired, 'control')}`);
  if (microsoft.rescaled > 0) theirs.push(`weighs ${counted(microsoft.rescaled, 'control')} differently`);
  if (direction(microsoft.maxMoved) !== 'level' && tenant.unlicensed === 0) {
    theirs.push(`moved the maximum by ${whole(microsoft.maxMoved)}`);
  }
  if (theirs.length > 0) say.push(`Microsoft ${listed(theirs)}`);

  const ours: string[] = [];
  if (tenant.unlicensed > 0) ours.push(`${counted(tenant.unlicensed, 'control')} no longer licensed`);
  if (tenant.unlicensed > 0 && direction(microsoft.maxMoved) !== 'level')
    ours.push(`the maximum by ${whole(microsoft.maxMoved)}`);
  if (tenant.licensedUsersMoved) ours.push(`${whole(tenant.licensedUsersMoved)} licensed users`);
  // Active users come and go every day: worth a word only where points moved with them.
  if (tenant.activeUsersMoved && direction(tenant.points) !== 'level')
    ours.push(`${whole(tenant.activeUsersMoved)} active users`);
  if (direction(tenant.points) !== 'level') ours.push(`${whole(tenant.points)}${unbroken}points by that`);
  if (ours.length > 0) say.push(`Licences or users changed: ${listed(ours)}`);
  return say;
}

/** "First: MFA for all administrators (10 points)."; empty when nothing of it can be worked on. */
export function firstStep({ first }: DropFacts, saying: Saying): string {
  return first === null ? '' : `First: ${saying.foreign(first.title)} (${points(first.points)}).`;
}

/** Everything in one text: toast, screen reader, clients without cards. */
export function summary(drop: Drop, saying: Saying): string {
  const { facts, kind } = drop;
  const { lines, more } = reasons(facts, saying, 3);
  const why = [...lines.map((one) => `${one.title} ${one.points}`), ...(more === '' ? [] : [more])];
  const parts = [headline(drop, saying)];
  if (kind !== 'resolved' && why.length > 0) parts.push(sentence(`Why: ${why.join(', ')}`));
  if (kind !== 'resolved') parts.push(...notCounted(facts), firstStep(facts, saying));
  return parts.filter((part) => part !== '').join(' ');
}

const severities: Record<Severity, string> = {
  low: 'Low',
  medium: 'Medium',
  high: 'High',
  critical: 'Critical',
};

export function severityLabel(severity: Severity): string {
  return severities[severity];
}

/** "+4", "−5", "+2.5": a decimal only when there is one. */
function whole(change: number): string {
  return signed(change).replace(/\.0$/, '');
}
