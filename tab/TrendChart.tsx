import { useLayoutEffect, useRef, useState } from 'react';
import { daysBetween, type Instant } from '../shared/time.ts';
import { dayText, fullDay, percentText, signed } from '../shared/words.ts';
import { type Box, boxOf, freePlace, placesAlong, placesAround } from './chart-labels.ts';
import {
  type ChartPoint,
  dayTicks,
  marksOf,
  pathOf,
  scaleOf,
  type TrendDay,
  type TrendMark,
} from './chart-scale.ts';
import { pointsOf } from './points.ts';

const edge = { top: 24, right: 16, bottom: 28, left: 52 };
const readoutWidth = 176;

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
  const marks = marksOf(known, Math.ceil((days * 90) / Math.max(width, 1)));
  const average = props.average !== null && within(props.average.percent, scale) ? props.average : null;
  const labels = labelsOf(marks, average, points, yOf, {
    x: edge.left,
    y: 2,
    width: width - edge.left - edge.right,
    height: height - edge.bottom - 2,
  });

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
              {percentText(tick)}
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
            <LabelAt label={labels.note} />
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
        {marks.map((mark, i) => (
          <MarkAt
            key={mark.day}
            kind={mark.kind}
            point={points.find(({ day }) => day === mark.day)}
            label={labels.marks[i]}
          />
        ))}
      </svg>
      {chosen !== null && atPoint !== undefined && (
        <p
          className="readout"
          aria-hidden="true"
          style={{
            insetInlineStart: Math.max(Math.min(atPoint.x - readoutWidth / 2, width - readoutWidth - 4), 4),
          }}
        >
          <b>{percentText(at.percent)}</b> · {dayText(at.day, props.now)}
          <br />
          {pointsOf(at.current, at.max)}
        </p>
      )}
    </div>
  );
}

type Label = { text: string; box: Box } | null;

/** Where the words go: the biggest event first, then the average; what finds no free place is left to the pointer. */
function labelsOf(
  marks: readonly TrendMark[],
  average: { percent: number; label: string } | null,
  points: readonly ChartPoint[],
  yOf: (percent: number) => number,
  frame: Box,
): { marks: Label[]; note: Label } {
  const taken: Box[] = points
    .filter(({ day }) => marks.some((mark) => mark.day === day))
    .map(({ x, y }) => ({ x: x - 5, y: y - 5, width: 10, height: 10 }));
  const dashed = average === null ? [] : [{ ...frame, y: yOf(average.percent) - 1, height: 2 }];
  const put = (text: string, places: (size: Box) => Box[], beside: Box[]): Label => {
    const box = freePlace(places(boxOf(text)), frame, points, [...taken, ...beside]);
    if (box === null) return null;
    taken.push(box);
    return { text, box };
  };
  const placed = marks.map((mark) => {
    const point = points.find(({ day }) => day === mark.day);
    const text = mark.kind === 'maximum' ? `maximum ${signed(mark.points)}` : `${signed(mark.points)} points`;
    return point === undefined ? null : put(text, (size) => placesAround(point, size), dashed);
  });
  const note =
    average === null
      ? null
      : put(
          `${average.label} ${percentText(average.percent)}`,
          (size) => placesAlong(yOf(average.percent), size, frame),
          [],
        );
  return { marks: placed, note };
}

function LabelAt({ label }: { label: Label | undefined }) {
  if (label === null || label === undefined) return null;
  const { box, text } = label;
  // In the middle of its box, which is rather too wide than too narrow.
  return (
    <text x={box.x + box.width / 2} y={box.y + box.height - 3} textAnchor="middle">
      {text}
    </text>
  );
}

/** A day on which something happened, with its words where the line is not. */
function MarkAt(props: { kind: TrendMark['kind']; point: ChartPoint | undefined; label: Label | undefined }) {
  if (props.point === undefined) return null;
  return (
    <g className={`event ${props.kind}`}>
      <circle cx={props.point.x} cy={props.point.y} r="4" />
      <LabelAt label={props.label} />
    </g>
  );
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
