import { type Answer, json } from './http.ts';
import type { Conversation, Member } from './state.ts';

/** `members`, `members/{id}` and `pagedmembers` of a conversation. */
export function members(
  conversation: Conversation | undefined,
  rest: string,
  query: URLSearchParams,
): Answer {
  if (conversation === undefined)
    return json(404, {
      error: { code: 'ConversationNotFound', message: 'The conversation is not known.' },
    });
  const all = conversation.members.map(inTeamsWords);
  if (rest === 'members') return json(200, all);
  if (rest === 'pagedmembers') {
    const size = Math.min(500, Math.max(1, Number(query.get('pageSize') ?? 200) || 200));
    const from = Number(query.get('continuationToken') ?? 0) || 0;
    const next = from + size;
    return json(200, {
      members: all.slice(from, next),
      ...(next < all.length ? { continuationToken: String(next) } : {}),
    });
  }
  const id = decodeURIComponent(rest.slice('members/'.length));
  const found = all.find((one) => one.id === id || one.aadObjectId === id);
  if (found === undefined)
    return json(404, {
      error: { code: 'MemberNotFoundInConversation', message: 'The member is not part of the conversation.' },
    });
  return json(200, found);
}

function inTeamsWords(member: Member): Record<string, unknown> & { id: string; aadObjectId: string } {
  const [givenName = member.name, ...surname] = member.name.split(' ');
  const address = member.address ?? `${member.id.replaceAll(/\W/g, '')}@example.invalid`;
  return {
    id: member.id,
    aadObjectId: member.aadObjectId,
    objectId: member.aadObjectId,
    name: member.name,
    givenName,
    surname: surname.join(' '),
    email: address,
    userPrincipalName: address,
    tenantId: member.tenantId,
    userRole: member.userRole,
  };
}
