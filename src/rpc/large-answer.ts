/** What one large answer is charged while it is made, and until its client has taken it. */
import { bulkAnswerBytes, type ClientUse, type Limits, type Refusal } from './limits.ts';
import type { WorkClass } from './work-classes.ts';

/** Where it is charged. */
export interface LargeAnswerHost {
  readonly limits: Pick<Limits, 'maybeGrow' | 'grow'>;
  throwRefusal(refusal: Refusal | undefined, workClass: WorkClass, client: string): void;
}

/** See the module comment. */
export class LargeAnswer {
  readonly #admission: LargeAnswerHost;
  readonly #client: ClientUse;
  #bytes = 0;
  #isOver = false;

  constructor(admission: LargeAnswerHost, client: ClientUse) {
    this.#admission = admission;
    this.#client = client;
  }

  get isCharged(): boolean {
    return this.#bytes > 0;
  }

  /** Charges up to so many bytes, or says why there is no room for them. */
  maybeReserve(bytes: number): Refusal | undefined {
    const more = bytes - this.#bytes;
    if (this.#isOver || more <= 0) {
      return undefined;
    }
    const refusal = this.#admission.limits.maybeGrow(this.#client, this.#bytes, more);
    if (refusal === undefined) {
      this.#bytes = bytes;
    }
    return refusal;
  }

  /**
   * Charges what it has grown to: from so many bytes on it is bulk work.
   *
   * @throws {KvError} TOO_MANY_REQUESTS — there is no room for it.
   */
  grow(answerBytes: number): void {
    if (answerBytes >= bulkAnswerBytes) {
      const refusal = this.maybeReserve(answerBytes);
      this.#admission.throwRefusal(refusal, 'bulk', this.#client.name);
    }
  }

  /** Charges one that is there already. */
  charge(bytes: number): void {
    this.#admission.limits.grow(this.#client, bytes);
    this.#bytes += bytes;
  }

  /** It has been taken, or nobody will. */
  end(): void {
    this.#isOver = true;
    this.#admission.limits.grow(this.#client, -this.#bytes);
    this.#bytes = 0;
  }
}
