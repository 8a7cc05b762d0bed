import { Button } from '@fluentui/react-components';
import { type ReactNode, useId, useState } from 'react';
import type { BulkAnswer, BulkLinks, Selection } from '../shared/api.ts';
import { selectionLimits } from '../shared/api.ts';
import {
  type CadenceChoice,
  type CadencePart,
  cadenceChoices,
  cadenceText,
} from '../shared/tenants/cadence.ts';
import { longestTag } from '../shared/tenants/tag.ts';
import { counted } from '../shared/words.ts';
import type { Api, ApiError } from './api.ts';
import { download } from './download.ts';
import { Modal } from './Modal.tsx';
import { useBulkSync } from './use-bulk-sync.ts';
import { asApiError } from './use-me.ts';

type Dialog = 'none' | 'tags' | 'cadence' | 'links';

/** What can be done to the companies that are ticked, and what came of it. */
export function Bulk(props: {
  api: Api;
  /** Not only sync them. */
  manage: boolean;
  of: Selection;
  chosen: number;
  total: number;
  tags: readonly string[];
  /** Tags that one of the chosen has. */
  held: readonly string[];
  chooseAll: () => void;
  clear: () => void;
  changed: () => void;
}) {
  const { api, of, chosen, total } = props;
  const [dialog, setDialog] = useState<Dialog>('none');
  const [said, setSaid] = useState<ReactNode>('');
  const sync = useBulkSync(api, props.changed);
  const these = counted(chosen, 'company', 'companies');

  const close = (says?: ReactNode): void => {
    setDialog('none');
    if (says === undefined) return;
    setSaid(says);
    props.changed();
  };
  const running = sync.state.kind === 'running';

  return (
    <>
      <div role="status" className={sync.says === '' && said === '' ? 'sr' : 'banner quiet-banner'}>
        <span>{sync.says === '' ? said : sync.says}</span>
        {sync.state.kind === 'running' && (
          <progress
            aria-label="Companies read"
            max={Math.max(1, sync.state.progress.total)}
            value={sync.state.progress.done + sync.state.progress.failed}
          />
        )}
      </div>
      {chosen > 0 && (
        <section className="bulk" aria-label="What to do with the chosen companies">
          <span className="chosen" role="status">
            {these} chosen
          </span>
          {chosen < total && (
            <Button size="small" appearance="subtle" onClick={props.chooseAll}>
              Choose all {total}
            </Button>
          )}
          {props.manage && (
            <>
              <Button size="small" onClick={() => setDialog('tags')}>
                Tags
              </Button>
              <Button size="small" onClick={() => setDialog('cadence')}>
                How often
              </Button>
              <Button size="small" onClick={() => setDialog('links')}>
                Generate links
              </Button>
            </>
          )}
          <Button
            size="small"
            appearance="primary"
            disabledFocusable={running}
            onClick={() => {
              setSaid('');
              void sync.begin(of);
            }}
          >
            {running ? 'Syncing …' : 'Sync now'}
          </Button>
          <Button size="small" appearance="subtle" onClick={props.clear}>
            Choose none
          </Button>
        </section>
      )}
      {dialog === 'tags' && <Tags {...{ api, of, these, known: props.tags, held: props.held, close }} />}
      {dialog === 'cadence' && <HowOften {...{ api, of, these, close }} />}
      {dialog === 'links' && <Links {...{ api, of, these, chosen, close }} />}
    </>
  );
}

type DialogProps = { api: Api; of: Selection; these: string; close: (says?: ReactNode) => void };

/** The frame of the three: a form, what went wrong, and two buttons. */
function Form(props: {
  title: string;
  action: string;
  busy: string;
  run: () => Promise<ReactNode | undefined>;
  ready?: boolean;
  close: (says?: ReactNode) => void;
  children: ReactNode;
}) {
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const run = async (): Promise<void> => {
    if (working || props.ready === false) return;
    setWorking(true);
    setProblem(null);
    try {
      const says = await props.run();
      if (says !== undefined) props.close(says);
    } catch (error) {
      setProblem(asApiError(error));
    } finally {
      setWorking(false);
    }
  };
  return (
    <Modal title={props.title} busy={working} close={() => props.close()}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        {props.children}
        <div role="alert" className="outcome">
          {problem !== null && <p className="worse">{problem.message}</p>}
        </div>
        <footer className="modal-foot">
          <Button onClick={() => props.close()} disabled={working}>
            Cancel
          </Button>
          <Button appearance="primary" type="submit" disabledFocusable={working || props.ready === false}>
            {working ? props.busy : props.action}
          </Button>
        </footer>
      </form>
    </Modal>
  );
}

