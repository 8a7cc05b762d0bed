import type { Caller, Role } from '../../shared/access.ts';
import type { ShownClaim } from '../../shared/shown-claims.ts';
import type { Instant } from '../../shared/time.ts';

/** What may be told of a token that was found good; nothing by which one could sign in. */
export type TokenFacts = {
  shown: Partial<Record<ShownClaim, string>>;
  mail: string | null;
  /** App roles as they stand in the token. */
  appRoles: readonly string[];
  /** Object ids; null when Entra left them out because they are too many. */
  groups: readonly string[] | null;
  /** Roles that the settings give to some of these groups. */
  groupRoles: readonly { group: string; role: Role }[];
  guest: boolean;
  client: string;
  issuedAt: Instant;
  expiresAt: Instant;
};

/** A handler gets no token: what may be told of it goes with the caller that was made from it, and ends with it. */
const facts = new WeakMap<Caller, TokenFacts>();

export function keepFacts(who: Caller, told: TokenFacts): void {
  facts.set(who, told);
}

export function factsOf(who: Caller): TokenFacts | undefined {
  return facts.get(who);
}

/** The first of these claims that says something. */
export function firstOf(
  claims: Partial<Record<ShownClaim, string | undefined>>,
  wanted: readonly ShownClaim[],
): string | null {
  for (const claim of wanted) {
    const value = claims[claim]?.trim();
    if (value !== undefined && value !== '') return value;
  }
  return null;
}
