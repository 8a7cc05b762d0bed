import type { Problem } from '../../shared/api.ts';
import { type ErrorCode, WatchpostError } from '../errors.ts';

/** A refusal on its way to the client: the only kind of error text that leaves the server (F7). */
export class Refused extends Error {
  readonly status: number;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.name = 'Refused';
    this.status = status;
    this.detail = detail;
    this.headers = headers;
  }
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Sign-in needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Too slow',
  409: 'Changed meanwhile',
  413: 'Too large',
  414: 'Address too long',
  415: 'Unsupported content',
  429: 'Too many requests',
  500: 'Something went wrong',
  503: 'Not available',
};

const statuses: Partial<Record<ErrorCode, number>> = {
  'bad-input': 400,
  refused: 403,
  // Somebody else's tenant and one that does not exist look the same (R21).
  scope: 404,
  'not-found': 404,
  conflict: 409,
  throttled: 429,
  store: 503,
  audit: 503,
  stopped: 503,
};

/** RFC 9457, with the id that is in the log. */
export function problemOf(status: number, detail: string, id: string): Problem {
  return { title: titles[status] ?? 'Refused', status, detail, id };
}

/** What a failure is told as. Messages of libraries stay inside; ours are sentences for people and go out below 500. */
export function refusalOf(error: unknown): Refused {
  if (error instanceof Refused) return error;
  const status = error instanceof WatchpostError ? (statuses[error.code] ?? 500) : 500;
  if (status === 404) return new Refused(404, 'There is nothing here.');
  if (error instanceof WatchpostError && error.code === 'audit') return new Refused(503, error.message);
  if (status === 503)
    return new Refused(503, 'Watchpost cannot answer right now. Please try again in a moment.');
  if (status === 500 || !(error instanceof WatchpostError)) {
    return new Refused(
      500,
      'Something went wrong on our side. The id of this problem helps to find out why.',
    );
  }
  return new Refused(status, [error.message, error.hint].filter(Boolean).join(' '));
}
