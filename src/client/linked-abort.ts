/** An abort that follows from others: Node.js has `AbortSignal.any` from 20.3 on only. */

import { onAbort } from './abort-listeners.ts';

/** See the module comment; to be unlinked, since the others may last for ever. */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #leave: readonly (() => void)[];

  constructor(...sources: readonly AbortSignal[]) {
    this.#leave = sources.map((source) => onAbort(source, () => this.abort()));
    if (sources.some(({ aborted }) => aborted)) {
      this.abort();
    }
  }

  /** Fires with the first of the others, or with an abort of its own. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller.abort();
  }

  /** Does not follow the others any more. */
  unlink(): void {
    for (const leave of this.#leave) {
      leave();
    }
  }
}
