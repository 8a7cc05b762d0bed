import type { TenantPage } from '../shared/api.ts';
import type { DatasetName } from '../shared/tenants/tenant.ts';
import type { Instant } from '../shared/time.ts';
import { counted, sentence } from '../shared/words.ts';
import { Age, Mark } from './parts.tsx';

const names: Record<DatasetName, string> = {
  secureScores: 'Secure Score',
  secureScoreControlProfiles: 'Recommendations',
  organization: 'Name of the organisation',
  domains: 'Domains',
  subscribedSkus: 'Licences',
};

type Source = TenantPage['datasets'][number];
const states: Record<Source['state'], string> = {
  ok: 'read',
  waiting: 'not read yet',
  'not-licensed': 'not licensed',
  'permission-missing': 'permission missing',
  throttled: 'Microsoft asks us to wait',
  error: 'could not be read',
};

/** What this page rests on: what was read and when, what was not and why; licences and domains beside it. */
export function Sources({ page, now }: { page: TenantPage; now: Instant }) {
  // The reasons of datasets stand in their own rows; what only a licence would show has none.
  const unseen = page.tenant.notRead.filter((line) => /needs Entra ID/.test(line));
  return (
    <div className="panels even">
      <section className="card">
        <h2>What is read</h2>
        <ul className="sources">
          {page.datasets.map((source) => (
            <SourceLine key={source.name} source={source} now={now} />
          ))}
          {unseen.map((line) => (
            <li key={line}>
              <Mark kind="waiting" />
              <span>{sentence(line.split(':')[0] ?? line).replace(/\.$/, '')}</span>
              <span className="caption">{sentence(line.split(':').slice(1).join(':'))}</span>
            </li>
          ))}
        </ul>
      </section>
      <section className="card">
        <h2>Licences and domains</h2>
        <p>
          {page.licences.length === 0
            ? 'Licences: not read.'
            : page.licences.map((licence) => (
                <span key={licence} className="tag">
                  {licence}
                </span>
              ))}
        </p>
        <details>
          <summary>{counted(page.domains.length, 'domain')}</summary>
          <ul className="plain">
            {page.domains.map((domain) => (
              <li key={domain}>{domain}</li>
            ))}
          </ul>
        </details>
      </section>
    </div>
  );
}

function SourceLine({ source, now }: { source: Source; now: Instant }) {
  const good = source.state === 'ok';
  return (
    <li>
      <Mark kind={good ? 'good' : source.state === 'waiting' ? 'waiting' : 'bad'} />
      <span>{names[source.name]}</span>
      <span className="caption">
        {good && source.readAt !== null ? (
          <>
            read <Age at={source.readAt} now={now} />
          </>
        ) : (
          <>
            {sentence(source.why || states[source.state])}
            {source.readAt !== null && (
              <>
                {' Last read '}
                <Age at={source.readAt} now={now} />.
              </>
            )}
          </>
        )}
      </span>
    </li>
  );
}
