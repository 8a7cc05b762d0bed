import type { Me } from '../shared/api.ts';
import type { Api } from './api.ts';

/** What every page gets that is loaded when somebody goes there; `me` is null until it is known. */
export type SectionProps = { api: Api; me: Me | null };
