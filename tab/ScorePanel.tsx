import { useState } from 'react';
import type { TenantPage } from '../shared/api.ts';
import type { ScoreChange } from '../shared/score/score.ts';
import { daysBetween, type Instant, plusDays } from '../shared/time.ts';
import { arrowed, dayText, direction, fullDay, percentText, signed } from '../shared/words.ts';
import { Chip, changeInWords } from './parts.tsx';
import { pointsOf } from './points.ts';
import { TrendChart } from './TrendChart.tsx';
import { TrendTable } from './TrendTable.tsx';

type Score = NonNullable<TenantPage['tenant']['score']>;
const ranges = [
  { days: 30, text: '30 d' },
  { days: 90, text: '90 d' },
  { days: 366, text: '1 y' },
];

/** One big number, its change, its yardstick, and how it came there. */
export function ScorePanel({ page, score, now }: { page: TenantPage; score: Score; now: Instant }) {
  const [days, setDays] = useState(90);
  const [asTable, setAsTable] = useState(false);
  const first = page.trend[0]?.day ?? score.day;
  const known = daysBetween(first, score.day) + 1;
  // A range that shows hardly more than the one before it is not offered.
  const offered = ranges.filter((_, index) => known > (ranges[index - 1]?.days ?? 0) + 7);
  const shown = offered.some((range) => range.days === days) ? days : (offered.at(-1)?.days ?? 30);
  // Of a tenant that cannot be read, or was not for long, the numbers stay and are no news.
  const old = page.tenant.stale || page.tenant.health.state !== 'connected';
  const trend = page.trend.filter(({ day }) => day > plusDays(score.day, -shown));

  return (
    <section className="card score-card" aria-label="Secure Score">
      <div className="numbers">
        <div>
          <p className="big">{percentText(score.percent)}</p>
          <p className="caption" title={fullDay(score.day)}>
            {pointsOf(score.current, score.max)} · {dayText(score.day, now)}
          </p>
        </div>
        <div className="changes">
          <ChangeLine
            change={score.sinceYesterday}
            since={score.sinceYesterday === null ? '' : `since ${dayText(score.sinceYesterday.from, now)}`}
            old={old}
            missing="No day before to compare with"
          />
          <ChangeLine
            change={score.over30Days}
            since="in 30 days"
            old={old}
            missing="No day 30 days ago to compare with"
          />
        </div>
        <Yardstick comparison={page.comparison} />
      </div>
      <div className="chart-head">
        <fieldset className="chips">
          <legend className="sr">How far back</legend>
          {offered.map((range) => (
            <Chip
              key={range.days}
              pressed={range.days === shown}
              onPress={() => setDays(range.days)}
              text={range.text}
            />
          ))}
        </fieldset>
        <button type="button" className="quiet" onClick={() => setAsTable(!asTable)}>
          {asTable ? 'as a chart' : 'as a table'}
        </button>
      </div>
      {asTable ? (
        <TrendTable trend={trend} now={now} />
      ) : (
        <TrendChart trend={trend} average={page.comparison} now={now} />
      )}
    </section>
  );
}

function ChangeLine(props: { change: ScoreChange | null; since: string; old: boolean; missing: string }) {
  if (props.change === null) return <p className="caption">{props.missing}</p>;
  const way = direction(props.change.percent);
  const tone = props.old ? 'muted' : { down: 'worse', up: 'better', level: 'level' }[way];
  return (
    <p title={changeInWords(props.change)}>
      <span aria-hidden="true">
        <b className={`change ${tone}`}>{way === 'level' ? '± 0.0' : arrowed(props.change.percent)}</b>{' '}
        <span className="caption">{props.since}</span>
      </span>
      <span className="sr">{changeInWords(props.change)}</span>
    </p>
  );
}

function Yardstick({ comparison }: { comparison: TenantPage['comparison'] }) {
  if (comparison === null) {
    return (
      <div className="changes">
        <p className="caption">Comparison not available: Microsoft sends none for this tenant.</p>
      </div>
    );
  }
  const way = direction(comparison.difference);
  const words = way === 'down' ? 'below' : way === 'up' ? 'above' : 'level with';
  return (
    <div className="changes">
      <p>
        <b className="change">{signed(comparison.difference)}</b>{' '}
        <span className="caption">
          {words} {comparison.label}
        </span>
      </p>
      <p className="caption">their average is {percentText(comparison.percent)}</p>
    </div>
  );
}
