/** Where the words of a chart may stand: inside the plot, off the line, and not on each other. */

export type Box = { x: number; y: number; width: number; height: number };
type Point = { x: number; y: number };

/** Text of 11 px in any of the fonts a client may have: rather too wide than too narrow. */
const letter = 6.2;
const lineHeight = 14;
const air = 3;

/** The box of one line of text, at 0, 0. */
export function boxOf(text: string): Box {
  return { x: 0, y: 0, width: text.length * letter, height: lineHeight };
}

/** Places around a point, the nearest first: above and below it, straight, to either side, then farther away. */
export function placesAround(point: Point, size: Box): Box[] {
  const sides = [-size.width / 2, ...[8, 20, 34].flatMap((aside) => [aside, -size.width - aside])];
  const at = (side: number, down: number): Box => ({ ...size, x: point.x + side, y: point.y + down });
  const over = [6, 16, 28, 42, 58].flatMap((away) =>
    sides.flatMap((side) => [at(side, -away - size.height), at(side, away)]),
  );
  return [...over, ...sides.slice(1).map((side) => at(side, -size.height / 2))];
}

/** Places along a level line, its ends first, above and below. */
export function placesAlong(y: number, size: Box, frame: Box): Box[] {
  const room = frame.width - size.width;
  return [1, 0, 0.5, 0.25, 0.75].flatMap((share) =>
    [-size.height - 1, 1].map((down) => ({ ...size, x: frame.x + room * share, y: y + down })),
  );
}

/**
 * The first of `places`, pushed into `frame`, that touches neither the line through `points` (left to right) nor what
 * is `taken`; null when there is none: then the words are better left to the pointer than written over something.
 */
export function freePlace(
  places: readonly Box[],
  frame: Box,
  points: readonly Point[],
  taken: readonly Box[],
): Box | null {
  for (const place of places) {
    const x = Math.max(frame.x, Math.min(place.x, frame.x + frame.width - place.width));
    const y = Math.max(frame.y, Math.min(place.y, frame.y + frame.height - place.height));
    const box = { ...place, x, y };
    const fits = place.width <= frame.width && place.height <= frame.height;
    if (fits && !taken.some((other) => overlap(box, other)) && !crosses(points, box)) return box;
  }
  return null;
}

function overlap(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Does the line through the points come within a few pixels of the box? */
export function crosses(points: readonly Point[], box: Box): boolean {
  const left = box.x - air;
  const right = box.x + box.width + air;
  return points.some((to, index) => {
    const from = points[index - 1] ?? to;
    if (to.x < left || from.x > right) return false;
    const yAt = (x: number): number =>
      to.x === from.x ? to.y : from.y + ((x - from.x) / (to.x - from.x)) * (to.y - from.y);
    const a = yAt(Math.max(left, from.x));
    const b = to.x === from.x ? from.y : yAt(Math.min(right, to.x));
    return Math.max(a, b) > box.y - air && Math.min(a, b) < box.y + box.height + air;
  });
}
