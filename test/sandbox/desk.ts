import type { Answer, Call } from './http.ts';

export type Desk = { answer(call: Call): Answer | undefined };
