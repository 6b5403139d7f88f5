/**
 * Handing leadership over to a chosen voter (Raft thesis §3.10): the target is told to campaign
 * once its log is level with the leader's.
 *
 * Invariant: a transfer ends within an election timeout. Either the target takes over, and with the
 * leadership this object goes; or it is abandoned, and an event says why. While one is under way
 * `target` is not 0, and the leadership takes no proposals, or the target could never be level.
 */
import type { Core } from './core.ts';
import type { Progress } from './progress.ts';
import { isVoter } from './quorum.ts';
import type { NodeId } from './types.ts';

/** See the module comment. */
export class Transfer {
  readonly #core: Core;
  #target: NodeId = 0;
  /** Ticks since the last one began. */
  #elapsed = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Who is to take over, or 0. */
  get target(): NodeId {
    return this.#target;
  }

  tick(): void {
    if (++this.#elapsed >= this.#core.options.electionTimeoutTicks) {
      this.abandon('it did not take over in time');
    }
  }

  /** Begins with this target, a voter among the peers; false when that is under way already. */
  maybeBegin(target: NodeId): boolean {
    if (this.#target === target) {
      return false;
    }
    this.abandon('another target was named');
    this.#target = target;
    this.#elapsed = 0;
    this.#core.events.push({ type: 'transfer-started', target });
    return true;
  }

  /** Tells the target to campaign, if this is the target and it is level. */
  maybeOrder(progress: Progress): void {
    const { log, id, term, messages } = this.#core;
    if (progress.id === this.#target && progress.matchIndex === log.lastIndex) {
      messages.push({ type: 'TimeoutNow', from: id, to: progress.id, term });
    }
  }

  /** The newest configuration counts from now on: who votes no longer takes nothing over. */
  configurationChanged(): void {
    if (!isVoter(this.#core.conf, this.#target)) {
      this.abandon('it votes no longer');
    }
  }

  /** Ends the transfer under way, if there is one. */
  abandon(reason: string): void {
    if (this.#target === 0) {
      return;
    }
    this.#core.events.push({ type: 'transfer-abandoned', target: this.#target, reason });
    this.#target = 0;
  }
}
