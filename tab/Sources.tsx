import type { TenantPage } from '../shared/api.ts';
import { datasetWords } from '../shared/tenants/not-read.ts';
import type { Instant } from '../shared/time.ts';
import { counted, listed, sentence } from '../shared/words.ts';
import { Age, Mark } from './parts.tsx';

type Source = TenantPage['datasets'][number];
const states: Record<Source['state'], string> = {
  ok: 'read',
  waiting: 'not read yet',
  'not-licensed': 'not licensed',
  'not-granted': 'not granted',
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
          {groupsOf(page.datasets).map((group) => (
            <SourceLine key={group[0].name} group={group} said={page.tenant.health.cause} now={now} />
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
            : numbered(page.licences).map(({ name, key }) => (
                <span key={key} className="tag">
                  {name}
                </span>
              ))}
          {more(page.licenceCount - page.licences.length)}
        </p>
        <details>
          <summary>{counted(page.domainCount, 'domain')}</summary>
          <ul className="plain">
            {page.domains.map((domain) => (
              <li key={domain}>{domain}</li>
            ))}
          </ul>
          {more(page.domainCount - page.domains.length)}
        </details>
      </section>
    </div>
  );
}

/** Two products may have one name: each keeps a key of its own. */
function numbered(names: readonly string[]): { name: string; key: string }[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name, key: `${count} ${name}` };
  });
}

/** The answer holds the first ones; how many there are is said. */
function more(count: number) {
  return count > 0 && <span className="caption">and {count} more</span>;
}

type Group = [Source, ...Source[]];

/** What is missing for the same reason stands in one line; what is read has its own. */
function groupsOf(sources: readonly Source[]): Group[] {
  const groups = new Map<string, Group>();
  for (const source of sources) {
    const key =
      source.state === 'ok' ? source.name : `${source.state} ${source.why} ${source.readAt === null}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [source]);
    else group.push(source);
  }
  return [...groups.values()];
}

/** `said` is what the head of the page says already: it is not said again. */
function SourceLine({ group, said, now }: { group: Group; said: string; now: Instant }) {
  const [source] = group;
  const good = source.state === 'ok';
  const words = listed(group.map(({ name }) => datasetWords[name]));
  const why = sentence(source.why || states[source.state]);
  // The oldest of them: none is older than what is said here.
  const readAt = group.map((one) => one.readAt ?? '').sort()[0] ?? '';
  return (
    <li>
      <Mark kind={good ? 'good' : source.state === 'waiting' ? 'waiting' : 'bad'} />
      <span>{sentence(words).replace(/\.$/, '')}</span>
      <span className="caption">
        {good && readAt !== '' ? (
          <>
            read <Age at={readAt} now={now} />
          </>
        ) : (
          <>
            {said !== '' && why === sentence(said) ? 'Cannot be read, as said above.' : why}
            {readAt !== '' && (
              <>
                {' Last read '}
                <Age at={readAt} now={now} />.
              </>
            )}
          </>
        )}
      </span>
    </li>
  );
}
