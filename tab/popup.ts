import { mayBeInTeams } from './in-teams.ts';

/** How a window of *Sign in with Microsoft* ended, for the page that opened it. */
export type PopupEnd =
  | { kind: 'connected' | 'failed'; says: string }
  /** The person closed it, or it never told. */
  | { kind: 'closed' }
  | { kind: 'blocked' };

const channelName = 'watchpost-connect';
const size = { width: 600, height: 720 };
const lookMs = 400;
/** The page that opened a window says that it heard; one in Teams does not listen there. */
const heardMs = 500;
/** A Teams client answers within a fraction of this; a window outside of Teams never hears one. */
const helloMs = 4_000;

/**
 * Opens our own page `address` in a window of its own and waits for its end. Called right from a click, before anything
 * is waited for: browsers let nothing else open windows.
 */
export async function openPopup(address: Promise<string>): Promise<PopupEnd> {
  if (!mayBeInTeams()) return await inBrowser(address);
  const host = await library();
  return host.app.isInitialized() ? await inTeams(host, await address) : await inBrowser(address);
}

type Library = typeof import('./popup-host.ts');

/** Read where a Teams client may be: it looks for lists of Microsoft's on the network as soon as it is there. */
function library(): Promise<Library> {
  return import('./popup-host.ts');
}

async function inTeams({ authentication }: Library, address: string): Promise<PopupEnd> {
  try {
    const says = await authentication.authenticate({ url: absolute(address), ...size });
    return { kind: 'connected', says };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (/FailedToOpenWindow/i.test(why)) return { kind: 'blocked' };
    if (/Cancel|Closed/i.test(why)) return { kind: 'closed' };
    return { kind: 'failed', says: why };
  }
}

async function inBrowser(address: Promise<string>): Promise<PopupEnd> {
  const channel = new BroadcastChannel(channelName);
  const told = new Promise<PopupEnd>((resolve) => {
    channel.onmessage = ({ data }: MessageEvent<PopupEnd>) => {
      channel.postMessage('heard');
      resolve(data);
    };
  });
  const popup = window.open('', '_blank', `popup,width=${size.width},height=${size.height}`);
  try {
    if (popup === null) return { kind: 'blocked' };
    try {
      popup.location.href = absolute(await address);
    } catch (error) {
      popup.close();
      throw error;
    }
    return await Promise.race([told, closed(popup)]);
  } finally {
    channel.close();
  }
}

function closed(popup: Window): Promise<PopupEnd> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!popup.closed) return;
      clearInterval(timer);
      // What it said last may still be under way.
      setTimeout(() => resolve({ kind: 'closed' }), lookMs);
    }, lookMs);
  });
}

function absolute(address: string): string {
  return new URL(address, window.location.origin).href;
}

/** In the window itself: tells whoever opened it how it ended. A failure stays on screen where nobody else shows it. */
export async function tellOpener(end: Extract<PopupEnd, { says: string }>): Promise<void> {
  const channel = new BroadcastChannel(channelName);
  const heard = new Promise<boolean>((resolve) => {
    channel.onmessage = () => resolve(true);
    setTimeout(() => resolve(false), heardMs);
  });
  channel.postMessage(end);
  const told = await heard;
  channel.close();
  if (!told) {
    const { app, authentication } = await library();
    if (await teamsIsThere(app)) {
      if (end.kind === 'connected') authentication.notifySuccess(end.says);
      else authentication.notifyFailure(end.says);
      return;
    }
  }
  if (end.kind === 'connected') window.close();
}

async function teamsIsThere(app: Library['app']): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), helloMs));
  const there = app.initialize().then(
    () => true,
    () => false,
  );
  return await Promise.race([there, late]);
}
