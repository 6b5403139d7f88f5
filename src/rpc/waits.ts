/** Calls that wait for something to happen: each ends with its client, or with the server. */
import { KvError } from '../base/index.ts';

/** The part of a call that tells of its client. */
interface Call {
  on(event: 'cancelled', listener: () => void): unknown;
}

/** Fires once nobody waits for a call any more; its reason says so. */
export function goneSignal(call: Call & { readonly cancelled: boolean }): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => {
    gone.abort(new KvError('CANCELLED'));
  };
  call.on('cancelled', abort);
  if (call.cancelled) {
    abort();
  }
  return gone.signal;
}

/** See the module comment. */
export class Waits {
  readonly #open = new Set<AbortController>();

  /** Does `work` with a signal that fires once nobody waits for it; its reason says why. */
  async during<T>(call: Call, work: (wait: AbortController) => Promise<T>): Promise<T> {
    const wait = new AbortController();
    call.on('cancelled', () => {
      wait.abort(new KvError('CANCELLED'));
    });
    this.#open.add(wait);
    try {
      return await work(wait);
    } finally {
      this.#open.delete(wait);
    }
  }

  /** Ends all waits: a server that stops must not wait for them. */
  end(): void {
    for (const wait of this.#open) {
      wait.abort(new KvError('STOPPED'));
    }
  }
}
