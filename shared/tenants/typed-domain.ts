/**
 * A domain or tenant id as people paste it: of "https://Zoe.example/" the domain is meant. Nothing else is taken away:
 * what has a path, a port or a person in it is no domain, and is refused by whoever checks.
 */
export function typedDomain(text: string): string {
  const typed = text.trim().toLowerCase();
  return /^https?:\/\/([^/?#@:\s]+)\/?$/.exec(typed)?.[1] ?? typed;
}
