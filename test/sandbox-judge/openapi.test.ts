import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { request, setGlobalDispatcher } from 'undici';
import { clouds } from '../../bot/clouds.ts';
import { silentLog } from '../../bot/log.ts';
import { openMicrosoft } from '../../bot/microsoft/open.ts';
import { openOutbound } from '../../bot/outbound.ts';
import { Secret } from '../../bot/secrets.ts';
import type { TenantAccess } from '../../bot/services.ts';
import { tenantId } from '../../shared/tenants/tenant.ts';
import { usualConsent } from '../sandbox/tenants.ts';
import { type Sandbox, startSandbox } from '../support/sandbox.ts';
import { type Judge, openJudge } from './judge.ts';

/** Client and sandbox answer to Microsoft's own description of Graph, not to each other. */

const file =
  process.env.GRAPH_OPENAPI ??
  fileURLToPath(new URL('../../../shared/graph-openapi/graph.yaml', import.meta.url));
const here = existsSync(file);
const described = here ? describe : describe.skip;

described("Microsoft's description of Graph (needs GRAPH_OPENAPI or its file)", () => {
  let sandbox: Sandbox;
  let judge: Judge;
  const stop = new AbortController();
  beforeAll(async () => {
    judge = openJudge(file);
    sandbox = await startSandbox();
    await sandbox.control('POST', '/_sandbox/limits', { off: true });
    await sandbox.control('POST', '/_sandbox/tenants/adventure-works.com/consent', { grant: usualConsent });
    setGlobalDispatcher(sandbox.dispatcher);
  });
  afterAll(async () => {
    stop.abort();
    await sandbox.stop();
  });

  async function ask(
    tenant: string,
    path: string,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const token = await sandbox.token({ for: 'app', tenant });
    const answer = await request(`https://graph.microsoft.com/v1.0${path}`, {
      dispatcher: sandbox.dispatcher,
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
  }

  test('every request that our port sends is one that Graph knows', async () => {
    const cloud = clouds.global;
    const microsoft = openMicrosoft({
      outbound: openOutbound({ cloud }),
      cloud,
      now: Date.now,
      log: silentLog(),
      signal: stop.signal,
    });
    const access = accessOf(sandbox);
    for (const reading of [
      await microsoft.organization(access),
      await microsoft.domains(access),
      await microsoft.subscribedSkus(access),
      await microsoft.secureScores(access, 90),
      await microsoft.secureScores(access, 3),
      await microsoft.secureScoreControlProfiles(access),
      await microsoft.users(access),
      await microsoft.signInActivity(access),
      await microsoft.mfaRegistration(access),
      await microsoft.directoryRoles(access),
      await microsoft.groups(access),
      await microsoft.securityDefaults(access),
      await microsoft.conditionalAccess(access),
      await microsoft.licenceUse(access),
    ])
      expect(reading).toMatchObject({ kind: 'ok' });
    const sent = (await sandbox.requests()).filter((one) => one.host === 'graph.microsoft.com');
    const roles = 5;
    expect(new Set(sent.map((one) => one.path.split('?')[0])).size).toBe(5 + 6 + roles);
    for (const one of sent) {
      const path = decodeURIComponent(one.path.replace('/v1.0', ''));
      expect({ path, wrong: judge.request(one.method, path) }).toEqual({ path, wrong: [] });
    }
  });

  test.each([
    { path: '/security/secureScores?$topp=3' },
    { path: '/security/secureScores?$top=three' },
    { path: '/security/secureScore' },
    { path: '/organisation' },
  ])('the judge is awake: GET $path is refused', ({ path }) => {
    expect(judge.request('GET', path)).not.toEqual([]);
  });

  const kinds = [
    { path: '/organization' },
    { path: '/domains' },
    { path: '/subscribedSkus' },
    { path: '/users' },
    {
      path: '/users?$top=500&$select=id,userType,accountEnabled,createdDateTime,signInActivity,assignedLicenses',
    },
    { path: '/groups?$top=999&$select=id,displayName,groupTypes,visibility&$expand=owners($select=id)' },
    { path: '/directoryRoles' },
    { path: '/policies/identitySecurityDefaultsEnforcementPolicy' },
    { path: '/identity/conditionalAccess/policies?$top=999' },
    { path: '/reports/authenticationMethods/userRegistrationDetails?$top=999' },
    { path: '/security/secureScores?$top=90&$count=true' },
    { path: '/security/secureScores?$top=1&$skip=2&$select=currentScore,maxScore' },
    { path: '/security/secureScoreControlProfiles' },
    { path: '/security/secureScoreControlProfiles?$top=999' },
    { path: '/security/secureScoreControlProfiles/AdminMFAV2' },
  ];
  test.each(kinds)('all five tenants answer GET $path as described', async ({ path }) => {
    expect(judge.request('GET', path)).toEqual([]);
    for (const tenant of sandbox.info.tenants) {
      const { status, body } = await ask(tenant.domain, path);
      expect(status).toBe(200);
      expect({ tenant: tenant.name, wrong: judge.answer('GET', path, 200, body) }).toEqual({
        tenant: tenant.name,
        wrong: [],
      });
    }
  });

  test.each([
    { path: '/organization', spoil: { displayName: 7 } },
    { path: '/organization', spoil: { dispalyName: 'x' } },
    { path: '/domains', spoil: { isVerified: 'yes' } },
    { path: '/subscribedSkus', spoil: { consumedUnits: 'many' } },
    { path: '/subscribedSkus', spoil: { prepaidUnits: { enabled: '5' } } },
    { path: '/users', spoil: { businessPhones: 'none' } },
    { path: '/users?$select=id,signInActivity', spoil: { signInActivity: { lastSignInDateTime: 'never' } } },
    { path: '/groups?$top=1', spoil: { groupTypes: 'Unified' } },
    { path: '/directoryRoles', spoil: { roleTemplateId: 7 } },
    { path: '/identity/conditionalAccess/policies', spoil: { state: 'on' } },
    {
      path: '/reports/authenticationMethods/userRegistrationDetails?$top=1',
      spoil: { isMfaRegistered: 'yes' },
    },
    { path: '/security/secureScores?$top=1', spoil: { currentScore: 'high' } },
    { path: '/security/secureScores?$top=1', spoil: { createdDateTime: 'yesterday' } },
    { path: '/security/secureScores?$top=1', spoil: { controlScores: [{ score: '10' }] } },
    { path: '/security/secureScoreControlProfiles', spoil: { maxScore: null, rank: 'first' } },
    { path: '/security/secureScoreControlProfiles', spoil: { controlState: 'Ignored' } },
  ])('the judge is awake: GET $path with $spoil is refused', async ({ path, spoil }) => {
    const { body } = await ask('contoso.com', path);
    const [first, ...others] = body.value as object[];
    expect(
      judge.answer('GET', path, 200, { ...body, value: [{ ...first, ...spoil }, ...others] }),
    ).not.toEqual([]);
  });

  test.each([
    { name: 'no permission', path: '/security/secureScores', setUp: { grant: [] as string[] }, status: 403 },
    { name: 'no such control', path: '/security/secureScoreControlProfiles/Nothing', setUp: {}, status: 404 },
    { name: 'a wrong query', path: '/security/secureScores?$top=x', setUp: {}, status: 400 },
  ])('$name: the error has the shape of Graph', async ({ path, setUp, status }) => {
    const usual = await sandbox.control<{ usual: string[] }>(
      'POST',
      '/_sandbox/tenants/fabrikam.com/consent',
      setUp,
    );
    const found = await ask('fabrikam.com', path);
    await sandbox.control('POST', '/_sandbox/tenants/fabrikam.com/consent', { grant: usual.usual });
    expect(found.status).toBe(status);
    expect(judge.answer('GET', path, status, found.body)).toEqual([]);
    expect(judge.answer('GET', path, status, { error: { message: 5 } })).not.toEqual([]);
  });
});

function accessOf(sandbox: Sandbox): TenantAccess {
  const [tenant] = sandbox.info.tenants;
  const id = tenantId(tenant?.id ?? '');
  if (tenant === undefined || id === undefined) throw new Error('no tenant');
  return {
    tenantId: id,
    appId: tenant.appId,
    credential: { kind: 'secret', secret: new Secret(tenant.secret) },
  };
}
