import * as v from 'valibot';
import { type TenantId, tenantId } from '../../shared/tenants/tenant.ts';
import { type Cloud, entraMetadata } from '../clouds.ts';
import { WatchpostError } from '../errors.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import { entraErrorSchema, entraFailure } from './aadsts.ts';
import { looseJson, MicrosoftError, nonsense, silence } from './failures.ts';

const domainName = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
const metadataSchema = v.object({ issuer: v.string(), token_endpoint: v.string() });

/**
 * The tenant a domain (or a tenant's own id) belongs to, from Entra's discovery document; null when there is none.
 * @throws WatchpostError `bad-input` when it lives in another national cloud; MicrosoftError when Entra does not answer.
 */
export async function tenantOfDomain(
  outbound: Outbound,
  cloud: Cloud,
  domain: string,
  signal: AbortSignal,
): Promise<TenantId | null> {
  const name = domain.trim().toLowerCase();
  // Only a domain's or a GUID's own characters may get into the address (R59).
  if (!domainName.test(name) && tenantId(name) === undefined) return null;
  const answer = await read(outbound, entraMetadata(cloud, name), signal);
  const json = looseJson(answer.body);
  const refusal = v.safeParse(entraErrorSchema, json);
  if (refusal.success && answer.status < 500 && answer.status !== 429) {
    const failure = entraFailure(answer.status, refusal.output);
    if (/^AADSTS(90002|900023)$/.test(failure.code ?? '')) return null;
    throw new MicrosoftError(failure);
  }
  const metadata = v.safeParse(metadataSchema, json);
  if (answer.status !== 200 || !metadata.success) {
    throw new MicrosoftError(nonsense('Microsoft Entra has trouble answering.', `HTTP ${answer.status}`));
  }
  const endpoint = URL.parse(metadata.output.token_endpoint);
  const id = tenantId(endpoint?.pathname.split('/')[1] ?? '');
  if (endpoint === null || id === undefined || !metadata.output.issuer.toLowerCase().includes(id)) {
    throw new MicrosoftError(
      nonsense('Microsoft Entra answered with something that cannot be read.', 'SHAPE'),
    );
  }
  if (endpoint.origin !== cloud.authority) {
    throw new WatchpostError('bad-input', 'This domain belongs to another national cloud of Microsoft.', {
      hint: 'Connect it from a Watchpost whose CLOUD is set to that cloud.',
    });
  }
  return id;
}

async function read(outbound: Outbound, url: string, signal: AbortSignal) {
  try {
    return await outbound(url, {
      method: 'GET',
      headers: { accept: 'application/json' },
      timeoutMs: 10_000,
      maxBytes: 1024 * 1024,
      signal,
    });
  } catch (error) {
    if (error instanceof OutboundError && error.code !== 'stopped') throw silence(error);
    throw error;
  }
}
