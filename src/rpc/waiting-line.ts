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
   * Does `work` when its turn has come.
   *
   * @throws {KvError} TOO_MANY_REQUESTS — too many wait already; what `work` throws.
   */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const { underWayMax, waitingMax, reason, retryMs } = this.#options;
    if (this.#underWay < underWayMax) {
      this.#underWay++;
    } else if (this.#waiting.length < waitingMax) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    } else {
      throw new KvError('TOO_MANY_REQUESTS', { details: { reason, retryMs } });
    }
    try {
      return await work();
    } finally {
      this.#passOn();
    }
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
