import { request } from 'undici';
import type { Sandbox } from '../support/sandbox.ts';

export type Answered = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  body: Record<string, unknown>;
};

/** One request through the sandbox's dispatcher, the body read as JSON where it is one. */
export async function ask(
  sandbox: Sandbox,
  method: string,
  url: string,
  options: { headers?: Record<string, string>; body?: string } = {},
): Promise<Answered> {
  const answer = await request(url, { dispatcher: sandbox.dispatcher, method: method as 'GET', ...options });
  const text = await answer.body.text();
  const isJson = /json/.test(String(answer.headers['content-type'] ?? ''));
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

export function postForm(sandbox: Sandbox, url: string, form: Record<string, string>): Promise<Answered> {
  return ask(sandbox, 'POST', url, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
}

/** A bot that posts: the token it got from Entra, and the connector's calls. */
export async function openPoster(sandbox: Sandbox) {
  const { bot } = sandbox.info.apps;
  const answer = await postForm(
    sandbox,
    `https://login.microsoftonline.com/${bot.tenantId}/oauth2/v2.0/token`,
    {
      grant_type: 'client_credentials',
      client_id: bot.appId,
      client_secret: bot.secret,
      scope: 'https://api.botframework.com/.default',
    },
  );
  const headers = {
    authorization: `Bearer ${String(answer.body.access_token)}`,
    'content-type': 'application/json',
  };
  return {
    send(method: string, conversation: string, rest: string, body?: unknown): Promise<Answered> {
      return ask(
        sandbox,
        method,
        `https://smba.trafficmanager.net/emea/v3/conversations/${encodeURIComponent(conversation)}/${rest}`,
        { headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) },
      );
    },
    create(body: unknown): Promise<Answered> {
      return ask(sandbox, 'POST', 'https://smba.trafficmanager.net/emea/v3/conversations', {
        headers,
        body: JSON.stringify(body),
      });
    },
  };
}
