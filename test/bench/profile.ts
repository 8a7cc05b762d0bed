import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';

/** V8's sampled profile, as `--cpu-prof` writes it: only what is added up here. */
const profileSchema = v.object({
  nodes: v.array(
    v.object({
      id: v.number(),
      callFrame: v.object({ functionName: v.string(), url: v.string(), lineNumber: v.number() }),
      children: v.optional(v.array(v.number()), []),
    }),
  ),
  samples: v.array(v.number()),
  timeDeltas: v.array(v.number()),
});
type Profile = v.InferOutput<typeof profileSchema>;

/** Node's options that make a process, and its threads, write a profile into `folder` when it ends. */
export function profileOptions(folder: string, who: string): string[] {
  return ['--cpu-prof', `--cpu-prof-dir=${join(folder, who)}`];
}

/** For every thread that did work: where its time went, by package or file of ours, then by function. */
export function profileSummary(folder: string): string[] {
  if (!existsSync(folder)) return ['No profiles were written.'];
  return readdirSync(folder).flatMap((who) =>
    readdirSync(join(folder, who))
      .filter((file) => file.endsWith('.cpuprofile'))
      .flatMap((file) => {
        const raw: unknown = JSON.parse(readFileSync(join(folder, who, file), 'utf8'));
        return summary(`${who} ${file}`, v.parse(profileSchema, raw));
      }),
  );
}

function summary(title: string, profile: Profile): string[] {
  const self = new Map<number, number>();
  profile.samples.forEach((id, at) => {
    self.set(id, (self.get(id) ?? 0) + (profile.timeDeltas[at] ?? 0));
  });
  const places = new Map<string, number>();
  const functions = new Map<string, number>();
  let busy = 0;
  for (const { id, callFrame } of profile.nodes) {
    const spent = self.get(id) ?? 0;
    if (spent === 0 || callFrame.functionName === '(idle)') continue;
    busy += spent;
    const place = placeOf(callFrame.url) || callFrame.functionName;
    places.set(place, (places.get(place) ?? 0) + spent);
    const line = callFrame.url === '' ? '' : ` ${shortOf(callFrame.url)}:${callFrame.lineNumber + 1}`;
    const name = `${callFrame.functionName || '(anonymous)'}${line}`;
    functions.set(name, (functions.get(name) ?? 0) + spent);
  }
  const most = (all: Map<string, number>, count: number): string[] =>
    [...all]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, spent]) => `  ${((spent / busy) * 100).toFixed(1).padStart(5)} %  ${name}`);
  return [
    '',
    `${title}: busy for ${(busy / 1_000_000).toFixed(1)} s`,
    ...most(places, 30),
    ' by function',
    ...most(functions, 40),
  ];
}

/** The package, or the file of ours, that code belongs to. */
function placeOf(url: string): string {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  return inPackage ?? shortOf(url);
}

function shortOf(url: string): string {
  return url.replace(/^.*\/node_modules\//, '').replace(/^file:.*\/(?=(?:bot|shared|test)\/)/, '');
}
