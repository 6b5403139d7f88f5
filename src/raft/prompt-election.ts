/**
 * Elections that do not wait for the timeout, because nobody is there to be waited for (ADR-009).
 *
 * The voters take turns in the order of their ids, so that votes do not split. What makes a leader
 * is still a majority of votes: a false alarm costs a campaign that nobody supports. A promise to a
 * leader comes first (ADR-011): until it ends the hurry is only remembered.
 */
import type { Core } from './core.ts';
import type { NodeId } from './types.ts';

/** Ticks that each voter leaves to those before it in line, once the leader is known to be gone. */
const promptElectionTicks = 2;

/** See the module comment. */
export class PromptElection {
  readonly #core: Core;
  /** Set while an election in a hurry, without this peer, waits for the end of a promise. */
  #excluding: NodeId | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Campaigns soon, but after the voters of lower ids other than `excluded` have had their try; and
   * not before a promise has ended, which ends for all of them at about the same time.
   */
  expect(excluded: NodeId): void {
    if (this.#core.promise.isBinding) {
      this.#excluding = excluded;
      return;
    }
    this.#excluding = undefined;
    const rank = this.#core.rankAmongVoters(excluded);
    this.#core.expectElectionWithin(promptElectionTicks * (1 + rank));
  }

  /** A tick without a leadership: has the promise ended that it waits for? */
  tick(): void {
    if (this.#excluding !== undefined) {
      this.expect(this.#excluding);
    }
  }

  /** The role has changed: there is nothing to hurry for any more. */
  forget(): void {
    this.#excluding = undefined;
  }
}
