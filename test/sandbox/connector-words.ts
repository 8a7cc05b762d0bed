import { randomUUID } from 'node:crypto';
import { type Answer, type Call, json } from './http.ts';

/** What the connector reads out of calls and writes into answers. */

export type Activity = Record<string, unknown>;
export type Target = { conversation: string; rest: string };

/** `{conversation}/{rest}` of a path, decoded. */
export function targetOf(path: string): Target | undefined {
  const found = /^\/v3\/conversations\/([^/]+)\/(.+)$/.exec(path);
  const conversation = decoded(found?.[1]);
  const rest = found?.[2];
  return conversation === undefined || rest === undefined ? undefined : { conversation, rest };
}

export function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The conversation without its thread: limits and rosters belong to it. */
export function rootOf(conversation: string): string {
  return conversation.replace(/;messageid=.*$/, '');
}

const bodies = new WeakMap<Call, Activity | undefined>();
export function bodyOf(call: Call): Activity | undefined {
  if (bodies.has(call)) return bodies.get(call);
  const read = parsed(call.body.toString('utf8'));
  bodies.set(call, read);
  return read;
}

function parsed(text: string): Activity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Activity)
      : undefined;
  } catch {
    return undefined;
  }
}

export function bodyText(answer: Answer): Activity {
  return parsed(String(answer.body ?? '')) ?? {};
}

export function idOf(answer: Answer | null, name = 'id'): string | undefined {
  if (answer === null || answer.status >= 300) return undefined;
  const id = bodyText(answer)[name];
  return typeof id === 'string' ? id : undefined;
}

let last = 0;
/** Teams' ids are the time in milliseconds; two in the same one must still differ. */
export function newActivityId(call: Call): string {
  last = Math.max(last + 1, call.at.getTime());
  return String(last);
}

export function guidKey(member: string): string {
  return member.replaceAll(/[^\w-]/g, '') || randomUUID();
}

/** The connector's error answer. */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  return json(status, { error: { code, message } }, headers);
}
