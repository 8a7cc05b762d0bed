import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { demoHome, demoPeople } from '../../bot/cast.ts';
import { dayOf } from '../../shared/time.ts';
import { appCalls } from './control-apps.ts';
import { scoreFacts, tenantCalls, tenantFacts } from './control-tenants.ts';
import { tokenCall } from './control-tokens.ts';
import type { Fault } from './faults.ts';
import { type Answer, type Call, json } from './http.ts';
import { newKey } from './keys.ts';
import type { Ledger } from './ledger.ts';
import { findPerson } from './people.ts';
import type { RequestLog } from './request-log.ts';
import { findTenant, homeMembers, type Keeper, type Member } from './state.ts';
import { lastDayOf, newApp } from './tenants.ts';
import { what } from './what.ts';

export type Control = { answer(call: Call): Promise<Answer> };

const guid = v.pipe(v.string(), v.toLowerCase(), v.uuid());
const faultBody = v.strictObject({
  path: v.pipe(v.string(), v.startsWith('/'), v.maxLength(500)),
  method: v.optional(v.picklist(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])),
  tenant: v.optional(v.string()),
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(400), v.maxValue(599))),
  code: v.optional(v.pipe(v.string(), v.maxLength(100))),
  message: v.optional(v.pipe(v.string(), v.maxLength(2_000))),
  retryAfter: v.optional(v.union([v.pipe(v.number(), v.minValue(0)), v.string()])),
  delayMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(600_000))),
  truncate: v.optional(v.boolean()),
  html: v.optional(v.boolean()),
  reset: v.optional(v.boolean()),
  accept: v.optional(v.boolean()),
  times: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
});
/** How the consent to the application for many tenants goes. */
const consentWishes = {
  permissions: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(100))),
  delayMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000))),
  delayCode: v.optional(v.picklist([7000229, 700016, 650051])),
  nextIdToken: v.optional(
    v.strictObject({
      claims: v.optional(v.record(v.string(), v.unknown())),
      sign: v.optional(v.picklist(['right', 'wrong'])),
    }),
  ),
};
const member = v.strictObject({
  aadObjectId: guid,
  id: v.optional(v.string()),
  name: v.optional(v.string()),
  userRole: v.optional(v.string()),
  tenantId: v.optional(guid),
  address: v.optional(v.string()),
});
const conversationBody = v.strictObject({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(500)),
  kind: v.optional(v.picklist(['personal', 'groupChat', 'channel']), 'channel'),
  hostTenant: v.optional(v.string()),
  members: v.optional(v.pipe(v.array(member), v.maxLength(10_000))),
});

