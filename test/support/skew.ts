/**
 * `node --import ./test/support/skew.ts …` with WATCHPOST_TEST_SKEW_MS: this process (and its worker threads) believes
 * it is that many milliseconds later, or earlier. Monotonic time and other processes stay as they are.
 */
const skewMs = Number(process.env.WATCHPOST_TEST_SKEW_MS ?? '0');
if (!Number.isFinite(skewMs)) throw new Error('WATCHPOST_TEST_SKEW_MS is no number');

const RealDate = globalThis.Date;
const now = (): number => RealDate.now() + skewMs;

globalThis.Date = new Proxy(RealDate, {
  construct(target, given, newTarget) {
    return Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as object;
  },
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
