/** What is read of a tenant at a time of its own: the scores, and beside them users, groups, licences and domains. */
export const cadenceParts = ['scores', 'directory'] as const;
export type CadencePart = (typeof cadenceParts)[number];

/** Cron expressions (UTC) of one tenant; a part that is absent is read as the settings say. */
export type Cadence = Partial<Record<CadencePart, string>>;

/** What people choose from. `default`: as the settings of Watchpost say. */
export const cadenceChoices = ['default', 'hourly', 'six-hours', 'daily', 'weekly'] as const;
export type CadenceChoice = (typeof cadenceChoices)[number];

// Not on the full hour, when everybody else's jobs begin; each tenant adds its own share of the interval.
const crons: Record<Exclude<CadenceChoice, 'default'>, string> = {
  hourly: '7 * * * *',
  'six-hours': '7 */6 * * *',
  daily: '7 4 * * *',
  weekly: '7 4 * * 1',
};

const words: Record<CadenceChoice, string> = {
  default: 'As in the settings',
  hourly: 'Every hour',
  'six-hours': 'Every 6 hours',
  daily: 'Every day',
  weekly: 'Every week',
};

/** The expression a choice stands for; undefined for the default. */
export function cronOfChoice(choice: CadenceChoice): string | undefined {
  return choice === 'default' ? undefined : crons[choice];
}

/** The choice an expression is; `other` for one that nobody can choose here. */
export function choiceOfCron(cron: string | undefined): CadenceChoice | 'other' {
  if (cron === undefined) return 'default';
  return cadenceChoices.find((choice) => cronOfChoice(choice) === cron) ?? 'other';
}

/** "Every 6 hours". */
export function cadenceText(choice: CadenceChoice | 'other'): string {
  return choice === 'other' ? 'A time of its own' : words[choice];
}

/** When a part of a tenant is read: by its own expression, else by the one of the settings. */
export function cronFor(
  tenant: { cadence?: Cadence } | null,
  part: CadencePart,
  settings: { syncScores: string; syncDirectory: string },
): string {
  return tenant?.cadence?.[part] ?? (part === 'scores' ? settings.syncScores : settings.syncDirectory);
}
