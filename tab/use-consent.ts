import { useState } from 'react';
import type { ConsentStart, LinkMade } from '../shared/api.ts';
import type { Api } from './api.ts';
import { openPopup } from './popup.ts';
import { forgetLoads } from './use-load.ts';
import { asApiError } from './use-me.ts';

export type ConsentStanding = {
  busy: 'signing-in' | 'making-link' | null;
  /** What came of it, a sentence; empty while nothing has. */
  says: string;
  bad: boolean;
  /** The window could not be opened: the same address as a link, good once. */
  instead: string | null;
  link: (LinkMade & { copied: boolean }) | null;
};

const nothing: ConsentStanding = { busy: null, says: '', bad: false, instead: null, link: null };

/** *Sign in with Microsoft* and *Generate link* of one company. `changed`: it may be connected now. */
export function useConsent(api: Api, id: string, changed: () => void) {
  const [standing, setStanding] = useState(nothing);
  const path = `tenants/${encodeURIComponent(id)}`;

  async function signIn(): Promise<void> {
    setStanding({ ...nothing, busy: 'signing-in', says: 'Go on in the window of Microsoft.' });
    let address = '';
    // Asked for and opened in one go: a browser lets only a click open windows.
    const asked = api.post<ConsentStart>(`${path}/consent`, {}).then((start) => {
      address = start.address;
      return start.address;
    });
    try {
      const end = await openPopup(asked);
      if (end.kind === 'blocked') {
        await asked;
        setStanding({
          ...nothing,
          bad: true,
          says: 'Your browser did not let the window open. Open it yourself, or send a link.',
          instead: address,
        });
        return;
      }
      setStanding({
        ...nothing,
        bad: end.kind === 'failed',
        says:
          end.kind === 'closed'
            ? 'The window was closed before it was done. If Microsoft refused the account there, sign in with one of this organisation.'
            : end.says,
      });
      forgetLoads();
      changed();
    } catch (error) {
      setStanding({ ...nothing, bad: true, says: asApiError(error).message });
    }
  }

  async function makeLink(): Promise<void> {
    setStanding({ ...nothing, busy: 'making-link' });
    try {
      const made = await api.post<LinkMade>(`${path}/link`, {});
      setStanding({ ...nothing, link: { ...made, copied: await copied(made.url) } });
    } catch (error) {
      setStanding({ ...nothing, bad: true, says: asApiError(error).message });
    }
  }

  return { standing, signIn, makeLink };
}

/** Teams on some devices lets no page write to the clipboard: then the link is there to be marked. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
