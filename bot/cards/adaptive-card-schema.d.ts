/**
 * Stands in for a module that adaptivecards-templating's types name: it is TypeScript source of another package, which
 * cannot pass our stricter check. Types only (tsconfig `paths`); nothing is loaded from here.
 */
export interface IAdaptiveCard {
  [member: string]: unknown;
}
