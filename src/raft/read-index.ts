/**
 * A leader's pending reads: each waits until a majority has confirmed the leadership in a round of
 * heartbeats that began after the read came (Raft thesis §6.4).
 *
 * Rounds are numbered within a term; a confirmation of a round confirms all before it. The number,
 * not the caller's context, is what travels, so an answer to an old round can never confirm a later
 * read.
 */
import type { LogIndex, NodeId } from './types.ts';

/** Who asked: this node under a context of its host, or a peer under one of its own. */
export interface ReadRequest {
  readonly from: NodeId;
  readonly context: number;
}

/** Requests that share a round, and the commit index they are to wait for. */
export interface ReadRound {
  readonly round: number;
  readonly index: LogIndex;
  readonly requests: readonly ReadRequest[];
}

/** See the module comment. */
export class ReadRounds {
  #unassigned: ReadRequest[] = [];
  #rounds: ReadRound[] = [];
  #lastRound = 0;
  #count = 0;

  /** Requests not answered yet. */
  get count(): number {
    return this.#count;
  }

  get hasUnassigned(): boolean {
    return this.#unassigned.length > 0;
  }

  /** The newest round begun; 0 before the first. */
  get lastRound(): number {
    return this.#lastRound;
  }

  add(request: ReadRequest): void {
    this.#unassigned.push(request);
    this.#count++;
  }

  /** Begins a round for all requests so far, to be answered with `index`. */
  begin(index: LogIndex): void {
    this.#lastRound++;
    this.#rounds.push({ round: this.#lastRound, index, requests: this.#unassigned });
    this.#unassigned = [];
  }

  /** Begins a round without requests, so that its answers can be told from those to the last. */
  beginEmpty(): void {
    this.#lastRound++;
  }

  /** Takes out the requests that no round has begun for. */
  takeUnassigned(): readonly ReadRequest[] {
    const requests = this.#unassigned;
    this.#unassigned = [];
    this.#count -= requests.length;
    return requests;
  }

  /** Takes out the rounds that a majority has confirmed, oldest first. */
  confirm(quorumRound: number): readonly ReadRound[] {
    let done = 0;
    while (done < this.#rounds.length && (this.#rounds[done] as ReadRound).round <= quorumRound) {
      this.#count -= (this.#rounds[done] as ReadRound).requests.length;
      done++;
    }
    return this.#rounds.splice(0, done);
  }

  /** Forgets everything: the leadership has ended. Returns the requests nobody will answer. */
  reset(): readonly ReadRequest[] {
    const dropped = [...this.#rounds.flatMap((round) => round.requests), ...this.#unassigned];
    this.#unassigned = [];
    this.#rounds = [];
    this.#lastRound = 0;
    this.#count = 0;
    return dropped;
  }
}
