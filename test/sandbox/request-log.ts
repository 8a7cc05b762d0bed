/** One request to one of Microsoft's hosts. Never a secret, a token or a body. */
export type LoggedRequest = {
  seq: number;
  at: string;
  host: string;
  method: string;
  /** With its query. */
  path: string;
  tenant: string | null;
  status: number;
  ms: number;
  clientRequestId: string | null;
};

export type RequestLog = {
  add(request: Omit<LoggedRequest, 'seq'>): void;
  list(query: URLSearchParams): LoggedRequest[];
};

const kept = 10_000;

/** The last requests, in memory. */
export function requestLog(): RequestLog {
  const all: LoggedRequest[] = [];
  let seq = 0;
  return {
    add(request) {
      seq += 1;
      all.push({ seq, ...request });
      if (all.length > kept + 1_000) all.splice(0, all.length - kept);
    },
    list(query) {
      const after = Number(query.get('after') ?? 0);
      const limit = Number(query.get('limit') ?? kept);
      const found = all.filter((one) => one.seq > after);
      return query.has('after') ? found.slice(0, limit) : found.slice(-limit);
    },
  };
}
