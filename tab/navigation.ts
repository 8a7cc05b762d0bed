import { useMemo, useSyncExternalStore } from 'react';
import { type Route, routeOf } from './route.ts';

const listeners = new Set<() => void>();
/** Steps taken inside the page: as long as there are some, "back" stays inside. */
let steps = 0;

export function navigate(href: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') {
    steps += 1;
    window.history.pushState(null, '', href);
  } else window.history.replaceState(null, '', href);
  for (const listener of listeners) listener();
}

/** One step back inside the page; false when there is none. */
export function goBack(): boolean {
  if (steps === 0) return false;
  window.history.back();
  return true;
}

window.addEventListener('popstate', () => {
  steps = Math.max(0, steps - 1);
  for (const listener of listeners) listener();
});

export function useRoute(): Route {
  const { pathname, search } = useAddress();
  return useMemo(() => routeOf(pathname, search), [pathname, search]);
}

/** Where the page is, for those that keep what they show in the query. */
export function useAddress(): { pathname: string; search: string } {
  const address = useSyncExternalStore(
    (changed) => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    () => window.location.pathname + window.location.search,
  );
  const [pathname = '', search = ''] = address.split('?');
  return { pathname, search };
}

/** A click on a link inside the page goes there without loading it again; with a key held it does what it always does. */
export function follow(event: React.MouseEvent<HTMLAnchorElement>): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
  event.preventDefault();
  const { pathname, search } = event.currentTarget;
  navigate(pathname + search);
}
