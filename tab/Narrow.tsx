import type { TenantFigures } from '../shared/api.ts';
import { type WorkState, workStateText } from '../shared/tenants/work-state.ts';
import { Bar } from './parts.tsx';

type Narrowed = { state?: WorkState | undefined; tag?: string | undefined };

/** How many are connected, and the choices of state and tag, which narrow together with the search. */
export function Narrow(props: { figures: TenantFigures; at: Narrowed; go: (to: Narrowed) => void }) {
  const { figures, at, go } = props;
  const { tenants, connected, states, tags } = figures;
  return (
    <div className="narrow">
      <span className="with-bar connected">
        <Bar value={connected} max={tenants} />
        {connected} of {tenants} connected
      </span>
      <label>
        State{' '}
        <select
          className="search"
          value={at.state ?? ''}
          onChange={({ target }) => go({ state: (target.value || undefined) as WorkState | undefined })}
        >
          <option value="">All</option>
          {withChosen(
            states.map(({ state, count }) => [state, count]),
            at.state,
          ).map(([state, count]) => (
            <option key={state} value={state}>
              {workStateText(state)} ({count})
            </option>
          ))}
        </select>
      </label>
      {(tags.length > 0 || at.tag !== undefined) && (
        <label>
          Tag{' '}
          <select
            className="search"
            value={at.tag ?? ''}
            onChange={({ target }) => go({ tag: target.value || undefined })}
          >
            <option value="">All</option>
            {withChosen(
              tags.map(({ tag, count }) => [tag, count]),
              at.tag,
            ).map(([tag, count]) => (
              <option key={tag} value={tag}>
                {tag} ({count})
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

/** What is chosen stays in the list when nothing has it any more. */
function withChosen<T extends string>(choices: [T, number][], chosen: T | undefined): [T, number][] {
  if (chosen === undefined || choices.some(([one]) => one === chosen)) return choices;
  return [...choices, [chosen, 0]];
}
