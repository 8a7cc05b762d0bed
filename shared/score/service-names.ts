/** Microsoft's short names of its services in Secure Score, and what people call them. */
const names: Readonly<Record<string, string>> = {
  aad: 'Entra ID',
  azuread: 'Entra ID',
  aatp: 'Defender for Identity',
  mdi: 'Defender for Identity',
  exo: 'Exchange Online',
  mcas: 'Defender for Cloud Apps',
  mda: 'Defender for Cloud Apps',
  mdatp: 'Defender for Endpoint',
  mde: 'Defender for Endpoint',
  mdo: 'Defender for Office 365',
  mip: 'Purview Information Protection',
  spo: 'SharePoint',
};

/** The service of a control in words: "Entra ID" for `AzureAD`. One that is not known stays as it comes. */
export function serviceName(service: string): string {
  const key = service.trim().toLowerCase();
  return Object.hasOwn(names, key) ? (names[key] ?? service) : service;
}
