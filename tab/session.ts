import { type Api, ApiError, openApi, tabConfig } from './api.ts';
import { mayBeInTeams } from './in-teams.ts';
import { navigate } from './navigation.ts';
import { hrefOf, routeOfSubPage } from './route.ts';
import { finishSignIn, startSignIn } from './sign-in.ts';
import type { TeamsHost } from './teams.ts';
import type { ThemeName } from './theme.ts';
import { tokenTrouble } from './token-trouble.ts';

/** Where the page stands with the person before it. */
export type Session =
  | { kind: 'starting' }
  /** `switchPerson` only in the demo's browser: leaves for the sandbox's page to choose somebody else. */
  | { kind: 'ready'; api: Api; teams: TeamsHost | null; switchPerson: (() => Promise<void>) | null }
  /** The demo's browser: `signIn` leaves for the sandbox's page. */
  | { kind: 'signed-out'; signIn: () => Promise<void>; why: string | undefined }
  /** A browser that is not Teams, and no other way to sign in. */
  | { kind: 'outside' }
  | { kind: 'failed'; why: string };

/** Asked for at once and beside everything else; not at all in a browser that cannot be Teams. */
const teamsLibrary = mayBeInTeams() ? import('./teams.ts') : null;

/** Finds out where we are and how this page gets its token. `onTheme` is told now and at every change. */
export async function openSession(onTheme: (name: ThemeName) => void): Promise<Session> {
  const teams = teamsLibrary === null ? null : await (await teamsLibrary).findTeams();
  return teams === null ? await inBrowser() : inTeams(teams, onTheme);
}

function inTeams(teams: TeamsHost, onTheme: (name: ThemeName) => void): Session {
  onTheme(teams.theme);
  teams.onTheme(onTheme);
  teams.appeared();
  // The address wins: a reload inside the page stays where it was.
  if (teams.subPage !== undefined && /^\/tab\/?$/.test(window.location.pathname)) {
    navigate(hrefOf(routeOfSubPage(teams.subPage)), 'replace');
  }
  const token = async (): Promise<string> => {
    try {
      // The client keeps the token and renews it; asking each time is what it wants.
      return await teams.token();
    } catch (error) {
      throw tokenTrouble(error);
    }
  };
  return { kind: 'ready', api: openApi(token), teams, switchPerson: null };
}

async function inBrowser(): Promise<Session> {
  const config = await tabConfig();
  if (config.signIn === 'teams-only') return { kind: 'outside' };
  const back = hereNow();
  const result = await finishSignIn(config);
  if (result.kind === 'none') {
    // Somebody may be signed in there since a page before; if so, the answer comes without a question.
    await startSignIn(config, back, 'none');
    return { kind: 'starting' };
  }
  const choose = () => startSignIn(config, hereNow(), 'select_account');
  if (result.kind === 'token') {
    navigate(result.back, 'replace');
    const api = openApi(async (fresh) => {
      if (!fresh) return result.token;
      throw new ApiError('signed-out', 'Your sign-in has ended. Load this page again to sign in.');
    });
    return { kind: 'ready', api, teams: null, switchPerson: choose };
  }
  if (result.back !== null) navigate(result.back, 'replace');
  return { kind: 'signed-out', signIn: choose, why: result.kind === 'failed' ? result.why : undefined };
}

function hereNow(): string {
  return window.location.pathname + window.location.search;
}
