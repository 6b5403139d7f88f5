/**
 * Two streams, each of which reads what the other one writes: a connection within the process, for
 * HTTP/2.
 *
 * No writer waits for its reader: what is on its way is bounded by HTTP/2's own windows. Node's
 * HTTP/2 does not read while a write of its own waits, so two ends with much to write to each other
 * would both wait for ever.
 */
import { Duplex } from 'node:stream';
import type { EventLoop } from '../base/index.ts';

/** Creates both ends; one that is destroyed takes the other along. */
export function duplexPair(eventLoop: Pick<EventLoop, 'endOfTurn'>): readonly [Duplex, Duplex] {
  const near = new End(eventLoop);
  const far = new End(eventLoop);
  near.other = far;
  far.other = near;
  return [near, far];
}

class End extends Duplex {
  other: End | undefined;
  readonly #eventLoop: Pick<EventLoop, 'endOfTurn'>;

  constructor(eventLoop: Pick<EventLoop, 'endOfTurn'>) {
    super();
    this.#eventLoop = eventLoop;
  }

  override _read(): void {
    // It comes by itself.
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    // In a turn of its own: the other side may answer at once, and this write is not over yet.
    this.#eventLoop.endOfTurn(() => {
      this.other?.push(chunk);
      callback();
    });
  }

  override _final(callback: () => void): void {
    this.#eventLoop.endOfTurn(() => {
      this.other?.push(null);
      callback();
    });
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const { other } = this;
    this.other = undefined;
    const isDone = this.readableEnded && this.writableFinished;
    if (other !== undefined && !isDone && !other.destroyed) {
      other.destroy();
    }
    callback(error);
  }
}
