import type { DirectoryPage, MarkedDomain } from '../shared/directory/page.ts';
import { dkimWords, dmarcWords, spfWords } from '../shared/mail/words.ts';
import { sentence } from '../shared/words.ts';
import { Head, NotKnown } from './DirectoryParts.tsx';
import { Mark } from './parts.tsx';

const marks = { good: 'good', fair: 'old', weak: 'bad', unknown: 'waiting' } as const;
const words = { good: 'Guarded', fair: 'Partly guarded', weak: 'Open', unknown: 'Not known' } as const;

/** How well each domain is guarded against mail in its name; the rule stands in `mail-domain.ts`. */
export function Domains({ page: { mail, now } }: { page: DirectoryPage }) {
  return (
    <section className="card">
      <Head title="Mail domains" fact={mail} now={now} />
      {mail.known ? (
        <ul className="mail-domains">
          {mail.value.map((domain) => (
            <Domain key={domain.name} domain={domain} />
          ))}
          {mail.value.length === 0 && (
            <li className="caption">No domain of its own; Microsoft guards those under onmicrosoft.com.</li>
          )}
        </ul>
      ) : (
        <NotKnown why={mail.why} />
      )}
    </section>
  );
}

function Domain({ domain }: { domain: MarkedDomain }) {
  return (
    <li>
      <span className="name">
        <Mark kind={marks[domain.mark]} /> {domain.name}
        {domain.isDefault && <span className="tag">default</span>}
      </span>
      <b>{words[domain.mark]}</b>
      <span className="caption">
        {domain.mark !== 'weak' && `${sentence(domain.why)} `}
        {[spfWords(domain), dkimWords(domain), dmarcWords(domain)].join(' · ')}
      </span>
    </li>
  );
}
