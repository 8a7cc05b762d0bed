import type { Caller } from '../../shared/access.ts';
import type { Services } from '../services.ts';

/** What a handler of the tab's API gets: parsed, bounded, without the token. */
export type ApiRequest = {
  method: 'GET' | 'POST';
  /** The parts of the path that the pattern names. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  /** JSON body of a POST, at most 256 KiB and 32 levels deep; unknown until a schema has seen it. */
  body: unknown;
  /** Id of this request: in the log and in every problem. */
  id: string;
  signal: AbortSignal;
};

export type ApiAnswer = { status: number; body: unknown };

/** One route. `auth: 'tab'` handlers run only with a verified person; `'none'` ones get nobody and give nothing away. */
export type ApiRoute =
  | {
      method: 'GET' | 'POST';
      path: string;
      auth: 'none';
      handle(request: ApiRequest, services: Services): Promise<ApiAnswer>;
    }
  | {
      method: 'GET' | 'POST';
      path: string;
      auth: 'tab';
      /** A POST that changes nothing: what it asks for is too long for an address. */
      reads?: true;
      handle(request: ApiRequest, who: Caller, services: Services): Promise<ApiAnswer>;
    };
