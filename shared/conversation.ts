/** Teams' conversation id without its thread (`;messageid=`): a channel's posts share one audience. */
export function baseOf(conversationId: string): string {
  const at = conversationId.indexOf(';messageid=');
  return at < 0 ? conversationId : conversationId.slice(0, at);
}
