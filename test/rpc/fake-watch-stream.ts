/** A member's stream of watches: it notes what is asked, and tells what a test lays out. */
import { KvError } from '../../src/base/index.ts';
import type { WatchNotice, WatchRequest, WatchStream } from '../../src/replica/index.ts';

type Told = WatchNotice | undefined | KvError;

/** See the module comment. */
export class FakeWatchStream implements WatchStream {
  readonly asked: unknown[] = [];
  isClosed = false;
  sentTimes = 0;
  /** As if so many notices waited beside those told. */
  pendingBeside = 0;
  readonly #told: Told[] = [];
  #wake: () => void = () => undefined;

  tell(...told: readonly Told[]): void {
    this.#told.push(...told);
    this.#wake();
  }

  create(watchId: number, request: WatchRequest): void {
    this.asked.push({ create: watchId, ...request });
  }

  cancel(watchId: number): void {
    this.asked.push({ cancel: watchId });
  }

  requestProgress(): void {
    this.asked.push('progress');
  }

  async next(): Promise<WatchNotice | undefined> {
    while (this.#told.length === 0 && !this.isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const told = this.#told.shift();
    if (told instanceof KvError) {
      throw told;
    }
    return told;
  }

  sent(): void {
    this.sentTimes++;
  }

  get pending(): number {
    return this.#told.length + this.pendingBeside;
  }

  close(): void {
    this.isClosed = true;
    this.#wake();
  }
}
