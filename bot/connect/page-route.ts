import type { Services } from '../services.ts';

/** What a page outside of the tab gets: for browsers, without a token of ours. */
export type PageRequest = {
  method: 'GET' | 'HEAD' | 'POST';
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Id of this request, as the log has it. */
  id: string;
};
export type PageAnswer = { status: number; headers?: Readonly<Record<string, string>>; body: string };

/** A page; a GET is asked with HEAD, too, and must then do nothing. Of a POST only the address is looked at. */
export type PageRoute = {
  method: 'GET' | 'POST';
  path: string;
  handle(request: PageRequest, services: Services): Promise<PageAnswer>;
};
