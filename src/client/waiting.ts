/**
 * Operations of a pipeline that wait to be sent, and the messages that are made of them.
 *
 * Writes that have a number already, since they were sent before, go before those that have none: a
 * session has a window of numbers, from the lowest unanswered one on. Behind writes that wait for
 * that window to move on, the one that holds it up would wait for ever.
 *
 * Invariant: a write is numbered when it is put into a message, and not before.
 */
import type { Pending } from './pending.ts';
import { batchBytesMax, type PipelineStream } from './pipeline-stream.ts';
import type { WriteSession } from './write-session.ts';

/** See the module comment. */
export class WaitingOperations {
  /** In order; may name operations that have ended. */
  #reads: Pending[] = [];
  #numberedWrites: Pending[] = [];
  #newWrites: Pending[] = [];

  get isEmpty(): boolean {
    return this.#reads.length === 0 && !this.hasWrites;
  }

  /** Whether any of them waits for a session, or has one. */
  get hasWrites(): boolean {
    return this.#numberedWrites.length + this.#newWrites.length > 0;
  }

  add(pending: Pending): void {
    if (!needsSession(pending)) {
      this.#reads.push(pending);
    } else if (pending.session === undefined) {
      this.#newWrites.push(pending);
    } else {
      this.#numberedWrites.push(pending);
    }
  }

  /** Those that a stream owed: before all others, in their order. */
  addFirst(unanswered: readonly Pending[]): void {
    this.#numberedWrites = [...unanswered.filter(needsSession), ...this.#numberedWrites];
    this.#reads = [...unanswered.filter((it) => !needsSession(it)), ...this.#reads];
  }

  /** They are somebody else's now. */
  takeAll(): readonly Pending[] {
    const reads = this.#reads;
    this.#reads = [];
    return [...reads, ...this.takeWrites()].filter(({ hasEnded }) => !hasEnded);
  }

  takeWrites(): readonly Pending[] {
    const writes = [...this.#numberedWrites, ...this.#newWrites];
    this.#numberedWrites = [];
    this.#newWrites = [];
    return writes.filter(({ hasEnded }) => !hasEnded);
  }

  /** Sends what needs no session, as much as the stream takes. */
  sendReads(stream: PipelineStream): void {
    send(stream, this.#reads, () => 'numbered');
  }

  /**
   * Sends writes, as many as the stream takes and the session has numbers for; `onLost` hears of
   * those that may have happened in another session, and are dropped.
   */
  sendWrites(
    stream: PipelineStream,
    session: WriteSession,
    onLost: (pending: Pending) => void,
  ): void {
    const number = (pending: Pending): Numbering => {
      if (pending.session !== undefined && pending.session !== session) {
        if (pending.mayHaveHappened) {
          onLost(pending);
          return 'lost';
        }
        pending.session = undefined;
      }
      return maybeNumber(pending, session) ? 'numbered' : 'none left';
    };
    send(stream, this.#numberedWrites, number, session);
    send(stream, this.#newWrites, number, session);
  }
}

type Numbering = 'numbered' | 'none left' | 'lost';

/** Sends from the front of `queue` and removes what it has sent, or need not send. */
function send(
  stream: PipelineStream,
  queue: Pending[],
  number: (pending: Pending) => Numbering,
  session?: WriteSession,
): void {
  let batch: Pending[] = [];
  let bytes = 0;
  let taken = 0;
  const sendBatch = (): void => {
    if (batch.length > 0) {
      stream.send(batch, session);
      batch = [];
      bytes = 0;
    }
  };
  for (const pending of queue) {
    if (!pending.hasEnded) {
      if (bytes + pending.bytes > batchBytesMax) {
        sendBatch();
      }
      const numbering = stream.takes(bytes + pending.bytes, batch.length)
        ? number(pending)
        : 'none left';
      if (numbering === 'none left') {
        break;
      }
      if (numbering === 'numbered') {
        batch.push(pending);
        bytes += pending.bytes;
      }
    }
    taken++;
  }
  sendBatch();
  queue.splice(0, taken);
}

/** Gives a write its number in the session; false when it has to wait for one. */
function maybeNumber(pending: Pending, session: WriteSession): boolean {
  if (pending.session === undefined) {
    const sequence = session.maybeNext();
    if (sequence === undefined) {
      return false;
    }
    pending.session = session;
    pending.sequence = sequence;
  }
  return true;
}

/** Whether a repetition would do something, unless it has a number. */
export function needsSession({ purpose, idempotencyKey }: Pending): boolean {
  return purpose === 'write' && idempotencyKey === undefined;
}
