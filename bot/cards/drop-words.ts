import { besidesInWords } from '../../shared/alerts/account.ts';
import type { DropFacts } from '../../shared/alerts/drop-facts.ts';
import type { Transition } from '../../shared/alerts/finding.ts';
import { thousandths } from '../../shared/alerts/threshold.ts';
import { headline, type Saying } from '../../shared/alerts/words.ts';
import { percentOf } from '../../shared/score/score-change.ts';
import {
  dayText,
  decimal,
  direction,
  percentPoints,
  percentText,
  sentence,
  total,
} from '../../shared/words.ts';

type Drop = Pick<Transition<'scoreDrop'>, 'kind' | 'facts'>;

/** Above the reasons: what happened, and how bad it is. */
export function bandOf(drop: Drop, saying: Saying): { title: string; detail: string } {
  const { kind, facts } = drop;
  const name = saying.foreign(saying.tenant);
  if (kind === 'resolved') {
    // The title has said the name and "recovered" already.
    const rest = headline(drop, { ...saying, tenant: '' }).replace(/^recovered: /i, '');
    return { title: `${name} recovered`, detail: unbroken(sentence(rest)) };
  }
  const again = { opened: '', reopened: ' again,', worsened: ' further,' }[kind];
  const before = percentOf(facts.before);
  const after = percentOf(facts.after);
  const fell = before !== null && after !== null && direction(after - before) === 'down';
  // Where others gained meanwhile the score itself did not fall: then points are said, never a wrong "fell".
  const title = fell
    ? `fell${again} to ${percentText(after)}`
    : {
        opened: `lost ${pointsOf(facts.points)}`,
        reopened: `lost ${pointsOf(facts.points)} again`,
        worsened: `lost a further ${pointsOf(facts.further)}`,
      }[kind];
  const lost =
    kind === 'worsened'
      ? `−${pointsOf(facts.further)} more, −${total(facts.points)} in all`
      : `−${pointsOf(facts.points)}`;
  // The two percentages tell of everything: what is not these controls' is said between them, so that it adds up.
  const besides = fell ? besidesInWords(facts) : '';
  const other = besides === '' ? '' : `, ${besides}`;
  const was = fell
    ? `${other}, was ${percentText(before)}`
    : after === null
      ? ''
      : `, score ${percentText(after)}`;
  const since = dayText(facts.since, saying.now).replaceAll(' ', '\u00a0');
  return {
    title: unbroken(`${name} ${title}`),
    detail: unbroken(`${lost}${share(facts)} since ${since}${was}`),
  };
}

/** No line break between a number and its percent sign. */
export function unbroken(text: string): string {
  return text.replaceAll('\u2009%', '\u202f%');
}

/** "from 10 to 3.5 points"; empty where more than the tenant's own doing moved the control. */
export function fromTo({ from, to, points }: DropFacts['regressed'][number]): string {
  return thousandths(from) - thousandths(to) === thousandths(points)
    ? `from ${total(from)} to ${pointsOf(to)}`
    : '';
}

export function pointsOf(value: number): string {
  return `${total(value)} ${thousandths(value) === 1000 ? 'point' : 'points'}`;
}

function share({ percent }: DropFacts): string {
  return percent === null || direction(percent) === 'level' ? '' : ` (${decimal(-percent)} ${percentPoints})`;
}
