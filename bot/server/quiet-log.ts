/** restify's own logger prints requests with their headers and bodies (F7); ours says what is worth saying. */
export const quietLog = (() => {
  const nothing = (): false => false;
  const log = {
    level: 'silent',
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    fatal: nothing,
    child: () => log,
  };
  return log;
})();
