import type { Me } from '../shared/api.ts';
import { follow } from './navigation.ts';

const links: readonly { page: string; text: string; may: (me: Me) => boolean }[] = [
  { page: 'companies', text: 'Companies', may: (me) => me.may.sync },
  { page: 'jobs', text: 'Jobs', may: (me) => me.may.sync },
  { page: 'people', text: 'People', may: (me) => me.may.people },
  { page: 'audit', text: 'Audit', may: (me) => me.may.audit },
  { page: 'me', text: 'Who am I', may: () => true },
];

/** The ways to the other pages, for those who may open them. */
export function PageLinks({ me }: { me: Me | null }) {
  if (me === null) return null;
  return (
    <nav className="pages" aria-label="Pages">
      {links
        .filter(({ may }) => may(me))
        .map(({ page, text }) => (
          <a key={page} href={`/tab/${page}`} onClick={follow}>
            {text}
          </a>
        ))}
    </nav>
  );
}
