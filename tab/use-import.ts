import { useCallback, useState } from 'react';
import { type Added, type CompanyLines, companyLimits, type LookedUp } from '../shared/api.ts';
import type { Api } from './api.ts';
import { forgetLoads } from './use-load.ts';
import { asApiError } from './use-me.ts';

/** `says` of a line that is left out: why. `id`: the tenant, once it was found. */
export type ImportLine = {
  line: number;
  name: string;
  domain: string;
  tags: string[];
  state: 'waiting' | 'good' | 'fault' | 'added' | 'failed';
  says: string;
  id: string;
};

type State =
  | { step: 'form'; busy: boolean; problem: string }
  | { step: 'looking' | 'ready' | 'adding' | 'done'; lines: ImportLine[]; busy: boolean; problem: string };

const pauseMs = 2_000;
/** Microsoft may be slow to answer: a domain is asked for so often before it is left out. */
const mostTries = 5;

/**
 * Reads a list, looks its domains up twenty at a time, and adds what was found good twenty at a time. Each step goes on
 * where it stopped: what was looked up or added is never asked for again, and the server adds nothing twice.
 */
export function useImport(api: Api) {
  const [state, setState] = useState<State>({ step: 'form', busy: false, problem: '' });

  const lookUp = useCallback(
    async (before: ImportLine[]): Promise<void> => {
      let lines = before;
      let tries = 0;
      try {
        for (;;) {
          const some = lines.filter((one) => one.state === 'waiting').slice(0, companyLimits.calls);
          if (some.length === 0) break;
          setState({ step: 'looking', lines, busy: true, problem: '' });
          const domains = some.map(({ domain }) => domain);
          const { found } = await api.post<{ found: LookedUp[] }>('companies/look-up', { domains });
          lines = settled(lines, found, tries >= mostTries);
          if (found.every(({ kind }) => kind === 'later')) {
            tries += 1;
            await new Promise((resolve) => setTimeout(resolve, pauseMs));
          } else tries = 0;
        }
        setState({ step: 'ready', lines, busy: false, problem: '' });
      } catch (error) {
        setState({ step: 'looking', lines, busy: false, problem: asApiError(error).message });
      }
    },
    [api],
  );

  const read = useCallback(
    async (text: string): Promise<void> => {
      setState({ step: 'form', busy: true, problem: '' });
      try {
        const answer = await api.post<CompanyLines>('companies/read', { text });
        await lookUp(
          answer.lines.map(({ fault, ...line }) => ({
            ...line,
            state: fault === '' ? 'waiting' : 'fault',
            says: fault,
            id: '',
          })),
        );
      } catch (error) {
        setState({ step: 'form', busy: false, problem: asApiError(error).message });
      }
    },
    [api, lookUp],
  );

  const add = useCallback(
    async (before: ImportLine[]): Promise<void> => {
      let lines = before;
      try {
        for (;;) {
          const some = lines.filter((one) => one.state === 'good').slice(0, companyLimits.calls);
          if (some.length === 0) break;
          setState({ step: 'adding', lines, busy: true, problem: '' });
          const companies = some.map(({ name, domain, tags, id }) => ({ name, domain, tags, id }));
          const { added } = await api.post<{ added: Added[] }>('companies/add', { companies });
          const results = new Map(added.map((one) => [one.domain, one]));
          lines = lines.map((line) => (some.includes(line) ? ended(line, results.get(line.domain)) : line));
        }
        setState({ step: 'done', lines, busy: false, problem: '' });
      } catch (error) {
        setState({ step: 'adding', lines, busy: false, problem: asApiError(error).message });
      } finally {
        forgetLoads();
      }
    },
    [api],
  );

  const lines = state.step === 'form' ? [] : state.lines;
  return {
    state,
    read,
    lookUp: () => lookUp(lines),
    add: () => add(lines),
    again: () => setState({ step: 'form', busy: false, problem: '' }),
  };
}

/** The lines with what was found. Two domains of one tenant are one company: the later line says so. */
function settled(lines: readonly ImportLine[], found: readonly LookedUp[], givesUp: boolean): ImportLine[] {
  const answers = new Map(found.map((one) => [one.domain, one]));
  const taken = new Map(
    lines.flatMap((one): [string, number][] => (one.state === 'good' ? [[one.id, one.line]] : [])),
  );
  return lines.map((line): ImportLine => {
    const answer = line.state === 'waiting' ? answers.get(line.domain) : undefined;
    if (answer === undefined || (answer.kind === 'later' && !givesUp)) return line;
    if (answer.kind !== 'found') return { ...line, state: 'fault', says: answer.says };
    if (answer.known !== null) {
      return { ...line, state: 'fault', says: `It is there already, as ${answer.known.name}.` };
    }
    const before = taken.get(answer.id);
    if (before !== undefined) return { ...line, state: 'fault', says: `The same tenant as line ${before}.` };
    taken.set(answer.id, line.line);
    return { ...line, state: 'good', id: answer.id };
  });
}

function ended(line: ImportLine, result: Added | undefined): ImportLine {
  if (result === undefined)
    return { ...line, state: 'failed', says: 'Nothing is known of it. Look at the list again.' };
  if (result.kind === 'failed') return { ...line, state: 'failed', says: result.says };
  return { ...line, state: 'added', name: result.name };
}
