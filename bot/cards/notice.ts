import { clean, unescaped } from '../../shared/foreign-text.ts';
import type { CardData } from '../services.ts';
import type { Button } from './actions.ts';
import template from './notice.json' with { type: 'json' };
import { cardTemplate } from './render.ts';

/** A sentence with a way forward. `title`, `text`, `lines` and `foot` are Markdown: foreign text comes escaped. */
export type Notice = {
  title?: string;
  text: string;
  lines?: string[];
  foot?: string;
  /** Plain text of the card; absent: the text and the lines without their Markdown. */
  fallback?: string;
  buttons?: Button[];
};

type Filled = {
  title: string;
  text: string;
  lines: { line: string }[];
  foot: string;
  fallback: string;
  buttons: Button[];
};

const fill = cardTemplate<Filled>(template);

/** A small card that says one thing. */
export function noticeCard(notice: Notice): CardData {
  return fill({
    title: notice.title ?? '',
    text: notice.text,
    lines: (notice.lines ?? []).map((line) => ({ line })),
    foot: notice.foot ?? '',
    fallback: notice.fallback ?? clean(unescaped([notice.text, ...(notice.lines ?? [])].join(' ')), 700),
    buttons: notice.buttons ?? [],
  });
}
