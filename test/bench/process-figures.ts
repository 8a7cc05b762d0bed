import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** CPU time that all threads of a process have used, user and system, in ms; null where /proc does not tell. */
export function cpuMs(pid: number): number | null {
  return cpuMsIn(`/proc/${pid}/stat`);
}

/** The same of its first thread alone. */
export function mainThreadCpuMs(pid: number): number | null {
  return cpuMsIn(`/proc/${pid}/task/${pid}/stat`);
}

function cpuMsIn(file: string): number | null {
  const text = read(file);
  if (text === null) return null;
  // The name in brackets may hold blanks; what follows it does not. Fields 14 and 15 of proc(5), 12 and 13 from here.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? (ticks * 1000) / ticksPerSecond : null;
}

/** Memory a process holds now, in MiB; null where /proc does not tell. */
export function rssMb(pid: number): number | null {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

/** The most memory a process has held since it started, in MiB; null where /proc does not tell. */
export function peakRssMb(pid: number): number | null {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

/**
 * How long this machine takes now for a fixed piece of arithmetic, in ms: a shared machine loses its cores to others
 * without saying so, and then every figure of that moment is too bad.
 */
export function canaryMs(): number {
  const startedAt = performance.now();
  let mixed = 1;
  for (let at = 0; at < 20_000_000; at += 1) mixed = Math.imul(mixed ^ at, 0x9e3779b1);
  // The result is used, or the loop would be left out.
  return mixed === 0 ? 0 : performance.now() - startedAt;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // another system, or the process has ended
  }
}
