import { describe, expect, test } from '@jest/globals';
import { type Box, boxOf, crosses, freePlace, placesAlong, placesAround } from '../../tab/chart-labels.ts';

const frame: Box = { x: 52, y: 4, width: 194, height: 180 };
const line = (...ys: number[]) => ys.map((y, i) => ({ x: 52 + (i * 194) / (ys.length - 1), y }));

describe('the words of the chart', () => {
  test.each([
    { what: 'a fall at the right edge', ys: [40, 42, 41, 40, 150], at: 4 },
    { what: 'a rise at the left edge', ys: [150, 40, 41, 42, 40], at: 1 },
    { what: 'a peak under the top', ys: [90, 80, 10, 80, 90], at: 2 },
    { what: 'a deep cut', ys: [20, 20, 170, 20, 20], at: 2 },
  ])('stand inside and off the line: $what', ({ ys, at }) => {
    const points = line(...ys);
    const point = points[at];
    if (point === undefined) throw new Error('no such point');
    const box = freePlace(placesAround(point, boxOf('−30.0 points')), frame, points, []);
    expect(box).not.toBeNull();
    if (box === null) return;
    expect(box.x).toBeGreaterThanOrEqual(frame.x);
    expect(box.x + box.width).toBeLessThanOrEqual(frame.x + frame.width);
    expect(box.y).toBeGreaterThanOrEqual(frame.y);
    expect(crosses(points, box)).toBe(false);
  });

  test('never stand on each other', () => {
    const points = line(100, 100, 100);
    const first = freePlace(placesAround({ x: 150, y: 100 }, boxOf('−30.0 points')), frame, points, []);
    if (first === null) throw new Error('there was room');
    const second = freePlace(placesAlong(first.y, boxOf('tenants of similar size'), frame), frame, points, [
      first,
    ]);
    expect(second).not.toBeNull();
    expect(second).not.toMatchObject({ x: first.x, y: first.y });
  });

  test('are left away where there is no room', () => {
    const zigzag = line(...Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 5 : 183)));
    expect(freePlace(placesAround({ x: 150, y: 90 }, boxOf('−30.0 points')), frame, zigzag, [])).toBeNull();
  });
});
