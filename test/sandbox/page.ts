import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Answer } from './http.ts';

const style = readFileSync(new URL('./page.css', import.meta.url), 'utf8');

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A whole page with the sandbox's style and, when given, one script; nothing is loaded from elsewhere. */
export function page(options: {
  title: string;
  body: string;
  kind: 'narrow' | 'wide';
  script?: string;
  status?: number;
}): Answer {
  const { script } = options;
  const policy = [
    "default-src 'none'",
    // The empty icon, so that no browser asks for one.
    'img-src data:',
    `style-src '${digest(style)}'`,
    ...(script === undefined ? [] : [`script-src '${digest(script)}'`, "connect-src 'self'"]),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    status: options.status ?? 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': policy.join('; '),
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    body: `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>${escapeHtml(options.title)} · Watchpost sandbox</title>
<style>${style}</style></head>
<body class="${options.kind}">${options.body}${script === undefined ? '' : `<script>${script}</script>`}</body></html>`,
  };
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
