/**
 * Keeps watch over the state of one member: compares it with the others', and takes it out of
 * service when it is damaged (design G7).
 */
import { KvError } from '../base/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { StateHashReport } from '../transport/index.ts';
import type { MemberState } from './member-state.ts';
import { Quarantine, type QuarantineOptions } from './quarantine.ts';
import type { Replica } from './replica.ts';
import { StateHashes } from './state-hashes.ts';

/** What the watch works with. */
export interface IntegrityOptions extends Omit<QuarantineOptions, 'sources'> {
  readonly id: NodeId;
  readonly replica: Replica;
  readonly state: MemberState;
  readonly metrics: Metrics;
  /** The other members. */
  readonly peers: () => readonly NodeId[];
  /** The state is out of service: whoever waits for what it would say waits in vain. */
  readonly onEntered: () => void;
  /** Lets another member lead: this one is not in order. */
  readonly yieldLeadership: () => void;
  /** Members contradict each other and none is in the majority: an operator has to decide. */
  readonly raiseAlarm: () => void;
}

/** Ticks between comparisons. */
const compareTicks = 20;

/** See the module comment. */
export class Integrity {
  readonly #options: IntegrityOptions;
  readonly #hashes: StateHashes;
  readonly #quarantine: Quarantine;

  constructor(options: IntegrityOptions) {
    this.#options = options;
    this.#hashes = new StateHashes(options.id);
    this.#quarantine = new Quarantine({ ...options, sources: () => this.#sources() });
  }

  /** Why this member serves nothing; undefined when it is in order. */
  get reason(): string | undefined {
    return this.#quarantine.reason;
  }

  /** What everything that rests on the state is refused with while it is damaged. */
  get quarantineRefusal(): KvError | undefined {
    return this.reason === undefined
      ? undefined
      : new KvError('UNHEALTHY', {
          message: `etcdserver: unhealthy cluster (this member rebuilds its state: ${this.reason})`,
        });
  }

  /**
   * What a call is refused with while the state is damaged, or while members are known to
   * contradict each other.
   */
  get refusal(): KvError | undefined {
    const refusal = this.quarantineRefusal;
    if (refusal !== undefined) {
      return refusal;
    }
    const isCorrupt = this.#options.state.alarms.some(({ alarm }) => alarm === 'corrupt');
    return isCorrupt ? new KvError('CORRUPT') : undefined;
  }

  /** Another member has told the hash of its state. */
  heard({ from, index, hash }: StateHashReport): void {
    this.#hashes.heard(from, { index, hash });
  }

  /** Takes the state out of service, to be rebuilt. */
  enter(reason: string): void {
    const { replica, onEntered, yieldLeadership } = this.#options;
    this.#quarantine.enter(reason);
    replica.suspendApplying();
    onEntered();
    if (replica.isLeader) {
      yieldLeadership();
    }
  }

  /** The state has been replaced, for whatever reason. */
  replaced(): void {
    this.#hashes.reset();
    this.#quarantine.leave();
  }

  /** Compares, judges, rebuilds; returns what the others are to be told. */
  tick(): readonly StateHashReport[] {
    this.#quarantine.tick();
    const { replica, state, raiseAlarm, yieldLeadership } = this.#options;
    if (this.reason !== undefined) {
      if (replica.isLeader && replica.tickCount % compareTicks === 0) {
        yieldLeadership();
      }
      return [];
    }
    const told = [...this.#answers()];
    if (replica.isLeader && replica.tickCount % compareTicks === 0) {
      const started = this.#hashes.maybeStart(state.machine.stateHash);
      if (started !== undefined) {
        told.push(started);
      }
    }
    const verdict = this.#hashes.judge(replica.configuration);
    if (verdict.kind !== 'agree') {
      this.#options.metrics.stateHashMismatches.inc();
    }
    if (verdict.kind === 'diverged') {
      this.enter(`its state at entry ${verdict.index} is not that of the majority`);
    } else if (verdict.kind === 'no-majority') {
      this.#hashes.reset();
      raiseAlarm();
    }
    return told.flatMap(({ index, hash }) => this.#reportsOf(index, hash));
  }

  /** This member's hashes where others have told theirs. */
  *#answers(): Iterable<{ readonly index: number; readonly hash: bigint }> {
    for (const index of this.#hashes.unanswered) {
      const hash = this.#options.state.machine.hashAt(index);
      if (hash !== undefined) {
        this.#hashes.answer({ index, hash });
        yield { index, hash };
      }
    }
  }

  #reportsOf(index: number, hash: bigint): readonly StateHashReport[] {
    const { id, peers } = this.#options;
    return peers().map((to) => ({ type: 'StateHash', from: id, to, index, hash }));
  }

  /** The leader first: it is surely there. What its log no longer has, its state must hold. */
  #sources(): { readonly peers: readonly NodeId[]; readonly minIndex: number } {
    const { replica, peers, id } = this.#options;
    const { leader } = replica;
    const others = peers().filter((peer) => peer !== leader);
    return {
      peers: leader === 0 || leader === id ? others : [leader, ...others],
      minIndex: replica.status().snapshotIndex,
    };
  }
}
