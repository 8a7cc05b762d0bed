import type { ConnectStep } from '../shared/api.ts';
import { counted } from '../shared/words.ts';
import { Outside } from './Outside.tsx';
import { Mark } from './parts.tsx';

const marks = { works: 'good', gap: 'good', failed: 'bad', 'not-tried': 'waiting' } as const;
const words = { works: 'works', gap: 'works in part', failed: 'failed', 'not-tried': 'not tried' } as const;

/** What a test is made of, for as long as it runs. */
const expected = [
  'Find the tenant',
  'Sign in to the tenant',
  'Read the organisation',
  'Read the domains',
  'Read the licences',
  'Read Secure Score',
  'Read the recommended actions',
];

/** What works and what does not, line by line, with what to do about it. Null while the test runs. */
export function ConnectSteps({ steps, find }: { steps: readonly ConnectStep[] | null; find: boolean }) {
  if (steps === null) {
    return (
      <ul className="steps" aria-busy="true">
        {expected.slice(find ? 0 : 1).map((step) => (
          <li key={step} className="muted">
            <Mark kind="waiting" />
            <span>{step}</span>
            <span className="caption">…</span>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <ul className="steps">
      {steps.map(withoutRepeats).map(({ step, state, says, remedy, link }) => (
        <li key={step} className={state === 'not-tried' ? 'muted' : undefined}>
          <Mark kind={marks[state]} />
          <span>{step}</span>
          <span className={state === 'failed' ? 'worse caption-size' : 'caption'}>{words[state]}</span>
          {(says !== '' || remedy !== '') && (
            <div className="step-text">
              {says !== '' && <p>{says}</p>}
              {remedy !== '' && <p className="caption">{remedy}</p>}
              {link !== null && (
                <p>
                  <Outside href={link.href}>{link.text}</Outside>
                </p>
              )}
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Two steps that lack the same permission say so once. */
function withoutRepeats(one: ConnectStep, at: number, all: readonly ConnectStep[]): ConnectStep {
  const first = all.findIndex(({ state, says, remedy }) => {
    return state === 'failed' && says === one.says && remedy === one.remedy;
  });
  const repeats = one.state === 'failed' && first < at;
  return repeats ? { ...one, says: 'The same as above.', remedy: '', link: null } : one;
}

/** The test in one sentence, for who cannot see the list. */
export function stepsInWords(steps: readonly ConnectStep[]): string {
  const failed = steps.filter(({ state }) => state === 'failed');
  const [first] = failed;
  if (first === undefined) return 'Everything works.';
  return `${counted(failed.length, 'step')} failed. ${first.step}: ${first.says} ${first.remedy}`;
}
