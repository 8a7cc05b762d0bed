import { clean, plain } from '../../shared/foreign-text.ts';
import type { TenantId } from '../../shared/tenants/tenant.ts';
import { ask } from '../cards/actions.ts';
import { type Notice, noticeCard } from '../cards/notice.ts';
import type { CardData, Place, Reply } from '../services.ts';

/** Who hears the answer: what was asked privately is answered privately. */
export function replyTo(where: Place): Reply['to'] {
  return where.targeted ? 'caller' : 'conversation';
}

/** A card with its text. `tenants` lists exactly whose data is in it. */
export function withCard(where: Place, card: CardData, text: string, tenants: TenantId[]): Reply {
  return { card, text, to: replyTo(where), tenants: [...new Set(tenants)] };
}

/** One sentence with a way forward. The text of the notice is the text of the reply. */
export function say(where: Place, notice: Notice, tenants: TenantId[] = []): Reply {
  const lines = [notice.text, ...(notice.lines ?? [])];
  return withCard(where, noticeCard(notice), lines.join(' '), tenants);
}

/** Foreign text inside: `text` is escaped for Markdown, `bare` is the same without escapes for other places. */
export function quoted(text: string): { text: string; bare: string } {
  return { text: plain(text, 80), bare: clean(text, 80) };
}

/** A refusal that leads on to help. */
export function refuse(where: Place, text: string): Reply {
  return say(where, { text, buttons: [ask('Help', { verb: 'help' })] });
}
