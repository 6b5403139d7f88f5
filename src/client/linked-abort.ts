/** An abort that follows from others: Node.js has `AbortSignal.any` from 20.3 on only. */

/** See the module comment; to be unlinked, since the others may last for ever. */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #follow = (): void => this.abort();

  constructor(...sources: readonly AbortSignal[]) {
    this.#sources = sources;
    for (const source of sources) {
      source.addEventListener('abort', this.#follow);
      if (source.aborted) {
        this.abort();
      }
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
    for (const source of this.#sources) {
      source.removeEventListener('abort', this.#follow);
    }
  }
}
