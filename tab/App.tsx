import { FluentProvider } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { Me } from '../shared/api.ts';
import type { Api } from './api.ts';
import { EntraPortal } from './entra-portal.ts';
import { useLazy } from './lazy.ts';
import { Notice } from './Notice.tsx';
import { follow, goBack, navigate, useRoute } from './navigation.ts';
import { Overview } from './Overview.tsx';
import { hrefOf, overview, type Route, type Section } from './route.ts';
import { Safe } from './Safe.tsx';
import { SignInTrouble } from './SignInTrouble.tsx';
import { OverviewFrame, TenantFrame } from './Skeleton.tsx';
import type { SectionProps } from './section.ts';
import { openSession, type Session } from './session.ts';
import type { TenantView } from './TenantView.tsx';
import type { TeamsHost } from './teams.ts';
import { paintWindow, type ThemeName, themeOf, watchSystemTheme } from './theme.ts';
import { useMe } from './use-me.ts';

// Loading begins with this file and not when somebody clicks; no Suspense, which would hold it back for 300 ms.
const tenantPage = import('./TenantView.tsx');

/** The whole page: theme, session, and which of the two pages is shown. */
export function App() {
  const [theme, setTheme] = useState<ThemeName>(() => watchSystemTheme(setThemeOutsideTeams));
  const [session, setSession] = useState<Session>({ kind: 'starting' });
  const [attempt, setAttempt] = useState(0);

  function setThemeOutsideTeams(name: ThemeName): void {
    setSession((current) => {
      if (current.kind !== 'ready' || current.teams === null) setTheme(name);
      return current;
    });
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` counts the tries of the person
  useEffect(() => {
    let current = true;
    setSession({ kind: 'starting' });
    openSession(setTheme)
      .catch((error: unknown): Session => ({ kind: 'failed', why: wordsOf(error) }))
      .then((opened) => {
        if (!current) return;
        setSession(opened);
        if (opened.kind === 'ready') opened.teams?.onBack(goBack);
      });
    return () => {
      current = false;
    };
  }, [attempt]);

  useEffect(() => paintWindow(theme), [theme]);

  return (
    <FluentProvider theme={themeOf(theme)} className="page">
      <Safe>
        <Content session={session} again={() => setAttempt((count) => count + 1)} />
      </Safe>
    </FluentProvider>
  );
}

function Content({ session, again }: { session: Session; again: () => void }) {
  const route = useRoute();
  const me = useMe(session);
  const { page } = route;
  useEffect(() => {
    if (session.kind === 'ready' && session.teams !== null && me.state !== 'loading') {
      if (me.state !== 'failed') session.teams.ready();
      else if (me.error.kind === 'consent' || me.error.kind === 'clock') session.teams.asks(me.error.message);
      else if (me.error.kind === 'signed-out') session.teams.failed(me.error.message);
      else session.teams.ready();
    }
  }, [session, me]);

  if (session.kind === 'failed') {
    return (
      <Notice title="Watchpost is not answering" action={{ text: 'Try again', run: again }} urgent>
        {session.why} Chat with Watchpost in Teams may still work.
      </Notice>
    );
  }
  if (session.kind === 'outside') {
    return (
      <Notice title="Open Watchpost in Teams">
        This page shows tenants to people who are signed in to Microsoft Teams. Open Teams, choose Apps, and
        look for Watchpost.
      </Notice>
    );
  }
  if (session.kind === 'signed-out') {
    return (
      <Notice title="Sign in to the demo" action={{ text: 'Sign in', run: () => void session.signIn() }}>
        {session.why ??
          'Choose one of the five people of the demo. In Teams this happens by itself; here the sandbox plays Microsoft.'}
      </Notice>
    );
  }
  if (session.kind === 'starting') {
    return page === 'tenant' ? <TenantFrame /> : <OverviewFrame />;
  }
  if (me.state === 'failed') return <SignInTrouble error={me.error} again={me.reload} />;
  // Whoever is signed in may look at that: without a role it says why there is none.
  if (route.page === 'me') return <SectionPage section="me" api={session.api} me={null} />;
  if (me.state === 'known' && me.value.role === null) {
    return (
      <Notice title="You have no role in Watchpost yet" action={{ text: 'Look again', run: me.reload }}>
        You are signed in as {me.value.name || 'a person without a name'}. Write <code>hello</code> to
        Watchpost in Teams once, so that it knows you. Then ask {whomToAsk(me.value.admins)} for a role: an
        Admin gives it on the page People. What your sign-in says:{' '}
        <a href="/tab/me" onClick={follow}>
          Who am I
        </a>
        . <SwitchPerson session={session} />
      </Notice>
    );
  }
  // Both pages load beside `me`: who has no role gets an empty answer and then the notice above.
  const who = me.state === 'known' ? me.value : null;
  return (
    <EntraPortal value={who?.entraPortal ?? 'https://entra.microsoft.com'}>
      <Pages session={session} route={route} who={who} />
    </EntraPortal>
  );
}

function Pages({
  session,
  route,
  who,
}: {
  session: Extract<Session, { kind: 'ready' }>;
  route: Route;
  who: Me | null;
}) {
  if (route.page === 'overview') {
    return (
      <Overview api={session.api} me={who} at={route}>
        <SwitchPerson session={session} />
      </Overview>
    );
  }
  if (route.page === 'tenant') return <Tenant key={route.id} api={session.api} id={route.id} />;
  if (route.page !== 'configure' && route.page !== 'unknown') {
    return <SectionPage key={route.page} section={route.page} api={session.api} me={who} />;
  }
  if (route.page === 'configure') return <ChannelSettings api={session.api} teams={session.teams} />;
  return (
    <Notice
      title="There is no such page"
      action={{ text: 'Show the tenants', run: () => navigate(hrefOf(overview)) }}
    >
      The link may be old or cut short.
    </Notice>
  );
}

function whomToAsk(admins: readonly string[] = []): string {
  if (admins.length === 0) return 'an Admin';
  const last = admins.at(-1) ?? '';
  return admins.length === 1 ? last : `${admins.slice(0, -1).join(', ')} or ${last}`;
}

/** In the demo one person plays five: this chooses another. */
function SwitchPerson({ session }: { session: Session }) {
  const leave = session.kind === 'ready' ? session.switchPerson : null;
  if (leave === null) return null;
  return (
    <button type="button" className="quiet" onClick={() => void leave()}>
      Switch person
    </button>
  );
}

function Tenant(props: { api: Api; id: string }) {
  const [View, setView] = useState<typeof TenantView | null>(null);
  useEffect(() => void tenantPage.then((loaded) => setView(() => loaded.TenantView)), []);
  return View === null ? <TenantFrame /> : <View {...props} />;
}

const loadSection: Record<Section, () => Promise<React.ComponentType<SectionProps>>> = {
  companies: async () => (await import('./Companies.tsx')).Companies,
  add: async () => (await import('./AddCompanies.tsx')).AddCompanies,
  jobs: async () => (await import('./Jobs.tsx')).Jobs,
  people: async () => (await import('./People.tsx')).People,
  audit: async () => (await import('./Audit.tsx')).Audit,
  me: async () => (await import('./WhoAmI.tsx')).WhoAmI,
};

function SectionPage({ section, ...props }: SectionProps & { section: Section }) {
  const Page = useLazy(loadSection[section], true);
  return Page === null ? <main aria-busy="true" /> : <Page {...props} />;
}

const loadConfigure = async () => (await import('./Configure.tsx')).Configure;

function ChannelSettings(props: { api: Api; teams: TeamsHost | null }) {
  const Page = useLazy(loadConfigure, true);
  return Page === null ? <main className="configure" aria-busy="true" /> : <Page {...props} />;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong.';
}
