import { Button } from '@fluentui/react-components';
import { useEffect, useState } from 'react';
import type { TenantPage } from '../shared/api.ts';
import { isNotConnected } from '../shared/tenants/not-connected.ts';
import { failingTries, healthSentence } from '../shared/tenants/tenant-health.ts';
import { Actions } from './Actions.tsx';
import type { Api } from './api.ts';
import { Categories } from './Categories.tsx';
import { Connection } from './Connection.tsx';
import { Fall } from './Fall.tsx';
import { useLazy } from './lazy.ts';
import { Notice } from './Notice.tsx';
import { goBack, navigate } from './navigation.ts';
import { Outside } from './Outside.tsx';
import { Age, HealthWord } from './parts.tsx';
import { RefreshFailed } from './RefreshFailed.tsx';
import { hrefOf, overview } from './route.ts';
import { ScorePanel } from './ScorePanel.tsx';
import { TenantFrame } from './Skeleton.tsx';
import { Sources } from './Sources.tsx';
import { type Matter, useSyncNow } from './SyncNow.tsx';
import { TenantTags } from './TenantTags.tsx';
import { useHeadingFocus } from './use-heading-focus.ts';
import { useLoad } from './use-load.ts';
import { useNow } from './use-now.ts';
import { useReloadWhile } from './use-reload-while.ts';
import { Why } from './Why.tsx';

/** One tenant: how good, is it getting better, why, and what to do first. */
export function TenantView({ api, id }: { api: Api; id: string }) {
  const load = useLoad<TenantPage>(`tenant ${id}`, (signal) => api.tenant(id, signal));
  const health = load.value?.tenant.health;
  const waiting = health?.state === 'waiting' && !isNotConnected(health) && load.error === null;
  useReloadWhile(waiting, load.value, load.reload);
  useEffect(() => {
    // Not as an expression: newer browsers answer a promise, which React would take for a clean-up.
    window.scrollTo(0, 0);
  }, []);

  if (load.value !== null) {
    return (
      <Page page={load.value} api={api} reload={load.reload}>
        {load.error !== null && <RefreshFailed error={load.error} reload={load.reload} />}
      </Page>
    );
  }
  if (load.error === null) return <TenantFrame />;
  if (load.error.kind === 'not-found') {
    return (
      <Notice
        title="No such tenant is available here"
        action={{ text: 'Show the tenants', run: () => navigate(hrefOf(overview)) }}
      >
        It does not exist, or it is not within your scope. Ask an Admin of Watchpost if you think it should
        be.
      </Notice>
    );
  }
  return (
    <Notice
      title="This tenant could not be loaded"
      action={{ text: 'Try again', run: load.reload }}
      id={load.error.id}
      urgent
    >
      {load.error.message} In chat, <code>score</code> may still answer.
    </Notice>
  );
}

const loadDirectory = async () => (await import('./Directory.tsx')).Directory;
const loadConnect = async () => (await import('./Connect.tsx')).Connect;
const loadConsent = async () => (await import('./Consent.tsx')).Consent;
const loadRemove = async () => (await import('./Remove.tsx')).Remove;

