import { scopeOfJob } from '../../shared/access.ts';
import { endGiven } from '../../shared/tenants/credential-expiry.ts';
import { connectTenant } from '../connect/connect-tenant.ts';
import { inAudit } from '../noted.ts';
import { Secret } from '../secrets.ts';
import type { Services, TenantAccess } from '../services.ts';
import type { CliRequest } from './socket.ts';
import { verify } from './verify.ts';

type ConnectRequest = Extract<CliRequest, { command: 'connect' }>;

/**
 * Carries out one request of the command line, in the server or beside it. Prints each step through `say`; answers
 * the exit code: 0 when it worked, 1 when a test failed and nothing was saved. What it makes due is read by
 * whoever `services.nudge` wakes.
 */
export async function runCli(
  request: CliRequest,
  services: Services,
  say: (line: string) => void,
): Promise<number> {
  return await inAudit(
    { who: `cli:${request.user}`, what: `cli ${request.command}`, where: 'command line' },
    services,
    async (inner) => await run(request, inner, say),
    (sentence) => {
      say(sentence);
      return 1;
    },
  );
}

async function run(request: CliRequest, services: Services, say: (line: string) => void): Promise<number> {
  if (request.command === 'verify') return await verify(services, say);
  const credential = credentialOf(request);
  if (credential === null) {
    say('Give --secret-file, or --certificate-file and --key-file.');
    return 1;
  }
  const report = await connectTenant(
    {
      domain: request.domain,
      ...(request.name === undefined ? {} : { name: request.name }),
      appId: request.appId.toLowerCase(),
      credential,
      by: `cli:${request.user}`,
    },
    services,
  );
  for (const step of report.steps) {
    say(`${step.works ? 'ok    ' : 'failed'} ${step.step}${step.says === 'works' ? '' : `: ${step.says}`}`);
    if (step.remedy !== undefined) say(`       ${step.remedy}`);
    if (step.link !== undefined) say(`       ${step.link.text}: ${step.link.href}`);
  }
  if (report.saved === null) {
    say('Nothing was saved.');
    return 1;
  }
  const { tenantId, name, domain, syncId } = report.saved;
  say(`Connected ${name} (${domain}). Reading it for the first time …`);
  const scope = scopeOfJob(tenantId);
  const end = performance.now() + 60_000;
  while (performance.now() < end && !services.signal.aborted) {
    const row = await services.store.syncRequests.get(scope, tenantId, syncId);
    if (row?.state === 'done' || row?.state === 'failed') {
      say(row.result ?? 'Read.');
      return row.state === 'done' ? 0 : 1;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  say('The first sync is still running. `tenants` in chat shows when it is done.');
  return 0;
}

function credentialOf(request: ConnectRequest): TenantAccess['credential'] | null {
  if (request.secret !== undefined && request.certificate === undefined && request.key === undefined) {
    const expiresAt = endGiven(request.secretExpires ?? '');
    return {
      kind: 'secret',
      secret: new Secret(request.secret),
      ...(expiresAt === null ? {} : { expiresAt }),
    };
  }
  if (request.secret === undefined && request.certificate !== undefined && request.key !== undefined) {
    return { kind: 'certificate', certificatePem: request.certificate, key: new Secret(request.key) };
  }
  return null;
}
