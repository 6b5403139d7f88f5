/**
 * Telling the program of something, where nothing depends on what it makes of it.
 *
 * One rule for all such callbacks (`onFailure`, `onChange`, `onEnd`): what one throws, at once or
 * by the promise that it returns, is a warning of the process, and whoever told goes on. It is no
 * failure of what was told of, and not the end of the process. Callbacks that do work (a handler,
 * `reconcile`, a program of `transact`) have failures of their own.
 */

/** Calls `callback` at once; `what` names it in a warning. */
export function tell(what: string, callback: () => unknown): void {
  void (async () => {
    try {
      await callback();
    } catch (error) {
      warnOf(what, error);
    }
  })();
}

function warnOf(what: string, cause: unknown): void {
  const text = cause instanceof Error ? cause.message : String(cause);
  const warning = new Error(`${what} has thrown: ${text}`, { cause });
  // Node prints `detail`: where it was thrown, not where it was caught.
  const detail = cause instanceof Error ? cause.stack : undefined;
  const name = 'HoldfastWarning';
  process.emitWarning(Object.assign(warning, { name, code: 'CALLBACK_FAILED', detail }));
}
