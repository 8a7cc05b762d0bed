import type { CardData } from '../services.ts';
import type { AskButton, Button } from './actions.ts';
import { cardTemplate } from './render.ts';
import template from './rows.json' with { type: 'json' };

/** A line of a list. All texts are Markdown: foreign ones come escaped. Empty texts are not drawn. */
export type Row = {
  name: string;
  detail?: string;
  value?: string;
  valueColor?: 'Default' | 'Good' | 'Attention' | 'Warning';
  change?: string;
  changeColor?: 'Default' | 'Good' | 'Attention';
  note?: string;
  /** What a click on the row asks for. */
  select?: AskButton;
};

export type List = {
  /** Plain text of the whole card. */
  fallback: string;
  title: string;
  caption?: string;
  rows: Row[];
  foot?: string;
  buttons: Button[];
};

type FilledRow = Omit<Required<Row>, 'select'> & {
  select: AskButton | undefined;
  clickable: boolean;
  changeSubtle: boolean;
};
const fill = cardTemplate<Omit<Required<List>, 'rows'> & { rows: FilledRow[] }>(template);

/** That a row can be opened is seen, not found by chance. */
function opens({ value = '', select }: Row): string {
  return select === undefined || value.endsWith('›') ? value : `${value}\u00a0›`.trim();
}

/** A list as a card: ranking, tenants, people, choices are all told in the same shape. */
export function listCard(list: List): CardData {
  return fill({
    caption: '',
    foot: '',
    ...list,
    rows: list.rows.map((row) => ({
      detail: '',
      valueColor: 'Default',
      change: '',
      changeColor: 'Default',
      note: '',
      select: undefined,
      clickable: row.select !== undefined,
      changeSubtle: (row.changeColor ?? 'Default') === 'Default',
      ...row,
      value: opens(row),
    })),
  });
}
