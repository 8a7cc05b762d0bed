import type { Instant } from '../shared/time.ts';
import { dayText, decimal, fullDay, percentText, signed } from '../shared/words.ts';
import type { TrendDay } from './chart-scale.ts';

/** The chart in numbers, newest first, in the chart's own space. */
export function TrendTable({ trend, now }: { trend: readonly TrendDay[]; now: Instant }) {
  const rows = trend.map((one, index) => ({ ...one, before: trend[index - 1] })).reverse();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    <section className="chart trend-table" tabIndex={0} aria-label="Trend as a table">
      <table>
        <thead>
          <tr>
            <th>Day</th>
            <th className="number">Score</th>
            <th className="number">Change</th>
            <th className="number">Points</th>
            <th className="number">Of</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ day, percent, current, max, before }) => (
            <tr key={day}>
              <td title={fullDay(day)}>{dayText(day, now)}</td>
              <td className="number">{percentText(percent)}</td>
              <td className="number">
                {percent === null || before === undefined || before.percent === null
                  ? '–'
                  : signed(percent - before.percent)}
              </td>
              <td className="number">{decimal(current)}</td>
              <td className="number">{decimal(max)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
