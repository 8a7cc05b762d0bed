import { useEffect, useRef } from 'react';

let first = true;

/**
 * The heading of a page takes the focus when the page changes, so that keyboard and screen reader go on from there;
 * not at the very first page, where nobody has been anywhere yet. Also names the page for the browser.
 */
export function useHeadingFocus(title: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = title === 'Watchpost' ? title : `${title} · Watchpost`;
    if (!first) heading.current?.focus({ preventScroll: true });
    first = false;
  }, [title]);
  return heading;
}
