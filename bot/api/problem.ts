import type { Problem } from '../../shared/api.ts';
import type { ApiAnswer } from './route.ts';

const titles: Record<number, string> = {
  400: 'Bad request',
  401: 'Sign in again',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Changed meanwhile',
  429: 'Too many tries',
};

/** A refusal as RFC 9457 describes one; `detail` is a sentence for people, `id` stands in the log. */
export function problem(status: number, detail: string, id: string): ApiAnswer {
  const body: Problem = { title: titles[status] ?? 'Problem', status, detail, id };
  return { status, body };
}
