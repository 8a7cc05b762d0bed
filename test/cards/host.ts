import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Teams as a card host, as far as looks go: sizes, spaces and colours of its three themes. */

const require = createRequire(import.meta.url);
const library = readFileSync(require.resolve('adaptivecards/dist/adaptivecards.js'), 'utf8');
const markdown = readFileSync(
  join(require.resolve('markdown-it/package.json'), '../dist/browser/markdown-it.umd.min.js'),
  'utf8',
);

type Colors = Record<
  | 'text'
  | 'subtle'
  | 'accent'
  | 'good'
  | 'warning'
  | 'attention'
  | 'card'
  | 'page'
  | 'line'
  | 'soft'
  | 'alert'
  | 'bad'
  | 'well',
  string
>;
const themes: Record<'light' | 'dark' | 'contrast', Colors> = {
  light: {
    ...{ text: '#242424', subtle: '#616161', accent: '#5b5fc7', good: '#237b4b', warning: '#835c00' },
    ...{
      attention: '#c4314b',
      card: '#ffffff',
      page: '#f5f5f5',
      line: '#e1e1e1',
      soft: '#f5f5f5',
      alert: '#fbf6d9',
      bad: '#f9d9d9',
      well: '#e7f2da',
    },
  },
  dark: {
    ...{ text: '#ffffff', subtle: '#adadad', accent: '#7f85f5', good: '#92c353', warning: '#f8d22a' },
    ...{
      attention: '#e37d80',
      card: '#292929',
      page: '#1b1b1b',
      line: '#3d3d3d',
      soft: '#1f1f1f',
      alert: '#463100',
      bad: '#5c1f26',
      well: '#1b3d16',
    },
  },
  contrast: {
    ...{ text: '#ffffff', subtle: '#ffffff', accent: '#1aebff', good: '#3ff23f', warning: '#ffff01' },
    ...{
      attention: '#ffff01',
      card: '#000000',
      page: '#000000',
      line: '#ffffff',
      soft: '#000000',
      alert: '#000000',
      bad: '#000000',
      well: '#000000',
    },
  },
};
export const themeNames = ['light', 'dark', 'contrast'] as const;
export type ThemeName = (typeof themeNames)[number];

function hostConfig(colors: Colors): object {
  const one = (color: string): object => ({ default: color, subtle: color });
  const foregroundColors = {
    default: { default: colors.text, subtle: colors.subtle },
    ...{ dark: one('#000000'), light: one('#ffffff'), accent: one(colors.accent) },
    ...{ good: one(colors.good), warning: one(colors.warning), attention: one(colors.attention) },
  };
  const style = (backgroundColor: string): object => ({ backgroundColor, foregroundColors });
  const font = (fontFamily: string): object => ({
    fontFamily,
    fontSizes: { small: 12, default: 14, medium: 16, large: 20, extraLarge: 24 },
    fontWeights: { lighter: 200, default: 400, bolder: 600 },
  });
  return {
    fontTypes: { default: font("'Segoe UI', sans-serif"), monospace: font('Consolas, monospace') },
    spacing: { small: 4, default: 8, medium: 12, large: 16, extraLarge: 20, padding: 16 },
    separator: { lineThickness: 1, lineColor: colors.line },
    supportsInteractivity: true,
    actions: { maxActions: 6, buttonSpacing: 8, actionsOrientation: 'horizontal', actionAlignment: 'left' },
    containerStyles: {
      default: style(colors.card),
      emphasis: style(colors.soft),
      warning: style(colors.alert),
      attention: style(colors.bad),
      good: style(colors.well),
    },
  };
}

/** A page with the cards under each other, `width` pixels wide; each stands in `.card` with its name. */
export function galleryPage(cards: Record<string, object>, width: number, theme: ThemeName): string {
  const colors = themes[theme];
  const data = (value: unknown): string => JSON.stringify(value).replace(/</g, '\\u003c');
  return `<!doctype html><html lang="en"><title>Cards</title><style>
    body { margin: 8px; background: ${colors.page}; color: ${colors.text} }
    .card { width: ${width}px; margin-bottom: 12px; background: ${colors.card}; border-radius: 6px; overflow: hidden }
    p { margin: 0 }
    .ac-actionSet { flex-wrap: wrap; row-gap: 8px }
    .ac-pushButton { border: 1px solid ${colors.subtle}; border-radius: 4px; padding: 6px 12px; background: none; color: inherit;
      max-width: 100%; overflow: hidden; white-space: nowrap; text-overflow: ellipsis }
    .ac-pushButton.style-positive { background: ${colors.accent}; border-color: ${colors.accent}; color: ${theme === 'light' ? '#ffffff' : '#000000'} }
    .ac-pushButton * { max-width: 100%; overflow: hidden; text-overflow: ellipsis }
  </style><body></body><script>${library}</script><script>${markdown}</script><script>
    const renderer = markdownit();
    AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
      result.outputHtml = renderer.render(text);
      result.didProcess = true;
    };
    for (const [name, json] of Object.entries(${data(cards)})) {
      const card = new AdaptiveCards.AdaptiveCard();
      card.hostConfig = new AdaptiveCards.HostConfig(${data(hostConfig(colors))});
      card.parse(json);
      const frame = document.createElement('div');
      frame.className = 'card';
      frame.dataset.name = name;
      frame.append(card.render());
      document.body.append(frame);
    }
  </script></html>`;
}
