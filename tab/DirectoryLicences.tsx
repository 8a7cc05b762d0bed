import type { LicenceLine, LicenceTerms } from '../shared/directory/directory.ts';
import type { DirectoryPage } from '../shared/directory/page.ts';
import { dayOf, daysBetween } from '../shared/time.ts';
import { counted, fullDay } from '../shared/words.ts';
import { Head, NotKnown } from './DirectoryParts.tsx';
import { Bar } from './parts.tsx';

/** Sooner than this is worth a warning. */
const soonDays = 30;

/** Owned, used, unused, running out; free products in masses last and without a word about waste. */
export function Licences({ page: { licences, terms, now } }: { page: DirectoryPage }) {
  return (
    <section className="card">
      <Head title="Licences" fact={licences} now={now} />
      {licences.known ? (
        <ul className="licences">
          {licences.value.lines.map((line) => (
            <Line
              key={line.partNumber}
              line={line}
              ends={terms.known ? terms.value.ends.filter((one) => one.partNumber === line.partNumber) : []}
              today={dayOf(now)}
            />
          ))}
          {licences.value.count > licences.value.lines.length && (
            <li className="caption">and {licences.value.count - licences.value.lines.length} more</li>
          )}
          {licences.value.count === 0 && <li className="caption">No licence at all.</li>}
        </ul>
      ) : (
        <NotKnown why={licences.why} />
      )}
      {!terms.known && <NotKnown what="When they end" why={terms.why} />}
    </section>
  );
}

function Line({ line, ends, today }: { line: LicenceLine; ends: LicenceTerms['ends']; today: string }) {
  const unused = Math.max(0, line.owned - line.used);
  const over = line.used - line.owned;
  const [first] = ends;
  const soon = first !== undefined && daysBetween(today, first.on) <= soonDays;
  const facts = line.free
    ? [`${line.used} used of a free product`]
    : [
        `${line.owned} owned`,
        `${line.used} used`,
        over > 0 ? `${over} more than owned` : `${unused} unused`,
        ...(line.warning > 0 ? [`${line.warning} running out`] : []),
        ...(line.suspended > 0 ? [`${line.suspended} ended`] : []),
      ];
  return (
    <li>
      <span>{line.name}</span>
      {!line.free && <Bar value={line.used} max={line.owned} />}
      <span className="caption">{facts.join(' · ')}</span>
      {first !== undefined && (
        <span className={soon ? 'caption soon' : 'caption'}>
          {first.isTrial ? 'trial ends' : 'ends unless renewed'} {fullDay(first.on)}
          {soon && `, in ${counted(Math.max(0, daysBetween(today, first.on)), 'day')}`}
          {ends.length > 1 && `; ${counted(ends.length - 1, 'subscription')} later`}
        </span>
      )}
    </li>
  );
}
