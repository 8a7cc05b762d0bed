import type { Answer, Call } from './http.ts';

/** Something that goes wrong at Microsoft, on order. */
export type Fault = {
  id: string;
  /** Beginning of a path, without `/v1.0` and without the tenant in front of Entra's. */
  path: string;
  method?: string;
  /** Id of the only tenant it is for. */
  tenant?: string;
  status?: number;
  code?: string;
  message?: string;
  /** Seconds, or an HTTP date. */
  retryAfter?: number | string;
  delayMs?: number;
  truncate?: boolean;
  /** The body is a page, as proxies answer. */
  html?: boolean;
  /** The connection is cut instead of an answer. */
  reset?: boolean;
  /** Connector: take the post first, then fail. */
  accept?: boolean;
  /** How often still; absent = until deleted. */
  times?: number;
};

/** The first fault that is meant by this call, counted down; null when none is. */
export function takeFault(faults: Fault[], call: Call, tenant: string | undefined): Fault | null {
  const paths = [call.path, call.path.replace(/^\/v1\.0/, ''), call.path.replace(/^\/[^/]+/, '')];
  const connector = call.path.indexOf('/v3/');
  if (connector > 0) paths.push(call.path.slice(connector));
  const at = faults.findIndex(
    (fault) =>
      (fault.tenant === undefined || fault.tenant === tenant) &&
      (fault.method === undefined || fault.method.toUpperCase() === call.method) &&
      paths.some((path) => path.startsWith(fault.path)),
  );
  const fault = faults[at];
  if (fault === undefined) return null;
  if (fault.times !== undefined) {
    fault.times -= 1;
    if (fault.times <= 0) faults.splice(at, 1);
  }
  return fault;
}

/** True when the fault replaces the answer; otherwise it only slows it down or cuts it. */
export function replaces(fault: Fault): boolean {
  return fault.status !== undefined || fault.html === true || fault.reset === true;
}

/** The answer of a fault that replaces; `body` makes the error in the words of the service. */
export function faultAnswer(fault: Fault, body: (code: string, message: string) => unknown): Answer {
  const status = fault.status ?? (fault.html ? 502 : 500);
  const headers: Record<string, string> = {};
  if (fault.retryAfter !== undefined) headers['retry-after'] = String(fault.retryAfter);
  const wrong = {
    ...(fault.delayMs === undefined ? {} : { delayMs: fault.delayMs }),
    truncate: fault.truncate ?? false,
    reset: fault.reset ?? false,
  };
  if (fault.html) {
    const page = `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>Our services aren't available right now</h1></body></html>`;
    return { status, headers: { ...headers, 'content-type': 'text/html' }, body: page, ...wrong };
  }
  const code = fault.code ?? codes[status] ?? 'UnknownError';
  return {
    status,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body(code, fault.message ?? messages[status] ?? 'An error has occurred.')),
    ...wrong,
  };
}

/** What a fault without `status` does to the true answer. */
export function disturbed(answer: Answer, fault: Fault): Answer {
  return {
    ...answer,
    ...(fault.delayMs === undefined ? {} : { delayMs: fault.delayMs }),
    ...(fault.truncate === undefined ? {} : { truncate: fault.truncate }),
  };
}

const codes: Record<number, string> = {
  400: 'BadRequest',
  401: 'InvalidAuthenticationToken',
  403: 'Forbidden',
  404: 'ResourceNotFound',
  413: 'MessageSizeTooBig',
  429: 'TooManyRequests',
  500: 'InternalServerError',
  502: 'BadGateway',
  503: 'serviceNotAvailable',
  504: 'GatewayTimeout',
};
const messages: Record<number, string> = {
  403: 'Auth token does not contain valid permissions or user does not have valid roles.',
  429: 'Too many requests.',
  503: 'The service is temporarily unavailable. Please try again.',
};
