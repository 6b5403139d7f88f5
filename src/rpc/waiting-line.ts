/**
 * Work that costs so much that little of it may be done at a time: the rest waits in line, in its
 * order, and what would wait for too long is turned away.
 */
import { KvError } from '../base/index.ts';

/** How long the line is. */
export interface WaitingLineOptions {
  /** Limit: pieces of work that are done at a time. */
  readonly underWayMax: number;
  /** Limit: pieces that wait for their turn. */
  readonly waitingMax: number;
  /** What there is too much of, as a refusal says it. */
  readonly reason: string;
  /** Milliseconds after which whoever was turned away may come back. */
  readonly retryMs: number;
}

/** See the module comment. */
export class WaitingLine {
  readonly #options: WaitingLineOptions;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(options: WaitingLineOptions) {
    this.#options = options;
  }

  /**
   * Does `work` when its turn has come; until then, whoever has `signal` fire leaves the line.
   *
   * @throws {KvError} TOO_MANY_REQUESTS — too many wait already; what `work` throws, and the reason
   *   of `signal`.
   */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const { underWayMax, waitingMax, reason, retryMs } = this.#options;
    if (this.#underWay < underWayMax) {
      this.#underWay++;
    } else if (this.#waiting.length < waitingMax) {
      await this.#turn(signal);
    } else {
      throw new KvError('TOO_MANY_REQUESTS', { details: { reason, retryMs } });
    }
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      this.#passOn();
    }
  }

  /** Waits at the end of the line. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal?.reason as Error);
      };
      const begin = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.push(begin);
      signal?.addEventListener('abort', leave);
    });
  }

  /** The place goes to the next in line: a newcomer that finds it free would be one too many. */
  #passOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#underWay--;
    } else {
      next();
    }
  }
}
