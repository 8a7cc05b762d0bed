/** Claims in which a token may carry what is shown of a person. None of them ever decides anything (R12). */
export const shownClaims = [
  'name',
  'preferred_username',
  'email',
  'upn',
  'unique_name',
  'given_name',
  'family_name',
] as const;
export type ShownClaim = (typeof shownClaims)[number];

/** Which of them are the name and the mail address: the first one that is there. */
export type ShownBy = { name: readonly ShownClaim[]; mail: readonly ShownClaim[] };
export const shownByDefault: ShownBy = { name: ['name'], mail: ['email', 'preferred_username'] };
