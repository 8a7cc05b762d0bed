import { X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import { type Answer, type Call, json } from './http.ts';
import type { Keeper } from './state.ts';
import type { App } from './tenants.ts';

const certificateBody = v.union([
  v.strictObject({
    certificate: v.pipe(v.string(), v.maxLength(20_000)),
    /** As with Entra, a new key is not known everywhere at once: until then it is refused with AADSTS700027. */
    acceptAfterMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400_000)), 0),
  }),
  v.strictObject({ remove: v.pipe(v.string(), v.maxLength(100)) }),
]);

/** `POST /_sandbox/apps/{app id}/certificates`: what an administrator does on the page of an app registration. */
export function appCalls(keeper: Keeper, call: Call, body: unknown): Answer | undefined {
  const [, id] = /^\/_sandbox\/apps\/([^/]+)\/certificates$/.exec(call.path) ?? [];
  if (id === undefined || call.method !== 'POST') return undefined;
  const { tenants, bot, tab } = keeper.state;
  const app = [...tenants.map((tenant) => tenant.app), bot, tab].find(
    (one) => one.appId === id.toLowerCase(),
  );
  if (app === undefined) return json(404, { error: `No application has the id ${id}.` });
  const wanted = v.parse(certificateBody, body);
  if ('remove' in wanted) remove(app, wanted.remove);
  else {
    const certificate = readable(wanted.certificate);
    if (certificate === null) return json(400, { error: 'This is no certificate in PEM form.' });
    app.certificates.push(wanted.certificate);
    app.acceptedFrom = {
      ...app.acceptedFrom,
      [certificate.fingerprint256]: call.at.getTime() + wanted.acceptAfterMs,
    };
  }
  keeper.touch();
  return json(200, {
    certificates: app.certificates.map((pem) => new X509Certificate(pem).fingerprint256.replaceAll(':', '')),
  });
}

function remove(app: App, thumbprint: string): void {
  const bare = thumbprint.replaceAll(':', '').toUpperCase();
  app.certificates = app.certificates.filter((pem) => {
    const { fingerprint, fingerprint256 } = new X509Certificate(pem);
    return ![fingerprint, fingerprint256].some((one) => one.replaceAll(':', '') === bare);
  });
}

function readable(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}
