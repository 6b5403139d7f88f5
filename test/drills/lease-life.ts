/**
 * The life of one lease as its owner sees it, and what G5 says of its end, judged by the monotonic
 * clock of this process: never before its time has passed since the last acknowledged renewal, and
 * not much later either.
 */
import type { LeaseAnswer, LeaseClient } from '../harness/lease-client.ts';

/** The cluster's time is told each quarter of a second, and a lease waits for the second stamp. */
const lateMaxMs = 1000;
/** What news of an end may take to get here, on a machine that does other things too. */
const newsMaxMs = 1000;
const callTimeoutMs = 5000;

/** How long there was no service between two moments, ms. */
export type Stalls = (fromMs: number, toMs: number) => number;

/** See the module comment. */
export class LeaseLife {
  readonly id: string;
  /** The key that is attached to it, so that its end is seen. */
  readonly key: string;
  readonly ttlMs: number;
  /** When the last grant or renewal that was acknowledged was asked for. */
  #provenMs = Number.NEGATIVE_INFINITY;
  /** When the last one was over; its time counts from then at the latest. */
  #possibleMs = Number.NEGATIVE_INFINITY;
  /** Calls under way. */
  #calls = 0;
  /** A call whose outcome is not known may count later than it was over. */
  #isVague = false;
  isRevoked = false;
  /** When its end was seen. */
  endedMs: number | undefined;

  constructor(id: string, key: string, ttlMs: number) {
    this.id = id;
    this.key = key;
    this.ttlMs = ttlMs;
  }

  async grant(client: LeaseClient): Promise<LeaseAnswer> {
    return this.#begin(async () => client.grant(this.id, this.ttlMs / 1000, callTimeoutMs));
  }

  async renew(client: LeaseClient): Promise<LeaseAnswer> {
    return this.#begin(async () => client.keepAlive(this.id, callTimeoutMs));
  }

  async revoke(client: LeaseClient): Promise<LeaseAnswer> {
    this.isRevoked = true;
    return client.revoke(this.id, callTimeoutMs);
  }

  /** How long after its time was up its end was seen, at the least; undefined: not known. */
  get lateMs(): number | undefined {
    return this.endedMs === undefined || this.isRevoked || this.#isVague
      ? undefined
      : this.endedMs - this.#possibleMs - this.ttlMs;
  }

  /** What is wrong with its end, if anything. */
  endProblem(stalls: Stalls): string | undefined {
    if (this.endedMs === undefined) {
      return `lease ${this.id} has not ended`;
    }
    const spareMs = this.endedMs - this.#provenMs - this.ttlMs;
    if (!this.isRevoked && spareMs < 0) {
      return `lease ${this.id} of ${this.ttlMs} ms ends ${-spareMs} ms too early`;
    }
    const { lateMs = 0 } = this;
    const stalledMs = stalls(this.#possibleMs, this.endedMs);
    return lateMs > lateMaxMs + newsMaxMs + stalledMs
      ? `lease ${this.id} of ${this.ttlMs} ms ends ${lateMs} ms late, of which ${stalledMs} ` +
          'ms without service'
      : undefined;
  }

  /** What is wrong with the time that is left by `client`, if anything. */
  async lookProblem(client: LeaseClient, stalls: Stalls): Promise<string | undefined> {
    const askedMs = performance.now();
    const provenMs = this.#provenMs;
    const isSteady = this.#calls === 0 && !this.#isVague;
    const seconds = await client.timeToLive(this.id, callTimeoutMs);
    const name = `lease ${this.id} of ${this.ttlMs} ms, ${askedMs - provenMs} ms after its renewal`;
    // Whole seconds, rounded down; no lease at all has none.
    const atMostMs = performance.now() + (seconds + 1) * 1000;
    if (!this.isRevoked && atMostMs < provenMs + this.ttlMs) {
      return `${name}, has ${seconds} s left: too little`;
    }
    const overMs = askedMs + seconds * 1000 - this.#possibleMs - this.ttlMs;
    return isSteady &&
      seconds >= 0 &&
      overMs > lateMaxMs + newsMaxMs + stalls(this.#possibleMs, askedMs)
      ? `${name}, has ${seconds} s left: too much`
      : undefined;
  }

  /** A call that, if it counts, begins the lease's time anew. */
  async #begin(attempt: () => Promise<LeaseAnswer>): Promise<LeaseAnswer> {
    const callMs = performance.now();
    this.#calls++;
    const answer = await attempt();
    this.#calls--;
    if (answer === 'ok') {
      this.#provenMs = Math.max(this.#provenMs, callMs);
      this.#isVague = false;
    }
    this.#isVague ||= answer === 'unknown';
    this.#possibleMs = performance.now();
    return answer;
  }
}