function Page(props: { page: TenantPage; api: Api; reload: () => void; children: React.ReactNode }) {
  const { page, api, reload } = props;
  const { tenant } = page;
  const [dialog, setDialog] = useState<'connect' | 'remove' | null>(null);
  const close = (): void => setDialog(null);
  const Directory = useLazy(loadDirectory, true);
  const Connect = useLazy(loadConnect, dialog === 'connect');
  const Remove = useLazy(loadRemove, dialog === 'remove');
  const sync = useSyncNow({
    api,
    id: tenant.id,
    name: tenant.name,
    trouble: (tenant.health.cause || tenant.health.failing?.cause || '').replace(/\.$/, ''),
    ended: reload,
  });
  const heading = useHeadingFocus(tenant.name);
  const now = useNow(page.now);
  return (
    <main className="tenant">
      <nav aria-label="Where you are">
        <a
          className="crumb"
          href={hrefOf(overview)}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            // The list comes back as it was left: same filter, same place.
            if (!goBack()) navigate(hrefOf(overview));
          }}
        >
          <span aria-hidden="true">‹ </span>Tenants
        </a>
      </nav>
      <header className="head">
        <div className="titles">
          <h1 ref={heading} tabIndex={-1}>
            {tenant.name}
          </h1>
          <span className="caption">{tenant.domain}</span>
          <HealthWord row={tenant} />
          <span className="caption">
            {tenant.readAt === null ? (
              'not read yet'
            ) : (
              <>
                read <Age at={tenant.readAt} now={now} />
              </>
            )}
          </span>
          <TenantTags
            api={api}
            id={tenant.id}
            name={tenant.name}
            tags={tenant.tags}
            mayChange={page.may.connect}
            changed={reload}
          />
        </div>
        {page.may.sync && !isNotConnected(tenant.health) && sync.button}
      </header>
      {props.children}
      {sync.outcome(matterOf(page, now, page.may.connect ? () => setDialog('connect') : null))}
      {page.fall !== null && <Fall fall={page.fall} now={now} />}
      {tenant.score === null && isNotConnected(tenant.health) ? (
        <NotConnected page={page} api={api} changed={reload} />
      ) : tenant.score === null ? (
        <section className="card empty">
          <h2>There is no score yet</h2>
          <p>
            {tenant.health.state === 'waiting'
              ? 'The first sync is under way. What it finds shows here in a minute.'
              : 'Nothing has been read of this tenant yet; what stands in the way is said above.'}
          </p>
        </section>
      ) : (
        <>
          <div className="panels">
            <ScorePanel page={page} score={tenant.score} now={now} />
            <div className="side">
              <Why page={page} score={tenant.score} now={now} />
              <Categories categories={page.categories} />
            </div>
          </div>
          <Actions actions={page.actions} count={page.actionCount} />
        </>
      )}
      {Directory !== null && !isNotConnected(tenant.health) && (
        <Directory api={api} id={tenant.id} at={page.now} />
      )}
      {!isNotConnected(tenant.health) && <Sources page={page} now={now} />}
      <Connection
        page={page}
        now={now}
        api={api}
        changed={reload}
        update={() => setDialog('connect')}
        remove={() => setDialog('remove')}
      />
      {dialog === 'connect' && Connect !== null && (
        <Connect
          api={api}
          tenant={{
            id: tenant.id,
            name: tenant.name,
            appId: page.waiting?.appId ?? page.credential?.appId ?? null,
            waits: page.waiting !== null,
            // What waits is what was begun last.
            way: page.waiting === null && page.credential?.kind !== 'certificate' ? 'secret' : 'certificate',
          }}
          close={close}
          changed={reload}
        />
      )}
      {dialog === 'remove' && Remove !== null && <Remove api={api} tenant={tenant} close={close} />}
    </main>
  );
}

/** Nothing to see before somebody has let Watchpost in: the ways in stand where the score will. */
function NotConnected(props: { page: TenantPage; api: Api; changed: () => void }) {
  const { page } = props;
  const Consent = useLazy(loadConsent, page.may.connect);
  return (
    <section className="card">
      <h2>Not connected yet</h2>
      {page.may.connect ? (
        Consent !== null && (
          <Consent api={props.api} company={page.tenant} again={false} changed={props.changed} />
        )
      ) : (
        <p>An Admin of Watchpost connects it; its score shows here a minute later.</p>
      )}
    </section>
  );
}

/** What stands between this page and the truth: trouble with the connection, or old data; and the way out of it. */
function matterOf(page: TenantPage, now: string, update: (() => void) | null): Matter | null {
  const { health, stale, readAt } = page.tenant;
  const trouble = health.state !== 'connected' && health.state !== 'waiting';
  const failing = failingTries(health);
  if (!trouble && failing === '' && !stale) return null;
  const words = (
    <>
      {trouble
        ? healthSentence(health, now)
        : failing || 'This is old data: the last syncs did not come through.'}
      {readAt !== null && (
        <>
          {' What you see was read '}
          <Age at={readAt} now={now} />.
        </>
      )}
      {page.mend !== null && (
        <>
          {' '}
          <Outside href={page.mend.href}>{page.mend.text}</Outside>
        </>
      )}
    </>
  );
  const button = trouble && health.state === 'authentication-error' && update !== null && (
    <Button size="small" onClick={update}>
      Update credentials
    </Button>
  );
  return { words, button };
}
