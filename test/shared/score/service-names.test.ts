import { expect, test } from '@jest/globals';
import { serviceName } from '../../../shared/score/service-names.ts';

test.each([
  { service: 'AzureAD', name: 'Entra ID' },
  { service: 'MDATP', name: 'Defender for Endpoint' },
  { service: 'MDE', name: 'Defender for Endpoint' },
  { service: 'EXO', name: 'Exchange Online' },
  { service: 'SPO', name: 'SharePoint' },
  { service: 'MDO', name: 'Defender for Office 365' },
  { service: 'AATP', name: 'Defender for Identity' },
  { service: 'MCAS', name: 'Defender for Cloud Apps' },
  { service: 'Admincenter', name: 'Admincenter' },
  { service: 'constructor', name: 'constructor' },
  { service: '', name: '' },
])('$service is $name', ({ service, name }) => {
  expect(serviceName(service)).toBe(name);
});
