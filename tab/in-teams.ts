/** Could a Teams client be around this page? Without a frame, or what a desktop client puts there, surely none is. */
export function mayBeInTeams(): boolean {
  return window.parent !== window || 'nativeInterface' in window;
}
