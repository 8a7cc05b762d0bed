/** What `work` resolves to, or undefined after `ms`; `work` goes on by itself. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    // Open sockets keep the process alive, not somebody's patience.
    timer = setTimeout(() => resolve(undefined), ms).unref();
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Resolves when `isQuiet`, or at `until` of the monotonic clock. */
export async function quietWhen(isQuiet: () => boolean, until: number): Promise<void> {
  while (!isQuiet() && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
