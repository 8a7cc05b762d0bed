import { expect, test } from '@jest/globals';
import { noAnswerInWords } from '../bot/no-answer.ts';

const host = 'graph.microsoft.com';

test.each([
  { phase: 'before', reason: 'ECONNREFUSED', says: `${host} refused the connection.` },
  { phase: 'before', reason: 'ENOTFOUND', says: `The name ${host} could not be looked up.` },
  { phase: 'before', reason: 'EAI_AGAIN', says: `The name ${host} could not be looked up.` },
  { phase: 'before', reason: 'UND_ERR_CONNECT_TIMEOUT', says: `${host} could not be reached in time.` },
  { phase: 'before', reason: 'ETIMEDOUT', says: `${host} could not be reached in time.` },
  { phase: 'before', reason: 'ENETUNREACH', says: `There is no way through the network to ${host}.` },
  {
    phase: 'before',
    reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    says: `The certificate that ${host} showed was not accepted.`,
  },
  {
    phase: 'before',
    reason: 'ERR_TLS_CERT_ALTNAME_INVALID',
    says: `The certificate that ${host} showed was not accepted.`,
  },
  { phase: 'before', reason: 'UND_ERR_SOCKET', says: `${host} could not be reached.` },
  {
    phase: 'after',
    reason: 'UND_ERR_SOCKET',
    says: `The connection to ${host} was cut before its answer was complete.`,
  },
  {
    phase: 'after',
    reason: 'ECONNRESET',
    says: `The connection to ${host} was cut before its answer was complete.`,
  },
  {
    phase: 'after',
    reason: 'UND_ERR_HEADERS_TIMEOUT',
    says: `${host} took the request and gave no answer in time.`,
  },
  {
    phase: 'after',
    reason: 'HPE_INVALID_CONSTANT',
    says: `${host} answered with something that is not whole.`,
  },
  {
    phase: 'after',
    reason: 'SOMETHING_NEW',
    says: `The connection to ${host} was cut before its answer was complete.`,
  },
] as const)('$reason $phase the request went out: $says', ({ phase, reason, says }) => {
  expect(noAnswerInWords(host, phase, reason)).toBe(says);
});
