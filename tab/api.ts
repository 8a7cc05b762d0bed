import type {
  CertificateAnswer,
  CertificateBody,
  ConnectAnswer,
  ConnectBody,
  CredentialsBody,
  Me,
  NewCertificateBody,
  Problem,
  RemoveAnswer,
  RemoveBody,
  SyncAnswer,
  TabConfig,
  TenantFilter,
  TenantList,
  TenantPage,
} from '../shared/api.ts';
import { clockTrouble } from './clock.ts';

/** Why a call did not bring what was asked for; `message` is a sentence for the page. */
export class ApiError extends Error {
  readonly kind:
    | 'signed-out'
    /** The person, or an administrator, has to agree first. */
    | 'consent'
    | 'clock'
    | 'refused'
    | 'not-found'
    /** What was sent is not right; the message says what. */
    | 'wrong'
    | 'busy'
    | 'unreachable'
    | 'broken';
  /** The id our log knows this failure by. */
  readonly id: string | undefined;

  constructor(kind: ApiError['kind'], message: string, id?: string) {
    super(message);
    this.name = 'ApiError';
    this.kind = kind;
    this.id = id;
  }
}

/** The calls of the page, each with the person's token. */
export type Api = {
  me(signal?: AbortSignal): Promise<Me>;
  tenants(query: TenantQuery, signal?: AbortSignal): Promise<TenantList>;
  tenant(id: string, signal?: AbortSignal): Promise<TenantPage>;
  /** Without `save` it is a test that keeps nothing. */
  connect(form: ConnectBody, save: boolean): Promise<ConnectAnswer>;
  credentials(id: string, form: CredentialsBody, save: boolean): Promise<ConnectAnswer>;
  /** Of a tenant that is not connected yet. */
  newCertificate(form: NewCertificateBody): Promise<CertificateAnswer>;
  certificate(id: string, form: CertificateBody): Promise<CertificateAnswer>;
  /** Saves what waits as soon as Entra takes it; `fresh` when the tenant is not connected yet. */
  tryCertificate(id: string, fresh: { name: string } | null): Promise<ConnectAnswer>;
  dropCertificate(id: string): Promise<{ dropped: boolean }>;
  sync(id: string): Promise<SyncAnswer>;
  /** Waits a moment for the end. */
  syncState(id: string, sync: string, signal?: AbortSignal): Promise<SyncAnswer>;
  remove(id: string, body: RemoveBody): Promise<RemoveAnswer>;
  /** Below `/api/tab/`, for pages that are loaded later: they know what they ask for. */
  get<T>(path: string, signal?: AbortSignal): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
};
export type TenantQuery = {
  show: TenantFilter;
  q: string;
  state?: string | undefined;
  tag?: string | undefined;
  after?: string;
};

/** Longer than the server allows itself for an answer. */
const patienceMs = 28_000;

/** `token` is asked before every call and keeps what it knows; `fresh` wants a new one after a refusal. */
export function openApi(token: (fresh: boolean) => Promise<string>): Api {
  async function ask<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    let answer = await call(path, await token(false), signal, body);
    if (answer.status === 401) {
      // Tokens end while a page stays open: one new one, then it is the person's turn.
      const fresh = await token(true);
      answer = await call(path, fresh, signal, body);
      const clock =
        answer.status === 401
          ? clockTrouble(fresh, Date.parse(answer.headers.get('date') ?? ''), Date.now())
          : null;
      if (clock !== null) throw new ApiError('clock', clock);
    }
    return await bodyOf<T>(answer);
  }
  const get = <T>(path: string, signal?: AbortSignal): Promise<T> => ask<T>(path, undefined, signal);
  const post = <T>(path: string, body: unknown): Promise<T> => ask<T>(path, body);
  const tenantPath = (id: string, rest = ''): string => `/api/tab/tenants/${encodeURIComponent(id)}${rest}`;
  return {
    me: (signal) => get('/api/tab/me', signal),
    tenants: ({ show, q, state, tag, after }, signal) => {
      const query = new URLSearchParams();
      if (show !== 'all') query.set('show', show);
      if (q !== '') query.set('q', q);
      if (state !== undefined) query.set('state', state);
      if (tag !== undefined) query.set('tag', tag);
      if (after !== undefined) query.set('after', after);
      return get(`/api/tab/tenants${query.size === 0 ? '' : `?${query}`}`, signal);
    },
    tenant: (id, signal) => get(tenantPath(id), signal),
    connect: (form, save) => post(`/api/tab/connect${save ? '' : '/test'}`, form),
    credentials: (id, form, save) => post(tenantPath(id, `/credentials${save ? '' : '/test'}`), form),
    newCertificate: (form) => post('/api/tab/connect/certificate', form),
    certificate: (id, form) => post(tenantPath(id, '/certificate'), form),
    tryCertificate: (id, fresh) =>
      fresh === null
        ? post(tenantPath(id, '/certificate/test'), {})
        : post('/api/tab/connect/certificate/test', { tenant: id, name: fresh.name }),
    dropCertificate: (id) => post(tenantPath(id, '/certificate/drop'), {}),
    sync: (id) => post(tenantPath(id, '/sync'), {}),
    syncState: (id, sync, signal) => get(tenantPath(id, `/sync/${encodeURIComponent(sync)}`), signal),
    remove: (id, body) => post(tenantPath(id, '/remove'), body),
    get: (path, signal) => get(`/api/tab/${path}`, signal),
    post: (path, body) => post(`/api/tab/${path}`, body),
  };
}

/** How this page gets its token outside Teams; needs none itself. */
export async function tabConfig(): Promise<TabConfig> {
  return await bodyOf<TabConfig>(await call('/api/tab/config', undefined, undefined));
}

/** Exchanges the code of a sign-in page for an access token (code + PKCE, no secret). Demo only. */
export async function exchangeCode(tokenUrl: string, form: Record<string, string>): Promise<string> {
  const answer = await reach(tokenUrl, { method: 'POST', body: new URLSearchParams(form) }, undefined);
  const body: unknown = answer.ok ? await answer.json() : undefined;
  if (typeof body === 'object' && body !== null && 'access_token' in body) {
    if (typeof body.access_token === 'string') return body.access_token;
  }
  throw new ApiError('signed-out', 'The sign-in page did not accept this sign-in. Try again.');
}

/** A GET without a body, a POST of JSON with one. */
async function call(
  path: string,
  token: string | undefined,
  signal: AbortSignal | undefined,
  body?: unknown,
): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (token !== undefined) headers.Authorization = `Bearer ${token}`;
  if (body === undefined) return await reach(path, { headers }, signal);
  headers['Content-Type'] = 'application/json';
  return await reach(path, { method: 'POST', headers, body: JSON.stringify(body) }, signal);
}

async function reach(url: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
  const late = AbortSignal.timeout(patienceMs);
  try {
    return await fetch(url, {
      ...init,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiError(
      'unreachable',
      late.aborted
        ? 'Watchpost did not answer in time.'
        : 'Watchpost could not be reached. Check your connection.',
    );
  }
}

const kinds: Record<number, ApiError['kind']> = {
  400: 'wrong',
  401: 'signed-out',
  403: 'refused',
  404: 'not-found',
  409: 'wrong',
  429: 'busy',
  503: 'busy',
};

async function bodyOf<T>(answer: Response): Promise<T> {
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  if (answer.ok && isJson) return (await answer.json()) as T;
  const problem = isJson ? ((await answer.json()) as Partial<Problem>) : {};
  throw new ApiError(
    kinds[answer.status] ?? 'broken',
    problem.detail ?? 'Watchpost could not answer this. It has been noted.',
    problem.id,
  );
}
