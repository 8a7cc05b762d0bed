import { app, authentication, FrameContexts, pages } from '@microsoft/teams-js';
import { type ThemeName, themeNamed } from './theme.ts';

/** What the page needs of the Teams client around it. */
export type TeamsHost = {
  theme: ThemeName;
  onTheme(changed: (name: ThemeName) => void): void;
  /** `tenant:{id}` of a deep link, when the tab was opened with one. */
  subPage: string | undefined;
  /** A token for our API; rejects when the person or the organisation has not agreed. */
  token(): Promise<string>;
  /** Teams' own back button (phones) asks this first; true = we went back inside the page. */
  onBack(back: () => boolean): void;
  /** The first frame is painted. */
  appeared(): void;
  /** There is something to read: Teams takes its own loading screen away. */
  ready(): void;
  /** There is something to do before there is something to read: agreeing, or setting a clock. */
  asks(why: string): void;
  /** There will be nothing to read without a new start. */
  failed(why: string): void;
  /** What the tab of a channel shows already, when its settings are opened again: `tenants` or `tenant:{id}`. */
  entity: string | undefined;
  /** In the settings of a channel's tab; null everywhere else. */
  settings: TabSettings | null;
};

/** A tab of a channel as Teams keeps it. */
export type ChannelTab = { entityId: string; contentUrl: string; name: string };
export type TabSettings = {
  /** What *Save* will keep; null as long as nothing is chosen: then it cannot be pressed. */
  offer(tab: ChannelTab | null): void;
};

/** A Teams client answers within a fraction of this; a page in any other frame never does. */
const helloMs = 5_000;
/** Long enough for a person to read what Teams asks and to answer. */
const tokenMs = 90_000;

/** The Teams client around this page, or null when there is none. */
export async function findTeams(): Promise<TeamsHost | null> {
  let context: app.Context;
  try {
    context = await within(helloMs, app.initialize().then(app.getContext));
  } catch {
    return null; // nobody who speaks Teams' language is around us
  }
  let told: ((name: ThemeName) => void) | undefined;
  app.registerOnThemeChangeHandler((theme) => told?.(themeNamed(theme)));
  return {
    theme: themeNamed(context.app.theme),
    onTheme: (changed) => {
      told = changed;
    },
    subPage: context.page.subPageId || undefined,
    token: () => within(tokenMs, authentication.getAuthToken()),
    onBack: (back) => {
      if (pages.backStack.isSupported()) pages.backStack.registerBackButtonHandler(back);
    },
    appeared: () => app.notifyAppLoaded(),
    ready: () => app.notifySuccess(),
    asks: (message) =>
      app.notifyExpectedFailure({ reason: app.ExpectedFailureReason.PermissionError, message }),
    failed: (message) => app.notifyFailure({ reason: app.FailedReason.Other, message }),
    entity: context.page.id || undefined,
    settings:
      context.page.frameContext === FrameContexts.settings && pages.config.isSupported() ? settings() : null,
  };
}

function settings(): TabSettings {
  let chosen: ChannelTab | null = null;
  pages.config.registerOnSaveHandler((event) => {
    if (chosen === null) return event.notifyFailure('Choose what the tab shows.');
    const { entityId, contentUrl, name } = chosen;
    pages.config.setConfig({ entityId, contentUrl, websiteUrl: contentUrl, suggestedDisplayName: name }).then(
      () => event.notifySuccess(),
      () => event.notifyFailure('Teams did not take the settings.'),
    );
  });
  return {
    offer: (tab) => {
      chosen = tab;
      pages.config.setValidityState(tab !== null);
    },
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), ms);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
