import * as v from 'valibot';
import type { CardData } from '../services.ts';

/** What `POST /api/messages` is answered with. */
export type DoorAnswer = { status: number; body?: unknown };

const execute = v.object({
  action: v.object({
    type: v.optional(v.string()),
    verb: v.nullish(v.pipe(v.string(), v.maxLength(256))),
    data: v.optional(v.unknown()),
  }),
  trigger: v.nullish(v.string()),
});

/** The click of an `Action.Execute`; undefined when the value is no such thing. */
export function clickOf(value: unknown): { verb: string | undefined; data: unknown } | undefined {
  const parsed = v.safeParse(execute, value);
  if (!parsed.success) return undefined;
  return { verb: parsed.output.action.verb ?? undefined, data: parsed.output.action.data };
}

/** Replaces the card, for the person who clicked only. */
export function withCard(card: CardData): DoorAnswer {
  return answer('application/vnd.microsoft.card.adaptive', card);
}

/** Shows a sentence to the person who clicked. */
export function withText(text: string): DoorAnswer {
  return answer('application/vnd.microsoft.activity.message', text);
}

function answer(type: string, value: unknown): DoorAnswer {
  return { status: 200, body: { statusCode: 200, type, value } };
}

const nothingHere = 'Watchpost offers nothing here. Ask it in a chat: help';

/**
 * Friendly answers to invokes we have no use for, each in the shape Teams expects: an unknown one answered with 501,
 * as the library does, shows people "Something went wrong".
 */
export function politeAnswer(name: string | undefined): DoorAnswer {
  switch (name) {
    case 'composeExtension/query':
    case 'composeExtension/queryLink':
    case 'composeExtension/anonymousQueryLink':
    case 'composeExtension/selectItem':
      return ok({ composeExtension: { type: 'result', attachmentLayout: 'list', attachments: [] } });
    case 'composeExtension/querySettingUrl':
      return ok({ composeExtension: { type: 'message', text: nothingHere } });
    case 'composeExtension/fetchTask':
    case 'composeExtension/submitAction':
    case 'task/fetch':
    case 'task/submit':
      return ok({ task: { type: 'message', value: nothingHere } });
    case 'config/fetch':
    case 'config/submit':
      return ok({ responseType: 'config', config: { type: 'message', value: nothingHere } });
    case 'tab/fetch':
    case 'tab/submit':
      return ok({ tab: { type: 'continue', value: { cards: [] } } });
    case 'application/search':
      return ok({
        statusCode: 200,
        type: 'application/vnd.microsoft.search.searchResponse',
        value: { results: [] },
      });
    default:
      return ok({});
  }
}

function ok(body: unknown): DoorAnswer {
  return { status: 200, body };
}
