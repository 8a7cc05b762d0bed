import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { Config } from '../config.ts';
import { isLoopback } from '../loopback.ts';
import { validity } from './doctor-certificates.ts';
import { type Check, notChecked, ok, wrong } from './doctor-report.ts';

const about = 'PUBLIC_URL';
const outside = 'Open PUBLIC_URL/healthz in a browser outside this network: it must say ok.';

/**
 * Is it us who answer at the public address, as seen from here? Not getting there proves nothing: many networks do not
 * lead their own machines to their public side.
 */
export async function examinePublicUrl(
  config: Config,
  running: boolean,
  signal: AbortSignal,
): Promise<Check[]> {
  const { publicUrl } = config;
  const url = new URL(publicUrl);
  const here = isLoopback(url.hostname)
    ? [
        wrong(
          about,
          'It is an address of this machine: neither Microsoft nor anybody else reaches it.',
          'Set the https address of the proxy in front of Watchpost.',
        ),
      ]
    : [];
  try {
    const health = await fetch(`${publicUrl}/healthz`, { redirect: 'manual', signal });
    const text = (await health.text()).slice(0, 100);
    const judged = judge(health.status, text, running);
    if (judged.state !== 'ok') return [...here, judged];
    return [...here, judged, ...(await messages(config, signal)), ...(await certificate(url, signal))];
  } catch (error) {
    return [...here, unreached(error)];
  }
}

/** An answer of `/healthz` through the public address. */
export function judge(status: number, text: string, running: boolean): Check {
  if (status === 200 && text === 'ok\n') return ok(about, 'Watchpost answers there.');
  if (!running && status >= 400)
    return notChecked(
      about,
      `Something answers there with ${status}; no Watchpost runs here that it could lead to.`,
      'Start Watchpost, then look again.',
    );
  if (status >= 300 && status < 400)
    return wrong(
      about,
      `It answers with a redirect (${status}); Teams does not follow one.`,
      'Set the address that it leads to, or let the proxy answer by itself.',
    );
  if (status >= 500)
    return wrong(
      about,
      `The proxy answers with ${status}: it does not reach Watchpost.`,
      'Let the proxy lead to HOST and PORT of this Watchpost.',
    );
  return wrong(
    about,
    `Something else than Watchpost answers there (${status}).`,
    'Let the proxy lead every path to Watchpost, unchanged.',
  );
}

/** Teams posts here; without a token ours says 401, and a proxy that leads only some paths says something else. */
async function messages({ publicUrl, role }: Config, signal: AbortSignal): Promise<Check[]> {
  if (role === 'clock') return [];
  const answer = await fetch(`${publicUrl}/api/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    redirect: 'manual',
    signal,
  });
  await answer.arrayBuffer();
  const path = 'PUBLIC_URL/api/messages';
  if (answer.status === 401) return [ok(path, 'It leads to the bot, which asks for a token.')];
  return [
    wrong(
      path,
      `It answers ${answer.status} where the bot would ask for a token (401).`,
      'Let the proxy lead POST requests of this path to Watchpost, with their headers.',
    ),
  ];
}

/** When the proxy's certificate ends: the day it does, nothing in Teams works. */
async function certificate(url: URL, signal: AbortSignal): Promise<Check[]> {
  if (url.protocol !== 'https:') return [];
  const ends = await new Promise<{ from: Date; to: Date } | null>((resolve) => {
    const host = url.hostname;
    // A server name is a name: for a bare address there is none to send.
    const named = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host, port: Number(url.port || 443), ...named });
    const settle = (value: { from: Date; to: Date } | null): void => {
      socket.destroy();
      resolve(value);
    };
    signal.addEventListener('abort', () => settle(null), { once: true });
    // Through an outgoing proxy the address may be reached only by fetch: then this is not known.
    socket.once('error', () => settle(null));
    socket.once('secureConnect', () => {
      const { valid_from, valid_to } = socket.getPeerCertificate();
      settle(valid_to === undefined ? null : { from: new Date(valid_from), to: new Date(valid_to) });
    });
  });
  const name = "PUBLIC_URL's certificate";
  if (ends === null) return [notChecked(name, 'It could not be read from here.')];
  const said = validity(name, ends.from, ends.to, Date.now());
  if (said.state === 'ok') return [ok(name, `It is valid until ${ends.to.toISOString().slice(0, 10)}.`)];
  return [wrong(name, said.says, 'Renew it at the proxy.')];
}

const untrusted = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH)/;

/** Node hides the reason in the cause. */
function unreached(error: unknown): Check {
  const code = codeOf(error);
  if (untrusted.test(code))
    return wrong(
      about,
      `Its TLS certificate is not trusted (${code}).`,
      'Let the proxy send a certificate of a public authority for this name, with the whole chain.',
    );
  return notChecked(about, `It cannot be reached from here (${code}).`, outside);
}

function codeOf(error: unknown): string {
  const cause = property(error, 'cause') ?? error;
  const code = property(cause, 'code') ?? property(cause, 'name');
  return typeof code === 'string' ? code : 'no reason given';
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
