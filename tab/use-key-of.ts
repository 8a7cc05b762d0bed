import { useRef } from 'react';

/**
 * The key that `value` was loaded under: while another is on its way, what is on screen stays what it is, and 200 rows
 * are not drawn anew only to go a moment later.
 */
export function useKeyOf(value: unknown, key: string): string {
  const seen = useRef({ value, key });
  if (seen.current.value !== value) seen.current = { value, key };
  return seen.current.key;
}
