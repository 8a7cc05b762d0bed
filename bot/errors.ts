/** The codes somebody switches on. A new failure that needs its own handling gets a new code here. */
export type ErrorCode =
  | 'config' // a setting is missing or wrong; the program does not start
  | 'start' // the program cannot start for another reason: port taken, folder in use
  | 'conflict' // a unique index refused a write
  | 'store' // the store did not answer or answered wrongly
  | 'scope' // a query was asked for without the right to the tenant it names
  | 'secret' // a sealed secret could not be opened
  | 'authentication-error' // Entra refuses our credential for this tenant
  | 'permission-error' // the tenant has not granted, or has withdrawn, what is needed
  | 'licence-missing' // Microsoft does not sell this tenant the feature; not a fault
  | 'throttled' // Microsoft asks us to wait
  | 'service-error' // Microsoft does not answer, or answers nonsense
  | 'not-found' // the object does not exist
  | 'bad-request' // Microsoft says our request is wrong: our bug
  | 'refused' // the caller may not do this
  | 'bad-input' // the caller said something we cannot use
  | 'audit' // a privileged action was not done because its audit entry could not be written
  | 'stopped'; // the program is stopping

/**
 * The one error type of the product. `message` says what happened, `hint` what to do about it; both are
 * sentences for people and never hold a token, a secret or a body. The cause is kept for the log's code only.
 */
export class WatchpostError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WatchpostError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** True when `error` is ours and carries one of `codes`. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): error is WatchpostError {
  return error instanceof WatchpostError && codes.includes(error.code);
}

/** A short name of any error for a log line: our code, the system's code, or the class; never its message. */
export function errorCode(error: unknown): string {
  if (error instanceof WatchpostError) return error.code;
  if (error instanceof Error) {
    const code = (error as Error & { code?: unknown }).code;
    return typeof code === 'string' ? code : error.name;
  }
  return typeof error;
}
