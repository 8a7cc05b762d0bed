import { useLayoutEffect, useRef, useState } from 'react';
import { daysBetween, type Instant } from '../shared/time.ts';
import { dayText, fullDay, percentText, pointsOf, signed } from '../shared/words.ts';
import {
  type ChartPoint,
  dayTicks,
  marksOf,
  pathOf,
  scaleOf,
  type TrendDay,
  type TrendMark,
} from './chart-scale.ts';

const edge = { top: 24, right: 16, bottom: 28, left: 48 };

/**
 * The score over time with a scale that fits the data, the days on which something happened, and the average of
 * others as a dashed line when it lies within the scale. One day at a time can be read with the arrow keys or the
 * pointer; screen readers meet a slider that says the day.
 */
export function TrendChart(props: {
  trend: readonly TrendDay[];
  average: { percent: number; label: string } | null;
  now: Instant;
}) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const [chosen, setChosen] = useState<number | null>(null);
  const known = props.trend.filter((one): one is TrendDay & { percent: number } => one.percent !== null);
  const first = known[0];
  const last = known.at(-1);
  if (first === undefined || last === undefined || known.length < 2) {
    return (
      <div className="chart empty" ref={box}>
        <p>There are too few days for a trend yet. Microsoft adds one a day.</p>
      </div>
    );
  }

  const scale = scaleOf(known.map(({ percent }) => percent));
  const days = Math.max(daysBetween(first.day, last.day), 1);
  const xOf = (day: string): number =>
    edge.left + (daysBetween(first.day, day) / days) * (width - edge.left - edge.right);
  const yOf = (percent: number): number =>
    edge.top + ((scale.high - percent) / (scale.high - scale.low)) * (height - edge.top - edge.bottom);
  const points: ChartPoint[] = known.map(({ day, percent }) => ({ day, x: xOf(day), y: yOf(percent) }));
  const index = Math.min(chosen ?? known.length - 1, known.length - 1);
  const at = known[index] ?? last;
  const atPoint = points[index];
  const marks = marksOf(known, Math.ceil((days * 150) / Math.max(width, 1)));
  const average = props.average !== null && within(props.average.percent, scale) ? props.average : null;
  // The average's words go to the end where the line is farther away, on the side where it is not.
  const away = (one: { percent: number }): number => one.percent - (average?.percent ?? 0);
  const noteAtEnd = Math.abs(away(last)) > Math.abs(away(first));
  const noteBelow = away(noteAtEnd ? last : first) > 0;

  const choose = (x: number): void => {
    let nearest = 0;
    points.forEach((point, i) => {
      if (Math.abs(point.x - x) < Math.abs((points[nearest]?.x ?? 0) - x)) nearest = i;
    });
    setChosen(nearest);
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const steps: Record<string, number> = {
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageDown: index - 7,
      PageUp: index + 7,
      Home: 0,
      End: known.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setChosen(Math.min(Math.max(to, 0), known.length - 1));
  };

  return (
    <div
      className="chart"
      ref={box}
      role="slider"
      tabIndex={0}
      aria-label="Trend of the score, day by day"
      aria-valuemin={0}
      aria-valuemax={known.length - 1}
      aria-valuenow={index}
      aria-valuetext={`${fullDay(at.day)}: ${percentText(at.percent)}, ${pointsOf(at.current, at.max)}`}
      onKeyDown={onKeyDown}
      onPointerMove={(event) => choose(event.clientX - event.currentTarget.getBoundingClientRect().left)}
      onPointerLeave={() => setChosen(null)}
      onBlur={() => setChosen(null)}
    >
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {scale.ticks.map((tick) => (
          <g key={tick}>
            <line className="grid" x1={edge.left} x2={width - edge.right} y1={yOf(tick)} y2={yOf(tick)} />
            <text className="tick" x={edge.left - 8} y={yOf(tick) + 4} textAnchor="end">
              {`${tick}\u2009%`}
            </text>
          </g>
        ))}
        {dayTicks(
          known.map(({ day }) => day),
          width < 420 ? 3 : 4,
        ).map((day, i, all) => (
          <text
            key={day}
            className="tick"
            x={xOf(day)}
            y={height - 8}
            textAnchor={i === 0 ? 'start' : i === all.length - 1 ? 'end' : 'middle'}
          >
            {dayText(day, props.now)}
          </text>
        ))}
        {average !== null && (
          <g>
            <line
              className="average"
              x1={edge.left}
              x2={width - edge.right}
              y1={yOf(average.percent)}
              y2={yOf(average.percent)}
            />
            <text
              className="note"
              x={noteAtEnd ? width - edge.right - 4 : edge.left + 4}
              y={yOf(average.percent) + (noteBelow ? 14 : -5)}
              textAnchor={noteAtEnd ? 'end' : 'start'}
            >
              {average.label} {percentText(average.percent)}
            </text>
          </g>
        )}
        <path className="line" d={pathOf(points)} />
        {chosen === null || atPoint === undefined ? (
          <circle className="end" cx={points.at(-1)?.x} cy={points.at(-1)?.y} r="4" />
        ) : (
          <g>
            <line className="cursor" x1={atPoint.x} x2={atPoint.x} y1={edge.top} y2={height - edge.bottom} />
            <circle className="end" cx={atPoint.x} cy={atPoint.y} r="4" />
          </g>
        )}
        {marks.map((mark) => (
          <MarkAt
            key={mark.day}
            mark={mark}
            point={points.find(({ day }) => day === mark.day)}
            fromAbove={comesFromAbove(points, mark.day)}
            width={width}
            height={height}
          />
        ))}
      </svg>
      {chosen !== null && atPoint !== undefined && (
        <p
          className="readout"
          aria-hidden="true"
          style={{ insetInlineStart: Math.min(Math.max(atPoint.x - 90, 0), Math.max(width - 180, 0)) }}
        >
          <b>{percentText(at.percent)}</b> {dayText(at.day, props.now)} · {pointsOf(at.current, at.max)}
        </p>
      )}
    </div>
  );
}

/** A day on which something happened, with its words above the line or, near the top, below it. */
function MarkAt(props: {
  mark: TrendMark;
  point: ChartPoint | undefined;
  fromAbove: boolean;
  width: number;
  height: number;
}) {
  const { mark, point, width, height } = props;
  if (point === undefined) return null;
  const nearRight = point.x > width - 120;
  const nearLeft = point.x < edge.left + 70;
  // Below where the line came down, above where it came up: there the line is not.
  const y = props.fromAbove ? Math.min(point.y + 18, height - edge.bottom - 4) : Math.max(point.y - 10, 12);
  return (
    <g className={`event ${mark.kind}`}>
      <circle cx={point.x} cy={point.y} r="4" />
      <text
        x={nearRight ? point.x - 8 : point.x}
        y={y}
        textAnchor={nearRight ? 'end' : nearLeft ? 'start' : 'middle'}
      >
        {mark.kind === 'maximum' ? `maximum ${signed(mark.points)}` : `${signed(mark.points)} points`}
      </text>
    </g>
  );
}

function comesFromAbove(points: readonly ChartPoint[], day: string): boolean {
  const index = points.findIndex((point) => point.day === day);
  return (points[index - 1]?.y ?? 0) < (points[index]?.y ?? 0);
}

function within(value: number, { low, high }: { low: number; high: number }): boolean {
  return value > low && value < high;
}

/** The box's own size, now and when it changes; style sheets alone decide it, so nothing jumps. */
function useSize(box: React.RefObject<HTMLDivElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 600, height: 220 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = (): void => setSize({ width: element.clientWidth, height: element.clientHeight });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return size;
}