/** Everything under `/_sandbox`: how a test, or a person at the desk, plays Microsoft. */
export function openControl(options: {
  keeper: Keeper;
  ledger: Ledger;
  requests: RequestLog;
  token: string;
  stop(): void;
}): Control {
  const { keeper, ledger, requests } = options;
  const { state } = keeper;
  const proof = createHash('sha256').update(options.token).digest('hex');

  async function answer(call: Call): Promise<Answer> {
    let body: unknown;
    if (call.body.length > 0) {
      // A page of another origin can send forms without asking; JSON it cannot.
      if (!/^application\/json\b/.test(String(call.headers['content-type'] ?? '')))
        return json(415, { error: 'Send JSON with content-type: application/json.' });
      try {
        body = JSON.parse(call.body.toString('utf8'));
      } catch {
        return json(400, { error: 'The body is not JSON.' });
      }
    }
    try {
      const found = await answered(call, body ?? {});
      return found ?? json(404, { error: 'No such call; GET /_sandbox lists them.' });
    } catch (error) {
      if (!(error instanceof v.ValiError)) throw error;
      const issue = error.issues[0];
      return json(400, { error: `${v.getDotPath(issue) ?? 'body'}: ${issue.message}` });
    }
  }

  async function answered(call: Call, body: unknown): Promise<Answer | undefined> {
    switch (`${call.method} ${call.path}`) {
      case 'GET /_sandbox':
        return json(200, facts());
      case 'GET /_sandbox/alive':
        return json(200, { pid: process.pid, proof });
      case 'GET /_sandbox/posts':
        return json(200, posts(call));
      case 'GET /_sandbox/requests':
        return json(200, requests.list(call.query));
      case 'GET /_sandbox/faults':
        return json(200, state.faults);
      case 'GET /_sandbox/scores':
        return json(200, scores(call));
      case 'POST /_sandbox/tokens':
        return tokenCall(state, call, body);
      case 'POST /_sandbox/faults':
        return addFault(body);
      case 'DELETE /_sandbox/faults':
        state.faults.splice(0);
        keeper.touch();
        return { status: 204 };
      case 'POST /_sandbox/limits':
        state.limitsOff = v.parse(v.strictObject({ off: v.boolean() }), body).off;
        keeper.touch();
        return json(200, { off: state.limitsOff });
      case 'POST /_sandbox/conversations':
        return addConversation(body);
      case 'POST /_sandbox/people':
        return appRoles(body);
      case 'POST /_sandbox/apps':
        return appCredential(body);
      case 'POST /_sandbox/keys/rotate':
        return rotate(body);
      case 'POST /_sandbox/stop':
        options.stop();
        return json(202, { stopping: true });
      default:
        return appCalls(keeper, call, body) ?? tenantCalls(keeper, call, body);
    }
  }

  function facts(): unknown {
    const { bot, tab, graph } = state;
    return {
      what,
      tenants: state.tenants.map(tenantFacts),
      apps: {
        bot: { appId: bot.appId, secret: bot.secret, tenantId: bot.tenantId },
        tab: { appId: tab.appId, tenantId: tab.tenantId },
        graph: { appId: graph.appId, secret: graph.secret, permissions: graph.permissions },
      },
      people: demoPeople.map((person) => ({ ...person, tenantId: demoHome.id })),
    };
  }

  /** The first 200 by their order of arrival: the desk's table. */
  function scores(call: Call): unknown {
    const today = dayOf(call.at.toISOString());
    return state.tenants.slice(0, 200).map((tenant) => scoreFacts(tenant, lastDayOf(tenant, today)));
  }

  function posts(call: Call): unknown {
    const after = Number(call.query.get('after') ?? 0);
    const limit = Math.min(50_000, Number(call.query.get('limit') ?? 50_000));
    const conversation = call.query.get('conversation');
    const found = ledger.posts.filter(
      (post) => post.seq > after && (conversation === null || post.conversation === conversation),
    );
    // Without a starting point the newest are meant.
    return call.query.has('after') ? found.slice(0, limit) : found.slice(-limit);
  }

  function addFault(body: unknown): Answer {
    const { tenant, ...wanted } = v.parse(faultBody, body);
    const found = tenant === undefined ? undefined : findTenant(state, tenant);
    if (tenant !== undefined && found === undefined && tenant !== demoHome.id)
      return json(404, { error: `No tenant is called ${tenant}.` });
    const id = `fault-${Date.now().toString(36)}-${state.faults.length}`;
    const fault: Fault = { id, ...wanted, ...(tenant === undefined ? {} : { tenant: found?.id ?? tenant }) };
    state.faults.push(fault);
    keeper.touch();
    return json(201, { id });
  }

  function addConversation(body: unknown): Answer {
    const wanted = v.parse(conversationBody, body);
    const host =
      wanted.hostTenant === undefined
        ? demoHome.id
        : (findTenant(state, wanted.hostTenant)?.id ?? wanted.hostTenant);
    const members =
      wanted.members?.map(
        (one): Member => ({
          id: one.id ?? `29:${one.aadObjectId}`,
          aadObjectId: one.aadObjectId,
          name: one.name ?? 'Somebody',
          userRole: one.userRole ?? 'user',
          tenantId: one.tenantId ?? host,
          ...(one.address === undefined ? {} : { address: one.address }),
        }),
      ) ?? homeMembers();
    const conversation = { id: wanted.id, kind: wanted.kind, hostTenant: host, members };
    const at = state.conversations.findIndex((one) => one.id === wanted.id);
    if (at >= 0) state.conversations[at] = conversation;
    else state.conversations.push(conversation);
    keeper.touch();
    return json(201, conversation);
  }

  function appRoles(body: unknown): Answer {
    const wanted = v.parse(
      v.strictObject({ person: v.string(), roles: v.pipe(v.array(v.string()), v.maxLength(20)) }),
      body,
    );
    const person = findPerson(wanted.person);
    if (person === undefined) return json(404, { error: `Nobody is called ${wanted.person}.` });
    state.appRoles[person.oid] = wanted.roles;
    keeper.touch();
    return json(200, { person: person.name, roles: wanted.roles });
  }

  function appCredential(body: unknown): Answer {
    const wanted = v.parse(
      v.strictObject({
        app: v.picklist(['bot', 'tab', 'graph']),
        certificate: v.optional(v.string()),
        newSecret: v.optional(v.boolean()),
        ...consentWishes,
      }),
      body,
    );
    const app = state[wanted.app];
    const { permissions, delayMs, delayCode, nextIdToken } = wanted;
    for (const [name, wish] of Object.entries({ permissions, delayMs, delayCode, nextIdToken }))
      if (wish !== undefined) Object.assign(state.graph, { [name]: wish });
    if (wanted.certificate !== undefined) app.certificates.push(wanted.certificate);
    if (wanted.newSecret) app.secret = newApp(app.appId).secret;
    keeper.touch();
    return json(200, { appId: app.appId, secret: app.secret, tenantId: app.tenantId });
  }

  async function rotate(body: unknown): Promise<Answer> {
    const wanted = v.parse(
      v.strictObject({
        for: v.optional(v.picklist(['entra', 'bot']), 'entra'),
        drop: v.optional(v.boolean(), false),
      }),
      body,
    );
    const fresh = await newKey();
    const ring = state.keys[wanted.for];
    if (wanted.drop) ring.splice(0);
    ring.unshift(fresh);
    keeper.touch();
    return json(200, { keys: ring.length });
  }

  return { answer };
}
