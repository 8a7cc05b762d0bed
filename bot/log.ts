import { pino } from 'pino';
import type { TenantId } from '../shared/tenants/tenant.ts';

/** The only fields a log line may have (R55, R56): no token, no text, no display name, no body. */
export type LogFields = {
  tenant?: TenantId;
  code?: string;
  status?: number;
  ms?: number;
  route?: string;
  method?: string;
  command?: string;
  outcome?: string;
  kind?: string;
  requestId?: string;
  conversation?: string;
  activity?: string;
  person?: string;
  count?: number;
  port?: number;
  signal?: string;
  thread?: string;
  reason?: string;
  dataset?: string;
  fence?: number;
  problem?: string;
};

/** Constant words, varying fields. */
export type Log = {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
};

const allowed: ReadonlySet<string> = new Set<keyof LogFields>([
  'tenant',
  'code',
  'status',
  'ms',
  'route',
  'method',
  'command',
  'outcome',
  'kind',
  'requestId',
  'conversation',
  'activity',
  'person',
  'count',
  'port',
  'signal',
  'thread',
  'reason',
  'dataset',
  'fence',
  'problem',
]);

/** Lines of a busy moment are written together: a write for each costs as much as a look into the store. */
const atOnceBytes = 4096;
const latestMs = 100;

/**
 * A pino log of JSON lines that drops every field that is not on the list. Goes to standard error, or to `file`
 * (mode 0600) where the demo keeps its screen readable. Warnings and errors are written at once with all before them,
 * other lines within 100 ms and at the end of the thread: only a killed process can lose some.
 */
export function openLog(level: string, thread: string, file?: string): Log {
  const destination = pino.destination({
    dest: file ?? 2,
    sync: true,
    minLength: atOnceBytes,
    ...(file === undefined ? {} : { mode: 0o600 }),
  });
  const out = pino(
    {
      level,
      base: { thread },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const flush = (): void => {
    unwritten.delete(flush);
    destination.flushSync();
  };
  const later = (): void => {
    if (unwritten.has(flush)) return;
    unwritten.add(flush);
    setTimeout(flush, latestMs).unref();
  };
  const only = (fields: LogFields): LogFields => {
    const kept: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(fields)) {
      if (!allowed.has(name) || value === undefined) continue;
      kept[name] = typeof value === 'string' && value.length > 200 ? `${value.slice(0, 200)}…` : value;
    }
    return kept;
  };
  return {
    debug(fields, message) {
      if (out.isLevelEnabled('debug')) out.debug(only(fields), message);
      later();
    },
    info(fields, message) {
      out.info(only(fields), message);
      later();
    },
    warn(fields, message) {
      out.warn(only(fields), message);
      flush();
    },
    error(fields, message) {
      out.error(only(fields), message);
      flush();
    },
  };
}

/** Logs of this thread with lines that are not written yet. */
const unwritten = new Set<() => void>();
process.on('exit', () => {
  for (const flush of [...unwritten]) flush();
});

/** A log that writes nothing, for tests of pure handlers. */
export function silentLog(): Log {
  const nothing = (): void => undefined;
  return { debug: nothing, info: nothing, warn: nothing, error: nothing };
}
