import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { botKeys } from './bot-keys.ts';
import {
  type Cloud,
  cloudOfLogin,
  globalCloud,
  isBotLoginHost,
  isConnectorHost,
  isGraphHost,
} from './clouds.ts';
import type { Connector } from './connector.ts';
import type { Control } from './control.ts';
import type { Desk } from './desk.ts';
import type { Entra } from './entra.ts';
import type { Authorize } from './entra-authorize.ts';
import type { Consent } from './entra-consent.ts';
import { aadsts, aadstsOfFault } from './entra-errors.ts';
import { disturbed, faultAnswer, replaces, takeFault } from './faults.ts';
import type { Graph } from './graph.ts';
import { type Answer, type Call, json, readCall, writeAnswer } from './http.ts';
import type { Relay } from './relay.ts';
import type { RequestLog } from './request-log.ts';
import { findTenant, type Keeper } from './state.ts';

export type Rooms = {
  keeper: Keeper;
  entra: Entra;
  authorize: Authorize;
  consent: Consent;
  graph: Graph;
  connector: Connector;
  control: Control;
  relay: Relay;
  desk: Desk;
  requests: RequestLog;
};

type Found = { answer: Answer; tenant: string | undefined; logged: boolean; end?: () => void };

/** One server for all of Microsoft's hosts, told apart by `host`, and for the sandbox's own routes on loopback. */
export function openServer(rooms: Rooms): Server {
  const server = createServer((request, response) => {
    serve(rooms, request, response).catch((error: unknown) => {
      // A caller that went away is its own business; everything else is a defect of the sandbox and must be seen.
      if (!request.destroyed) console.error('sandbox:', error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  // A client keeps connections while it syncs; a short keep-alive here would cut them under its feet.
  server.keepAliveTimeout = 65_000;
  return server;
}

async function serve(rooms: Rooms, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const started = performance.now();
  const call = await readCall(request, new Date());
  if (call === null) {
    await writeAnswer(null, response, json(413, { error: 'At most 1 MB.' }));
    return;
  }
  const found = await route(rooms, call);
  try {
    await writeAnswer(call, response, found.answer);
  } finally {
    found.end?.();
  }
  if (!found.logged) return;
  rooms.requests.add({
    at: call.at.toISOString(),
    host: call.host,
    method: call.method,
    path: call.asked,
    tenant: found.tenant ?? null,
    status: found.answer.reset ? 0 : found.answer.status,
    ms: Math.round(performance.now() - started),
    clientRequestId: String(call.headers['client-request-id'] ?? '') || null,
  });
}

async function route(rooms: Rooms, call: Call): Promise<Found> {
  if (isGraphHost(call.host)) {
    let end: (() => void) | undefined;
    const found = rooms.graph.answer(call, (ended) => {
      end = ended;
    });
    return { ...found, logged: true, ...(end === undefined ? {} : { end }) };
  }
  const cloud = cloudOfLogin(call.host);
  if (cloud !== undefined) return entra(rooms, call, cloud);
  if (isBotLoginHost(call.host)) {
    const answer = withFault(
      rooms,
      call,
      () => botKeys(rooms.keeper.state, call) ?? json(404, {}),
      undefined,
    );
    return { answer, tenant: undefined, logged: true };
  }
  if (isConnectorHost(call.host)) return { ...(await rooms.connector.answer(call)), logged: true };
  if (!isLoopback(call.host))
    return {
      answer: json(421, { error: `The sandbox does not play ${call.host}.` }),
      tenant: undefined,
      logged: true,
    };
  return own(rooms, call);
}

function entra(rooms: Rooms, call: Call, cloud: Cloud): Found {
  const tenant = findTenant(rooms.keeper.state, call.path.split('/')[1] ?? '')?.id;
  const answer = withFault(
    rooms,
    call,
    () =>
      rooms.consent.answer(call) ??
      rooms.authorize.answer(call) ??
      rooms.entra.answer(call, cloud) ??
      json(404, { error: 'not_found' }),
    tenant,
  );
  return { answer, tenant, logged: true };
}

function withFault(rooms: Rooms, call: Call, truth: () => Answer, tenant: string | undefined): Answer {
  const fault = takeFault(rooms.keeper.state.faults, call, tenant);
  if (fault === null) return truth();
  rooms.keeper.touch();
  if (!replaces(fault)) {
    const number = aadstsOfFault(fault.code);
    return disturbed(number === undefined ? truth() : aadsts(call, number), fault);
  }
  const number = aadstsOfFault(fault.code);
  if (number === undefined || fault.html || fault.reset)
    return faultAnswer(fault, (code, message) => ({ error: code, error_description: message }));
  const answer = aadsts(call, number);
  return disturbed(
    {
      ...answer,
      status: fault.status ?? answer.status,
      headers: {
        ...answer.headers,
        ...(fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }),
      },
    },
    fault,
  );
}

/** The sandbox's own routes. A page of another site that got our address by a trick has another `host`. */
async function own(rooms: Rooms, call: Call): Promise<Found> {
  const plain = { tenant: undefined, logged: false };
  if (call.path === '/relay/api/messages') return { answer: await rooms.relay.answer(call), ...plain };
  if (call.path === '/_sandbox' || call.path.startsWith('/_sandbox/'))
    return { answer: await rooms.control.answer(call), ...plain };
  const page = rooms.desk.answer(call);
  if (page !== undefined) return { answer: page, ...plain };
  // A browser cannot reach login.microsoftonline.com here: the sign-in page stands at the sandbox's own address too.
  if (/^\/[^/]+\/(oauth2|discovery|v2\.0|\.well-known)\//.test(call.path))
    return entra(rooms, call, globalCloud);
  return { answer: json(404, { error: 'Nothing is here; the desk is at /.' }), ...plain };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