/** `known`: what is suggested; `held`: what at least one of these has and can lose. */
export function Tags(props: DialogProps & { known: readonly string[]; held: readonly string[] }) {
  const { api, of, these, known, held, close } = props;
  const [typed, setTyped] = useState('');
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const list = useId();
  const added = typed.trim() === '' ? add : [...add, typed.trim()];
  return (
    <Form
      title={`Tags of ${these}`}
      action="Save"
      busy="Saving …"
      ready={added.length + remove.length > 0}
      close={close}
      run={async () =>
        inWords(await api.post<BulkAnswer>('tenants/tags', { of, add: added, remove }), 'the tags')
      }
    >
      <div className="field">
        <label htmlFor={`${list} add`}>Add a tag</label>
        <input
          id={`${list} add`}
          className="search"
          list={list}
          value={typed}
          maxLength={longestTag}
          autoComplete="off"
          onChange={({ target }) => setTyped(target.value)}
          onKeyDown={(event) => {
            if (event.key !== ',' || typed.trim() === '') return;
            event.preventDefault();
            setAdd(added);
            setTyped('');
          }}
        />
        <datalist id={list}>
          {known.map((tag) => (
            <option key={tag} value={tag} />
          ))}
        </datalist>
        <p className="caption">
          A comma begins another one. Rights can be given by tag, so a tag can show a company to more people.
        </p>
      </div>
      {add.length > 0 && (
        <ul className="tag-chips" aria-label="To be added">
          {add.map((tag) => (
            <li key={tag} className="tag">
              {tag}
              <button
                type="button"
                aria-label={`Do not add ${tag}`}
                onClick={() => setAdd(add.filter((one) => one !== tag))}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      {held.length > 0 && (
        <fieldset className="choices card">
          <legend>Take away</legend>
          {held.map((tag) => (
            <label key={tag} className="choice">
              <input
                type="checkbox"
                checked={remove.includes(tag)}
                onChange={({ target }) =>
                  setRemove(target.checked ? [...remove, tag] : remove.filter((one) => one !== tag))
                }
              />
              {tag}
            </label>
          ))}
        </fieldset>
      )}
    </Form>
  );
}

function HowOften({ api, of, these, close }: DialogProps) {
  const [part, setPart] = useState<CadencePart>('scores');
  const [every, setEvery] = useState<CadenceChoice>('default');
  const id = useId();
  return (
    <Form
      title={`How often ${these} are read`}
      action="Save"
      busy="Saving …"
      close={close}
      run={async () =>
        inWords(await api.post<BulkAnswer>('tenants/cadence', { of, part, every }), 'how often they are read')
      }
    >
      <div className="field">
        <label htmlFor={`${id} part`}>What</label>
        <select
          id={`${id} part`}
          className="search"
          value={part}
          onChange={({ target }) => setPart(target.value as CadencePart)}
        >
          <option value="scores">Secure Score, and what health is judged by</option>
          <option value="directory">Users, groups, licences and domains</option>
        </select>
      </div>
      <div className="field">
        <label htmlFor={`${id} every`}>How often</label>
        <select
          id={`${id} every`}
          className="search"
          value={every}
          onChange={({ target }) => setEvery(target.value as CadenceChoice)}
        >
          {cadenceChoices.map((choice) => (
            <option key={choice} value={choice}>
              {cadenceText(choice)}
            </option>
          ))}
        </select>
        <p className="caption">
          Each company has its own minute within that time, so that they do not all come at once. Microsoft
          works a score out once a day.
        </p>
      </div>
    </Form>
  );
}

function Links({ api, of, these, chosen, close }: DialogProps & { chosen: number }) {
  const [again, setAgain] = useState(false);
  const tooMany = chosen > selectionLimits.links;
  return (
    <Form
      title={`Links for ${these}`}
      action="Generate and download"
      busy="Generating …"
      ready={!tooMany}
      close={close}
      run={async () => {
        const made = await api.post<BulkLinks>('tenants/links', { of, again });
        if (made.count > 0) download(made.file, made.csv);
        return linksInWords(made);
      }}
    >
      <p>
        You get a file with a link for the administrator of each company. A link can be used once, for 7 days;
        keep the file as you keep passwords.
      </p>
      <label className="choice">
        <input type="checkbox" checked={again} onChange={({ target }) => setAgain(target.checked)} />
        <span>
          Also for companies that are connected or have a link
          <span className="caption"> earlier links end</span>
        </span>
      </label>
      {tooMany && (
        <p className="worse">
          At most {selectionLimits.links} links are made at once: choose fewer companies.
        </p>
      )}
    </Form>
  );
}

function linksInWords({ count, left }: BulkLinks): string {
  const made =
    count === 0 ? 'No link was made.' : `${counted(count, 'link')} made; the file is in your downloads.`;
  if (left.length === 0) return made;
  const [first] = left;
  const names = left.length === 1 ? first?.name : `${first?.name} and ${left.length - 1} more`;
  return `${made} None for ${names}: ${first?.why}`;
}

function inWords({ changed, same, left }: BulkAnswer, what: string): string {
  const parts = [
    changed === 0
      ? `Nothing was changed.`
      : `Changed ${what} of ${counted(changed, 'company', 'companies')}.`,
    same > 0 ? `${counted(same, 'company was', 'companies were')} like that already.` : '',
    left > 0 ? `${counted(left, 'company was', 'companies were')} left as before.` : '',
  ];
  return parts.filter(Boolean).join(' ');
}
