import type { TenantId } from '../../shared/tenants/tenant.ts';
import type { CardAction, Settings } from '../services.ts';

/** What a card needs of the settings to lead on. */
export type LinkSettings = Pick<Settings, 'demo' | 'publicUrl' | 'teamsAppId'>;

export type AskButton = {
  type: 'Action.Execute';
  title: string;
  verb: string;
  data: CardAction;
  associatedInputs: 'none';
  /** The one button of a card that is meant before the others. */
  style?: 'positive';
};
export type Button = AskButton | { type: 'Action.OpenUrl'; title: string; url: string };

/** A button that asks us something; `action` is what it means, signed later on its way out. */
export function ask(title: string, action: CardAction): AskButton {
  return { type: 'Action.Execute', title, verb: action.verb, data: action, associatedInputs: 'none' };
}

/** *Open in Watchpost*: the tenant's page in the tab, inside Teams when the app is known there. */
export function openTenant(id: TenantId, settings: LinkSettings): Button {
  return { type: 'Action.OpenUrl', title: 'Open in Watchpost', url: tenantUrl(id, settings) };
}

/** *Open in Watchpost* for the list of tenants. */
export function openTenants(settings: LinkSettings): Button {
  const page = `${settings.publicUrl}/tab/`;
  const url =
    settings.demo || settings.teamsAppId === undefined
      ? page
      : `https://teams.microsoft.com/l/entity/${settings.teamsAppId}/tenants?webUrl=${encodeURIComponent(page)}`;
  return { type: 'Action.OpenUrl', title: 'Open in Watchpost', url };
}

/** Where a tenant's page is: `{publicUrl}/tab/tenants/{id}`, or Teams' deep link to it with that as web address. */
export function tenantUrl(id: TenantId, settings: LinkSettings): string {
  const page = `${settings.publicUrl}/tab/tenants/${id}`;
  if (settings.demo || settings.teamsAppId === undefined) return page;
  const context = encodeURIComponent(JSON.stringify({ subEntityId: `tenant:${id}` }));
  return `https://teams.microsoft.com/l/entity/${settings.teamsAppId}/tenants?webUrl=${encodeURIComponent(page)}&context=${context}`;
}
