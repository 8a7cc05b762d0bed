import { hash } from 'node:crypto';

/** The digest that ids of findings and of what is told of them are made with: SHA-256, base64url. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}
