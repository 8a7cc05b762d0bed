import type { TenantRow } from '../shared/api.ts';
import { daysBetween } from '../shared/time.ts';
import { percentText } from '../shared/words.ts';
import { pathOf } from './chart-scale.ts';

const width = 96;
const height = 28;
const pad = 3;
/** Less than this many percentage points is not blown up to full height: noise shall look like noise. */
const smallestRange = 2;

type Spark = NonNullable<TenantRow['score']>['spark'];

/** The last 30 days as a line; what it shows is said in words too. */
export function Sparkline({ spark, faded }: { spark: Spark; faded: boolean }) {
  const known = spark.filter((one): one is { day: string; percent: number } => one.percent !== null);
  const first = known[0];
  const last = known.at(-1);
  if (first === undefined || last === undefined || known.length < 2) {
    return <span className="muted small">too few days</span>;
  }
  const values = known.map(({ percent }) => percent);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const range = Math.max(high - low, smallestRange);
  const bottom = low - (range - (high - low)) / 2;
  const days = Math.max(daysBetween(first.day, last.day), 1);
  const points = known.map(({ day, percent }) => ({
    day,
    x: pad + (daysBetween(first.day, day) / days) * (width - 2 * pad),
    y: height - pad - ((percent - bottom) / range) * (height - 2 * pad),
  }));
  const end = points.at(-1);
  const words = `From ${percentText(first.percent)} to ${percentText(last.percent)}, lowest ${percentText(low)}, highest ${percentText(high)}`;
  return (
    <svg
      className={faded ? 'spark faded' : 'spark'}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      <path d={pathOf(points)} />
      {end !== undefined && <circle cx={end.x} cy={end.y} r="2.5" />}
    </svg>
  );
}
