/**
 * Why a host gave no usable answer, as a sentence for people; `reason` is the system's or undici's code and belongs to
 * the log. `phase` says whether anything had been sent.
 */
export function noAnswerInWords(host: string, phase: 'before' | 'after', reason: string): string {
  const row = rows.find(({ codes }) => codes.test(reason));
  if (row !== undefined) return row.says(host);
  return phase === 'before'
    ? `${host} could not be reached.`
    : `The connection to ${host} was cut before its answer was complete.`;
}

const rows: readonly { codes: RegExp; says: (host: string) => string }[] = [
  { codes: /^(ENOTFOUND|EAI_[A-Z]+|ENODATA)$/, says: (host) => `The name ${host} could not be looked up.` },
  { codes: /^ECONNREFUSED$/, says: (host) => `${host} refused the connection.` },
  {
    codes: /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/,
    says: (host) => `${host} could not be reached in time.`,
  },
  {
    codes: /^UND_ERR_(HEADERS|BODY)_TIMEOUT$/,
    says: (host) => `${host} took the request and gave no answer in time.`,
  },
  {
    codes: /^(E(NETUNREACH|HOSTUNREACH|NETDOWN)|EADDRNOTAVAIL)$/,
    says: (host) => `There is no way through the network to ${host}.`,
  },
  // Somebody in between, such as a proxy that opens https, shows a certificate that this machine does not know.
  {
    codes: /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/,
    says: (host) => `The certificate that ${host} showed was not accepted.`,
  },
  {
    codes: /^HPE_|^UND_ERR_(RES_CONTENT_LENGTH_MISMATCH|RESPONSE)/,
    says: (host) => `${host} answered with something that is not whole.`,
  },
];
