import type { MyClaims } from '../shared/api.ts';
import { LoadFailed } from './LoadFailed.tsx';
import { follow } from './navigation.ts';
import { exactTime } from './parts.tsx';
import type { SectionProps } from './section.ts';
import { useHeadingFocus } from './use-heading-focus.ts';
import { useLoad } from './use-load.ts';
import './people.css';

/** *Who am I*: what my token says, which role follows and why. Whoever can read this page has a sign-in that works. */
export function WhoAmI({ api }: SectionProps) {
  const heading = useHeadingFocus('Who am I');
  const claims = useLoad<MyClaims>('claims', (signal) => api.get('me/claims', signal));
  const me = claims.value;
  if (me === null) {
    return claims.error === null ? (
      <main aria-busy="true" />
    ) : (
      <LoadFailed what="Your sign-in" error={claims.error} reload={claims.reload} />
    );
  }
  return (
    <main className="who">
      <header className="head">
        <div className="titles">
          <a className="crumb" href="/tab/" onClick={follow}>
            ← Tenants
          </a>
          <h1 ref={heading} tabIndex={-1}>
            {me.name === '' ? 'A person without a name' : me.name}
          </h1>
          <span className="caption">
            {[me.mail, me.home ? 'of this organisation' : 'of another organisation']
              .filter(Boolean)
              .join(' · ')}
          </span>
        </div>
      </header>
      <section className="card">
        <h2>{me.role === null ? 'You have no role' : `Your strongest role is ${me.role}`}</h2>
        {me.rights.length > 0 && (
          <ul className="rights">
            {me.rights.map(({ says, why, until }) => (
              <li key={`${says} ${why}`}>
                <b>{says}</b>
                <span className="caption">
                  {why}
                  {until !== null && `; lapses ${exactTime(until)}`}
                </span>
              </li>
            ))}
          </ul>
        )}
        {me.denied.map((one) => (
          <p key={one} className="worse">
            Denied: {one}.
          </p>
        ))}
        {me.rights.length === 0 && (
          <p>An Admin gives roles, in a chat with Watchpost or on the page People. Your ids stand below.</p>
        )}
        {me.notes.map((note) => (
          <p key={note} className="attention">
            {note}
          </p>
        ))}
      </section>
      <section className="card">
        <h2>What your sign-in says</h2>
        <p className="caption">
          Microsoft signed you in, and Watchpost accepted the token. These are the claims in it that matter.
        </p>
        <dl className="claims">
          {me.claims.map(({ claim, value, use }) => (
            <div key={claim}>
              <dt>
                <code>{claim}</code>
              </dt>
              <dd>
                <span className="value">{shown(claim, value)}</span>
                <span className="caption">{use}</span>
              </dd>
            </div>
          ))}
        </dl>
      </section>
    </main>
  );
}

function shown(claim: string, value: string): string {
  if (value === '') return 'none';
  return claim === 'iat' || claim === 'exp' ? exactTime(value) : value;
}
