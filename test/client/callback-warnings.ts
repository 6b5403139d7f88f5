/** Catches the warnings that tell of callbacks that have thrown. */
import { vi } from 'vitest';

/** Those up to now, from this call on. */
export function callbackWarnings(): () => readonly Error[] {
  const spy = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  return () => spy.mock.calls.map(([warning]) => warning as Error);
}
