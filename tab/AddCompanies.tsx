import { Button } from '@fluentui/react-components';
import { useId, useState } from 'react';
import { companyLimits } from '../shared/api.ts';
import { counted } from '../shared/words.ts';
import './companies.css';
import { Field } from './Field.tsx';
import { follow, navigate } from './navigation.ts';
import { Mark, TagChips } from './parts.tsx';
import type { SectionProps } from './section.ts';
import { asCell, asGroup, asHead, asRow, asTable } from './table-roles.ts';
import { useHeadingFocus } from './use-heading-focus.ts';
import { type ImportLine, useImport } from './use-import.ts';

const example = 'Name, Domain, Tags\nContoso Ltd, contoso.com, premium; north\nFabrikam, fabrikam.com';
const mostShown = 500;

/** Adding companies: one by a form, many by a list. Both are looked at first; only what was found good is added. */
export function AddCompanies({ api }: SectionProps) {
  const heading = useHeadingFocus('Add companies');
  const work = useImport(api);
  const { state } = work;
  return (
    <main className="work">
      <header className="head">
        <div className="titles">
          <h1 ref={heading} tabIndex={-1}>
            Add companies
          </h1>
          <a className="caption" href="/tab/companies" onClick={follow}>
            Back to the companies
          </a>
        </div>
      </header>
      {state.step === 'form' ? (
        <Forms begin={work.read} busy={state.busy} problem={state.problem} />
      ) : (
        <Preview work={work} />
      )}
    </main>
  );
}

function Forms(props: { begin: (text: string) => Promise<void>; busy: boolean; problem: string }) {
  const { begin, busy } = props;
  const [name, setName] = useState('');
  const [domain, setDomain] = useState('');
  const [tags, setTags] = useState('');
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState('');
  const paste = useId();

  const take = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    if (file.size > companyLimits.text * 2)
      return setWrong('This file is too large for a list of companies.');
    // A file of another encoding shows as such and is not taken for names.
    const content = decoded(await file.arrayBuffer());
    setWrong(
      content === null ? 'This file is no text in UTF-8. Save it as CSV (UTF-8) and choose it again.' : '',
    );
    if (content !== null) setText(content);
  };

  return (
    <>
      {(props.problem !== '' || wrong !== '') && (
        <div className="banner" role="alert">
          {wrong === '' ? props.problem : wrong}
        </div>
      )}
      <div className="two">
        <form
          className="card form"
          onSubmit={(event) => {
            event.preventDefault();
            void begin(`name,domain,tags\n${[name, domain, tags].map(quoted).join(',')}`);
          }}
        >
          <h2>One company</h2>
          <Field
            label="Name"
            optional
            hint="Without one it is called by its domain, until it has been read."
            most={companyLimits.name}
            value={name}
            change={setName}
          />
          <Field
            label="Domain or tenant id"
            hint="Any domain of its Microsoft 365, such as contoso.com."
            most={253}
            value={domain}
            change={setDomain}
          />
          <Field label="Tags" optional hint="Separated by commas." most={400} value={tags} change={setTags} />
          <div className="buttons">
            <Button type="submit" appearance="primary" disabledFocusable={busy}>
              {busy ? 'Looking …' : 'Look it up'}
            </Button>
          </div>
        </form>
        <form
          className="card form"
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim() !== '') void begin(text);
          }}
        >
          <h2>A list</h2>
          <div className="field">
            <label htmlFor={paste}>Paste lines of name, domain and tags</label>
            <textarea
              id={paste}
              className="search paste"
              value={text}
              maxLength={companyLimits.text}
              placeholder={example}
              spellCheck={false}
              onChange={({ target }) => setText(target.value)}
            />
            <p className="caption">
              Or <label htmlFor={`${paste} file`}>choose a CSV file</label>:{' '}
              <input
                id={`${paste} file`}
                type="file"
                accept=".csv,.tsv,.txt,text/csv,text/plain"
                onChange={({ target }) => void take(target.files?.[0])}
              />
            </p>
            <p className="caption">
              Up to {companyLimits.lines.toLocaleString('en-GB')} lines, with headings or without; commas,
              semicolons or tabs. The export of customers from Partner Center fits too.
            </p>
          </div>
          <div className="buttons">
            <Button type="submit" appearance="primary" disabledFocusable={busy || text.trim() === ''}>
              {busy ? 'Reading …' : 'Look at the list'}
            </Button>
          </div>
        </form>
      </div>
    </>
  );
}

