/** More than this is not the time a message takes. */
const muchMs = 120_000;

/**
 * Whose clock is wrong when Watchpost refuses a token that the client has just been given; null when no clock is.
 * Entra's clock speaks through the token (`iat`, `exp`), Watchpost's through its answer. Times in milliseconds since
 * 1970; `serverAt` is NaN when the answer did not say.
 */
export function clockTrouble(token: string, serverAt: number, deviceAt: number): string | null {
  if (!Number.isFinite(serverAt)) return null;
  const times = timesOf(token);
  if (times !== null && times.iat - serverAt > muchMs) {
    return `The clock of the Watchpost server is ${minutes(times.iat - serverAt)} behind Microsoft's, so no sign-in counts yet. Whoever runs Watchpost has to set it right.`;
  }
  const apart = deviceAt - serverAt;
  if (Math.abs(apart) > muchMs) {
    const way = apart > 0 ? 'ahead of' : 'behind';
    return `The clock of this device is ${minutes(Math.abs(apart))} ${way} Watchpost's. Let the device set its time by itself, then try again.`;
  }
  if (times !== null && serverAt - times.exp > muchMs) {
    return `Teams gave a sign-in that ended ${minutes(serverAt - times.exp)} ago. Close Teams and open it again.`;
  }
  return null;
}

/** The token is not checked here, only read: it decides nothing but words. */
function timesOf(token: string): { iat: number; exp: number } | null {
  const part = token.split('.')[1];
  if (part === undefined) return null;
  try {
    const claims: unknown = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/')));
    if (typeof claims !== 'object' || claims === null || !('iat' in claims) || !('exp' in claims))
      return null;
    const { iat, exp } = claims;
    return typeof iat === 'number' && typeof exp === 'number' ? { iat: iat * 1000, exp: exp * 1000 } : null;
  } catch {
    return null; // no token at all: then it says nothing of clocks
  }
}

function minutes(ms: number): string {
  const count = Math.round(ms / 60_000);
  if (count < 120) return count === 1 ? 'a minute' : `${count} minutes`;
  const hours = Math.round(count / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}
