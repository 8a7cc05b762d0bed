import { clean, plain } from '../../shared/foreign-text.ts';
import { datasetWords } from '../../shared/tenants/not-read.ts';
import {
  type DatasetName,
  type DatasetState,
  datasetNames,
  directoryDatasetNames,
  type Tenant,
} from '../../shared/tenants/tenant.ts';
import {
  failingTries,
  healthLabel,
  healthReason,
  healthSentence,
} from '../../shared/tenants/tenant-health.ts';
import type { Instant } from '../../shared/time.ts';
import { ageText, listed, momentText, sentence } from '../../shared/words.ts';
import type { CardData } from '../services.ts';
import { ask, type LinkSettings, openTenant } from './actions.ts';
import { listCard, type Row } from './rows.ts';

const states: Record<DatasetState['state'], { says: string; color: NonNullable<Row['valueColor']> }> = {
  ok: { says: 'Read', color: 'Good' },
  'not-licensed': { says: 'Not licensed', color: 'Default' },
  'not-granted': { says: 'Not granted', color: 'Default' },
  'permission-missing': { says: 'Permission missing', color: 'Attention' },
  throttled: { says: 'Microsoft asks us to wait', color: 'Warning' },
  error: { says: 'Could not be read', color: 'Attention' },
};

/** One tenant's connection: its state, why and since when, then each dataset with the time of its data. */
export function tenantHealthCard(input: { tenant: Tenant; now: Instant; settings: LinkSettings }): CardData {
  const { tenant, now, settings } = input;
  const { health } = tenant;
  const since = health.state === 'waiting' ? '' : ` since ${momentText(health.since, now)}`;
  const { datasets } = tenant;
  const known = datasetNames.filter((name) => datasets[name] !== undefined);
  // Of what may be granted beside, only trouble has a line of its own; what nobody granted is a choice, named once.
  const beside = directoryDatasetNames.filter((name) => datasets[name] !== undefined);
  const ill = beside.filter(
    (name) => !['ok', 'not-granted', 'not-licensed'].includes(datasets[name]?.state ?? ''),
  );
  const optional = beside.filter((name) => datasets[name]?.state === 'not-granted');
  return listCard({
    fallback: clean(`${tenant.name}: ${healthSentence(health, now)}`, 700),
    title: `${plain(tenant.name, 80)}: ${healthLabel(health.state)}${since}`,
    caption: [plain(tenant.domain, 80), plain(healthReason(health) || failingTries(health), 400)]
      .filter(Boolean)
      .join(' · '),
    rows: [...known, ...ill].map((name) => datasetRow(name, tenant, now)),
    foot:
      known.length === 0
        ? 'Nothing was read of it yet.'
        : optional.length === 0
          ? ''
          : `Not granted: ${listed(optional.map((name) => datasetWords[name]))}.`,
    buttons: [ask('Score', { verb: 'score', tenant: tenant.id }), openTenant(tenant.id, settings)],
  });
}

function datasetRow(name: DatasetName, { datasets, health }: Tenant, now: Instant): Row {
  const state = datasets[name];
  if (state === undefined) return { name: title(name), value: 'Not read yet' };
  const { says, color } = states[state.state];
  const why = state.why ?? '';
  return {
    name: title(name),
    value: says,
    valueColor: color,
    change:
      state.readAt === undefined
        ? 'never read'
        : `${state.state === 'ok' ? '' : 'data of '}${ageText(state.readAt, now)}`,
    // What the head of the card says is not said once for each dataset.
    note: state.state === 'ok' || bare(why) === bare(health.cause) ? '' : noteOf(state, why),
  };
}

function noteOf({ permission }: DatasetState, why: string): string {
  const said = sentence(plain(why, 200));
  return permission === undefined || why.includes(permission)
    ? said
    : `${said} ${plain(permission, 80)}`.trim();
}

function title(name: DatasetName): string {
  const words = datasetWords[name];
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function bare(text: string): string {
  return text.trim().replace(/[.]$/, '');
}
