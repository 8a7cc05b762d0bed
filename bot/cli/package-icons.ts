import type { PackageFiles } from './package-build.ts';
import { type Picture, readPng } from './package-png.ts';

/** What Teams asks of the two icons: sizes, a full square of colour, white lines on nothing. */
export function iconProblems(files: PackageFiles, names: { color: string; outline: string }): string[] {
  return [
    ...problemsOf(files, names.color, 192, colorProblem),
    ...problemsOf(files, names.outline, 32, outlineProblem),
  ];
}

function problemsOf(
  files: PackageFiles,
  name: string,
  size: number,
  look: (picture: Picture) => string | undefined,
): string[] {
  const bytes = files[name];
  if (bytes === undefined) return []; // said already: the package lacks it
  const picture = readPng(bytes);
  if (typeof picture === 'string') return [`${name} ${picture}.`];
  const { width, height } = picture;
  if (width !== size || height !== size)
    return [`${name} is ${width} x ${height} pixels; Teams wants ${size} x ${size}.`];
  const problem = look(picture);
  return problem === undefined ? [] : [`${name} ${problem}.`];
}

/** Teams rounds the corners itself: an icon with its own round ones shows a gap. */
function colorProblem({ pixels }: Picture): string | undefined {
  const opacities = new Set(opacity(pixels));
  if (opacities.size === 1 && opacities.has(0)) return 'is empty';
  return [...opacities].every((one) => one === 255)
    ? undefined
    : 'must fill its square: it has transparent pixels';
}

function outlineProblem({ pixels }: Picture): string | undefined {
  const opacities = opacity(pixels);
  if (!opacities.includes(0)) return 'must have a transparent background';
  if (!opacities.includes(255)) return 'is empty';
  for (let at = 0; at < pixels.length; at += 4) {
    const seen = (pixels[at + 3] ?? 0) > 0;
    if (seen && (pixels[at] !== 255 || pixels[at + 1] !== 255 || pixels[at + 2] !== 255))
      return 'must be white lines on a transparent background: it has another colour';
  }
  return undefined;
}

function opacity(pixels: Uint8Array): number[] {
  return Array.from({ length: pixels.length / 4 }, (_, at) => pixels[at * 4 + 3] ?? 0);
}