function Preview({ work }: { work: ReturnType<typeof useImport> }) {
  const { state } = work;
  const [only, setOnly] = useState<'all' | 'faults'>('all');
  if (state.step === 'form') return null;
  const { lines, step, busy, problem } = state;
  const faults = lines.filter(({ state: one }) => one === 'fault' || one === 'failed').length;
  const good = lines.filter(({ state: one }) => one === 'good').length;
  const added = lines.filter(({ state: one }) => one === 'added').length;
  const waiting = lines.filter(({ state: one }) => one === 'waiting').length;
  const shown = (
    only === 'all' ? lines : lines.filter(({ state: one }) => one === 'fault' || one === 'failed')
  ).slice(0, mostShown);
  const lookedAt = lines.length - waiting;
  const says =
    step === 'looking'
      ? `${lookedAt} of ${counted(lines.length, 'line')} looked up …`
      : step === 'adding'
        ? `${added} of ${added + good} added …`
        : step === 'done'
          ? `${counted(added, 'company', 'companies')} added.${faults > 0 ? ` ${counted(faults, 'line')} left out.` : ''}`
          : `${counted(good, 'company', 'companies')} can be added.${faults > 0 ? ` ${counted(faults, 'line')} cannot: the reason stands beside each.` : ''}`;
  return (
    <>
      <section className="card summary">
        <span role="status">{says}</span>
        {(step === 'looking' || step === 'adding') && (
          <progress
            aria-label={step === 'looking' ? 'Lines looked up' : 'Companies added'}
            max={step === 'looking' ? lines.length : added + good}
            value={step === 'looking' ? lookedAt : added}
          />
        )}
        {problem !== '' && (
          <span role="alert" className="worse">
            {problem} What was done stays; go on when you like.
          </span>
        )}
        <span className="buttons">
          {!busy && step === 'looking' && (
            <Button appearance="primary" onClick={() => void work.lookUp()}>
              Go on
            </Button>
          )}
          {!busy && (step === 'ready' || step === 'adding') && good > 0 && (
            <Button appearance="primary" onClick={() => void work.add()}>
              {step === 'adding' ? 'Go on' : `Add ${counted(good, 'company', 'companies')}`}
            </Button>
          )}
          {step === 'done' && (
            <Button appearance="primary" onClick={() => navigate('/tab/companies?state=not-connected')}>
              Connect them
            </Button>
          )}
          {!busy && <Button onClick={work.again}>{step === 'done' ? 'Add more' : 'Change the list'}</Button>}
        </span>
      </section>
      {faults > 0 && (
        <fieldset className="chips">
          <legend className="sr">Which lines to show</legend>
          {(['all', 'faults'] as const).map((one) => (
            <button
              key={one}
              type="button"
              className="chip"
              aria-pressed={only === one}
              onClick={() => setOnly(one)}
            >
              {one === 'all' ? 'All' : 'Left out'}
              <span className="count"> {one === 'all' ? lines.length : faults}</span>
            </button>
          ))}
        </fieldset>
      )}
      <div className="card table-card">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key */}
        <section className="scroll" tabIndex={0} aria-label="Lines of the list">
          <table {...asTable}>
            <caption className="sr">Each line, and whether it can be added</caption>
            <thead {...asGroup}>
              <tr {...asRow}>
                <th {...asHead} className="number">
                  Line
                </th>
                <th {...asHead}>Company</th>
                <th {...asHead}>Tags</th>
                <th {...asHead}>Result</th>
              </tr>
            </thead>
            <tbody {...asGroup}>
              {shown.map((line) => (
                <Line key={line.line} line={line} />
              ))}
            </tbody>
          </table>
        </section>
        {(only === 'all' ? lines.length : faults) > mostShown && (
          <p className="more-status caption">The first {mostShown} lines are shown; all of them count.</p>
        )}
      </div>
    </>
  );
}

const words: Record<ImportLine['state'], string> = {
  waiting: 'Not looked up yet',
  good: 'Can be added',
  fault: '',
  added: 'Added',
  failed: '',
};

function Line({ line }: { line: ImportLine }) {
  const bad = line.state === 'fault' || line.state === 'failed';
  return (
    <tr {...asRow} className={bad ? 'bad' : undefined}>
      <td {...asCell} className="part number muted" data-label="Line">
        {line.line}
      </td>
      <td {...asCell} className="full">
        {line.name === '' ? line.domain : line.name}
        {line.name !== '' && (
          <span className="caption">{line.domain === '' ? 'no domain' : line.domain}</span>
        )}
      </td>
      <td {...asCell} className="full">
        <TagChips tags={line.tags} />
      </td>
      <td {...asCell} className="full">
        <span className="with-bar">
          <Mark kind={bad ? 'bad' : line.state === 'waiting' ? 'waiting' : 'good'} />
          {bad ? line.says : words[line.state]}
        </span>
      </td>
    </tr>
  );
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** UTF-8, or UTF-16 with its mark as older spreadsheets save it; null for anything else. */
function decoded(bytes: ArrayBuffer): string | null {
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null; // told by who asked
  }
}
