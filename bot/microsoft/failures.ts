import { type ErrorCode, WatchpostError } from '../errors.ts';
import type { OutboundError } from '../outbound.ts';
import type { Failure } from '../services.ts';

const codes: Record<Failure['kind'], ErrorCode> = {
  authentication: 'authentication-error',
  permission: 'permission-error',
  licence: 'licence-missing',
  throttled: 'throttled',
  service: 'service-error',
  'not-found': 'not-found',
  bug: 'bad-request',
};

/** Inside `bot/microsoft/` a failed call is thrown; at the port it becomes `{ kind: 'failed', failure }`. */
export class MicrosoftError extends WatchpostError {
  readonly failure: Failure;
  /** The same request may do better in a moment. Not the same as transient: a conflict passes, but not by repeating. */
  readonly again: boolean;

  constructor(failure: Failure, again = false) {
    super(codes[failure.kind], failure.cause, { hint: failure.remedy });
    this.name = 'MicrosoftError';
    this.failure = failure;
    this.again = again;
  }
}

/** A failure that is Microsoft's and will pass: no answer, or one that makes no sense. */
export function nonsense(cause: string, code?: string): Failure {
  const failure: Failure = { kind: 'service', cause, remedy: '', transient: true };
  if (code !== undefined) failure.code = code;
  return failure;
}

/** The failure of a call that Microsoft wants later. */
export function throttled(retryAfterMs?: number): Failure {
  const failure: Failure = {
    kind: 'throttled',
    cause: 'Microsoft asks us to wait.',
    remedy: '',
    transient: true,
  };
  if (retryAfterMs !== undefined) failure.retryAfterMs = retryAfterMs;
  return failure;
}

/** The error of a call that got no usable answer at all. */
export function silence(error: OutboundError): MicrosoftError {
  const again = error.code === 'service-error' && error.reason !== 'TOO_BIG';
  return new MicrosoftError(nonsense(error.message, error.reason), again);
}

/** The answer's JSON or undefined: for small bodies, where anything may come. */
export function looseJson(body: Buffer): unknown {
  // A body of more than 1 MiB is not one we want to understand.
  if (body.length > 1024 * 1024) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
