import type { CollectionDeclaration } from '../../../bot/store/engine/collection.ts';

/** What the processes and threads of these tests write. */
export type Mark = { _id: string; n?: number; by?: string; text?: string };

export const marks: CollectionDeclaration = {
  name: 'marks',
  tenantScoped: false,
  indexes: [{ keys: { by: 1, n: 1 } }],
};
