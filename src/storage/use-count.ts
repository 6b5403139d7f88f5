/** Counts who uses something, and tells when nobody does: so that it closes after its last use. */
import { assert } from '../base/index.ts';

/** See the module comment. */
export class UseCount {
  #count = 0;
  #waiting: (() => void)[] = [];
  #isAbandoned = false;

  begin(): void {
    this.#count++;
  }

  end(): void {
    assert(this.#count > 0, 'a use ends that has begun');
    this.#count--;
    if (this.#count === 0) {
      this.#wake();
    }
  }

  /** Runs `work` as one use. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  /** Nobody waits for the last use any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#wake();
  }

  /** Resolves once nobody uses it, or the wait is abandoned. */
  async unused(): Promise<void> {
    while (this.#count > 0 && !this.#isAbandoned) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}
