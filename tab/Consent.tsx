import { Button } from '@fluentui/react-components';
import { useId } from 'react';
import type { LinkState } from '../shared/api.ts';
import { neverRead } from '../shared/tenants/permissions.ts';
import { dayOf } from '../shared/time.ts';
import { fullDay, listed } from '../shared/words.ts';
import type { Api } from './api.ts';
import './consent.css';
import { exactTime } from './parts.tsx';
import { type ConsentStanding, useConsent } from './use-consent.ts';
import { useLoad } from './use-load.ts';

type Company = { id: string; name: string };

/** On the page of one company: the two ways in that leave no secret here. `again`: there is a way in already. */
export function Consent(props: { api: Api; company: Company; again: boolean; changed: () => void }) {
  const { api, company, again } = props;
  const { standing, signIn, makeLink } = useConsent(api, company.id, props.changed);
  const state = useLoad<LinkState>(`link ${company.id}`, (signal) =>
    api.get(`tenants/${encodeURIComponent(company.id)}/link`, signal),
  );
  const kept = state.value?.link ?? null;
  if (state.value === null) return null;
  if (!state.value.consent) {
    return (
      <p className="caption">
        Sign in with Microsoft is off: this Watchpost has no application to consent to (GRAPH_APP_ID).
      </p>
    );
  }
  return (
    <div className="consent">
      <p>
        {again ? 'Connect it anew: an' : 'An'} administrator of {company.name} signs in and consents. No
        secret is kept, and {listed(neverRead)} are never read.
      </p>
      <div className="buttons">
        <Button
          appearance={again ? 'secondary' : 'primary'}
          disabledFocusable={standing.busy !== null}
          onClick={() => void signIn()}
        >
          {again ? 'Reconnect with Microsoft' : 'Sign in with Microsoft'}
        </Button>
        <Button disabledFocusable={standing.busy !== null} onClick={() => void makeLink()}>
          {kept === null && standing.link === null ? 'Generate link' : 'Generate new link'}
        </Button>
      </div>
      {kept !== null && standing.link === null && (
        <p className="caption">
          A link made on {fullDay(dayOf(kept.madeAt))} can be used until {exactTime(kept.expiresAt)}. It is
          not shown again; a new one ends it.
        </p>
      )}
      <Said standing={standing} company={company} />
    </div>
  );
}

/** In a row of a list: the same two ways, small. */
export function ConsentRow(props: { api: Api; company: Company; again: boolean; changed: () => void }) {
  const { api, company, again } = props;
  const { standing, signIn, makeLink } = useConsent(api, company.id, props.changed);
  const busy = standing.busy !== null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only keeps clicks from the row, which would leave the page
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the buttons inside
    <span className="consent-row" onClick={(event) => event.stopPropagation()}>
      <button type="button" className="quiet" disabled={busy} onClick={() => void signIn()}>
        {again ? 'Reconnect' : 'Sign in with Microsoft'}
        <span className="sr">: {company.name}</span>
      </button>
      <button type="button" className="quiet" disabled={busy} onClick={() => void makeLink()}>
        {standing.link === null ? 'Generate link' : 'Generate new link'}
        <span className="sr">: {company.name}</span>
      </button>
      <Said standing={standing} company={company} />
    </span>
  );
}

/** What came of it. The place is always there: a screen reader hears only what changes in it. */
function Said({ standing, company }: { standing: ConsentStanding; company: Company }) {
  const { says, bad, instead, link } = standing;
  const field = useId();
  return (
    <>
      <span role={bad ? 'alert' : 'status'} className={bad ? 'worse said' : 'said'}>
        {says}
        {link !== null && (link.copied ? 'The link is copied.' : 'Copy the link:')}
      </span>
      {instead !== null && (
        <a className="said" href={instead} target="_blank" rel="noopener">
          Sign in with Microsoft in a new window
        </a>
      )}
      {link !== null && (
        <span className="made-link">
          <label className="sr" htmlFor={field}>
            Link for an administrator of {company.name}
          </label>
          <input
            id={field}
            className="search"
            readOnly
            value={link.url}
            onFocus={({ target }) => target.select()}
          />
          <span className="caption">
            Works once, until {exactTime(link.expiresAt)}. For a Global Administrator or Privileged Role
            Administrator of {company.name}. Earlier links have ended.
          </span>
        </span>
      )}
    </>
  );
}
