/**
 * What a leader knows of the other members as a group: whom it serves, who has been heard lately,
 * and how far they are together. Of each by itself: `progress.ts`.
 *
 * Time here is the ticks of this leadership. Invariant: there is progress of every peer of the
 * newest configuration, and of nobody else. What follows for the leadership is not decided here.
 */
import { must } from '../base/index.ts';
import type { Core } from './core.ts';
import { Inflights, Progress } from './progress.ts';
import { isVoter, majorityOf, quorumVote } from './quorum.ts';
import type { NodeId } from './types.ts';

/** See the module comment. */
export class Peers {
  readonly #core: Core;
  readonly #progressById = new Map<NodeId, Progress>();
  #tick = 0;

  constructor(core: Core) {
    this.#core = core;
    this.follow();
  }

  get progressById(): ReadonlyMap<NodeId, Progress> {
    return this.#progressById;
  }

  get(id: NodeId): Progress | undefined {
    return this.#progressById.get(id);
  }

  /** A tick of this leadership. */
  tick(): void {
    this.#tick++;
  }

  /** Takes the peers of the newest configuration for its own. */
  follow(): void {
    const { log, options, peers } = this.#core;
    for (const id of peers) {
      if (!this.#progressById.has(id)) {
        const inflights = new Inflights(options.inflightMessagesMax, options.inflightBytesMax);
        this.#progressById.set(id, new Progress(id, log.lastIndex + 1, inflights, this.#tick));
      }
    }
    for (const id of [...this.#progressById.keys()]) {
      if (!peers.includes(id)) {
        this.#progressById.delete(id);
      }
    }
  }

  /** Notes a sign of life; undefined when it comes from no peer of this configuration. */
  heard(from: NodeId): Progress | undefined {
    const progress = this.#progressById.get(from);
    if (progress !== undefined) {
      progress.lastHeardTick = this.#tick;
    }
    return progress;
  }

  /** Whether a peer has been heard within an election timeout. */
  isActive({ lastHeardTick }: Progress): boolean {
    return lastHeardTick >= 0 && this.#isFresh(lastHeardTick);
  }

  /**
   * Whether this node and the peers heard within an election timeout are a quorum. A newcomer has a
   * whole election timeout to be heard of.
   */
  get hasActiveQuorum(): boolean {
    const { conf, id } = this.#core;
    const outcome = quorumVote(conf, (member) => {
      if (member === id) {
        return true;
      }
      const progress = must(this.#progressById.get(member), 'progress of every other voter');
      return this.#isFresh(Math.max(progress.firstTick, progress.lastHeardTick));
    });
    return outcome === 'won';
  }

  /** Whether a peer follows closely enough to vote (Raft thesis §4.2.1). */
  hasCaughtUp(id: NodeId): boolean {
    const progress = this.#progressById.get(id);
    const { log, options } = this.#core;
    return (
      progress?.state === 'replicate' &&
      this.#isUp(id) &&
      progress.matchIndex + options.promotionLagMax >= log.commitIndex &&
      progress.matchIndex > 0
    );
  }

  /**
   * Whether fewer than a majority of these voters are known to be up. The second voter of all is an
   * exception, as in etcd: nobody could be added to a single node otherwise.
   */
  risksQuorum(voters: readonly NodeId[]): boolean {
    const before = this.#core.conf.voters.length;
    const up = voters.filter((id) => this.#isUp(id)).length;
    return up < majorityOf(voters.length) && !(before === 1 && voters.length === 2 && up === 1);
  }

  /** The voter that is furthest, the lowest id of several; 0 when there is none. */
  get furthestVoter(): NodeId {
    let best = 0;
    let bestIndex = -1;
    for (const { id, matchIndex } of this.#progressById.values()) {
      if (isVoter(this.#core.conf, id) && matchIndex > bestIndex) {
        best = id;
        bestIndex = matchIndex;
      }
    }
    return best;
  }

  /**
   * The most advanced peer, but for `peer`, without which there is still a quorum of members that
   * stream; it holds all that this node's log does not.
   */
  spare(peer: NodeId): NodeId | undefined {
    const { conf, id, log } = this.#core;
    const isStreaming = (progress: Progress | undefined): progress is Progress =>
      progress?.state === 'replicate' && this.isActive(progress);
    let best: Progress | undefined;
    for (const each of this.#progressById.values()) {
      const canSend = isStreaming(each) && each.id !== peer && each.matchIndex >= log.snapshotIndex;
      if (canSend && each.matchIndex > (best?.matchIndex ?? -1)) {
        const isWithout = (member: NodeId): boolean =>
          member === id || (member !== each.id && isStreaming(this.#progressById.get(member)));
        best = quorumVote(conf, isWithout) === 'won' ? each : best;
      }
    }
    return best?.id;
  }

  /** Whether this node is `id`, or has heard of it within an election timeout. */
  #isUp(id: NodeId): boolean {
    const progress = this.#progressById.get(id);
    return id === this.#core.id || (progress !== undefined && this.isActive(progress));
  }

  #isFresh(tick: number): boolean {
    return this.#tick - tick < this.#core.options.electionTimeoutTicks;
  }
}
