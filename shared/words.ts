import { type Day, dayOf, type Instant, millis } from './time.ts';

/** How numbers, dates and ages read everywhere: one decimal, thin space before %, a real minus sign. */

const thinSpace = '\u2009';
const minus = '\u2212';

/** "62.4 %"; "–" when not known. */
export function percentText(percent: number | null): string {
  return percent === null ? '–' : `${decimal(percent)}${thinSpace}%`;
}

/** A number with one decimal and a real minus: "3.1", "−3.1", "0.0" (never "−0.0"). */
export function decimal(value: number): string {
  const rounded = Math.abs(Math.round(value * 10) / 10).toFixed(1);
  return value < 0 && rounded !== '0.0' ? `${minus}${rounded}` : rounded;
}

/** The same with its sign: "+8.0", "−3.1", "0.0". */
export function signed(value: number): string {
  const text = decimal(value);
  return text === '0.0' || text.startsWith(minus) ? text : `+${text}`;
}

/** Up, down or level **as shown**: a change that rounds to 0.0 is level. */
export function direction(value: number): 'up' | 'down' | 'level' {
  const text = decimal(value);
  if (text === '0.0') return 'level';
  return text.startsWith(minus) ? 'down' : 'up';
}

/** "▼ 3.1", "▲ 4.8", "0.0": the arrow says what the colour says. */
export function arrowed(value: number): string {
  const arrows = { up: '▲ ', down: '▼ ', level: '' };
  return `${arrows[direction(value)]}${decimal(Math.abs(value))}`;
}

/** The unit of a change of percent: "from 60 % to 57 %" are three of them; points are what Microsoft counts. */
export const percentPoints = '%-points';

/** "▼ 3.1 %-points", "unchanged": a change of percent with its unit. */
export function percentChange(value: number): string {
  return direction(value) === 'level' ? 'unchanged' : `${arrowed(value)} ${percentPoints}`;
}

/** A total of points: "318", "212.4". Totals carry a decimal only when they have one. */
export function total(points: number): string {
  const text = decimal(points);
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}

/** "318 of 510 points" */
export function pointsOf(current: number, max: number): string {
  return `${total(current)} of ${total(max)} points`;
}

/** "1 control", "2 controls" */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** "20 Nov"; with the year when it is not that of `now`. */
export function dayText(day: Day, now: Instant): string {
  const [year, month, date] = day.split('-');
  const short = `${Number(date)} ${months[Number(month) - 1] ?? '?'}`;
  return year === now.slice(0, 4) ? short : `${short} ${year}`;
}

/** Since when: "20 Nov", and of the very day the time too: "21 Nov, 10:14 UTC". */
export function momentText(at: Instant, now: Instant): string {
  const day = dayText(dayOf(at), now);
  return dayOf(at) === dayOf(now) ? `${day}, ${at.slice(11, 16)} UTC` : day;
}

/** "20 Nov 2026" */
export function fullDay(day: Day): string {
  const [year, month, date] = day.split('-');
  return `${Number(date)} ${months[Number(month) - 1] ?? '?'} ${year}`;
}

/** "just now", "14 min ago", "3 h ago", "2 d ago", then the day. A time in the future is "just now". */
export function ageText(at: Instant, now: Instant): string {
  const minutes = Math.floor((millis(now) - millis(at)) / 60_000);
  if (Number.isNaN(minutes)) return 'at an unknown time';
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  return days <= 30 ? `${days} d ago` : `on ${dayText(dayOf(at), now)}`;
}

/** "a, b and c"; past `most` names "a, b and 37 more". */
export function listed(names: readonly string[], most = names.length): string {
  const shown = names.slice(0, Math.max(most, 0));
  const more = names.length - shown.length;
  if (more > 0) return `${shown.join(', ')}${shown.length > 0 ? ' and ' : ''}${more} more`;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** The text as a sentence: first letter large, full stop at the end. Empty stays empty. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const large = trimmed[0]?.toLocaleUpperCase('en') + trimmed.slice(1);
  return /[.!?…]$/.test(large) ? large : `${large}.`;
}
