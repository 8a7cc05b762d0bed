import { hash } from 'node:crypto';
import * as v from 'valibot';
import type { Reading, TenantAccess } from '../services.ts';
import { looseJson, MicrosoftError, nonsense } from './failures.ts';
import type { Ask, Gateway } from './gateway.ts';
import { failed } from './paging.ts';

/** `GET /policies/identitySecurityDefaultsEnforcementPolicy` (`graph.md` §1.7): one object, no list. */
export const askSecurityDefaults: Ask = { path: '/policies/identitySecurityDefaultsEnforcementPolicy' };

const schema = v.object({ isEnabled: v.boolean() });

/** Whether the tenant's security defaults are on. Never throws for what Microsoft answers. */
export async function readSecurityDefaults(
  gateway: Pick<Gateway, 'get'>,
  access: TenantAccess,
  known?: string,
): Promise<Reading<{ isOn: boolean }>> {
  try {
    const body = await gateway.get(access, askSecurityDefaults);
    const print = hash('sha256', body, 'base64url');
    if (print === known) return { kind: 'unchanged', hash: print };
    const parsed = v.safeParse(schema, looseJson(body));
    if (!parsed.success) {
      throw new MicrosoftError(nonsense('Microsoft answered with something that cannot be read.', 'SHAPE'));
    }
    return { kind: 'ok', value: { isOn: parsed.output.isEnabled }, hash: print };
  } catch (error) {
    return failed(error);
  }
}
