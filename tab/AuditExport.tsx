import { Button } from '@fluentui/react-components';
import { useState } from 'react';
import { type AuditExport, type AuditQuery, type ExportFormat, exportLimits } from '../shared/api-audit.ts';
import type { Api } from './api.ts';
import { queryText } from './audit-query.ts';
import { asApiError } from './use-me.ts';

const types: Record<ExportFormat, string> = {
  csv: 'text/csv;charset=utf-8',
  jsonl: 'application/x-ndjson;charset=utf-8',
};

/** What is filtered as a file: fetched piece by piece, put together here, given to the browser to keep. */
export function AuditExportButtons({ api, query }: { api: Api; query: AuditQuery }) {
  const [says, setSays] = useState<{ text: string; bad: boolean }>({ text: '', bad: false });
  const [busy, setBusy] = useState(false);

  const run = async (format: ExportFormat): Promise<void> => {
    setBusy(true);
    setSays({ text: 'Collecting …', bad: false });
    try {
      const { parts, rows, more } = await collect(api, query, format, (count) =>
        setSays({ text: `${count} entries …`, bad: false }),
      );
      save(new Blob(parts, { type: types[format] }), `watchpost-audit-${today()}.${format}`);
      const cut = more ? '; there are more: narrow the filters for the rest' : '';
      setSays({ text: `${rows} ${rows === 1 ? 'entry' : 'entries'} exported${cut}.`, bad: false });
    } catch (error) {
      setSays({ text: asApiError(error).message, bad: true });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="audit-export">
      <span className={says.bad ? 'caption worse' : 'caption'} role={says.bad ? 'alert' : 'status'}>
        {says.text}
      </span>
      <Button disabledFocusable={busy} onClick={() => void run('csv')}>
        Export CSV
      </Button>
      <Button disabledFocusable={busy} onClick={() => void run('jsonl')}>
        Export JSON lines
      </Button>
    </div>
  );
}

async function collect(
  api: Api,
  query: AuditQuery,
  format: ExportFormat,
  progress: (rows: number) => void,
): Promise<{ parts: string[]; rows: number; more: boolean }> {
  const parts: string[] = [];
  const asked = queryText(query);
  let rows = 0;
  let next: string | null = null;
  do {
    const after: string = next === null ? '' : `&after=${encodeURIComponent(next)}`;
    const piece: AuditExport = await api.get(
      `audit/export${asked === '' ? '?' : `${asked}&`}format=${format}${after}`,
    );
    parts.push(piece.text);
    rows += piece.rows;
    next = piece.next;
    progress(rows);
  } while (next !== null && rows < exportLimits.file);
  return { parts, rows, more: next !== null };
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
