/**
 * The calls under way on a member: who waits for which proposal, read or change of membership, and
 * what they are told.
 *
 * Decisions are the replica's (`replica.ts`); here are the promises. Invariant: each call is
 * answered exactly once, and a failed write says whether it may have happened.
 */
import { KvError } from '../base/index.ts';
import type { CommandResult } from '../kv/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { ChangeId, ChangeResult } from './membership-changes.ts';
import type { ProposalFailure, ProposalId } from './proposals.ts';
import type { ReadId } from './reads.ts';

/**
 * Who waits for a command: told one of the two, once, in the turn in which it becomes known.
 * Neither may throw.
 */
export interface CommandWaiter {
  resolve(result: CommandResult): void;
  reject(error: unknown): void;
}

interface PendingProposal {
  readonly waiter: CommandWaiter;
  readonly startMs: number;
  /** Who led when the call came. */
  readonly leader: NodeId;
}

interface PendingCall {
  readonly resolve: () => void;
  readonly reject: (error: KvError) => void;
  readonly startMs: number;
}

/** See the module comment. */
export class Calls {
  readonly #metrics: Metrics;
  readonly #nowMs: () => number;
  readonly #proposals = new Map<ProposalId, PendingProposal>();
  readonly #reads = new Map<ReadId, PendingCall>();
  readonly #changes = new Map<ChangeId, PendingCall>();

  constructor(metrics: Metrics, nowMs: () => number) {
    this.#metrics = metrics;
    this.#nowMs = nowMs;
  }

  get count(): number {
    return this.#proposals.size + this.#reads.size + this.#changes.size;
  }

  addProposal(id: ProposalId, leader: NodeId, waiter: CommandWaiter): void {
    this.#proposals.set(id, { waiter, startMs: this.#nowMs(), leader });
  }

  async addRead(id: ReadId): Promise<void> {
    return addTo(this.#reads, id, this.#nowMs());
  }

  async addChange(id: ChangeId): Promise<void> {
    return addTo(this.#changes, id, this.#nowMs());
  }

  /** A call that is refused before it has become one. */
  rejectProposal(error: KvError, waiter: CommandWaiter): void {
    this.#metrics.proposalsFailed.inc({ outcome: error.outcome });
    waiter.reject(error);
  }

  /** The entry of a proposal has been applied. */
  resolveProposal(id: ProposalId, result: CommandResult): void {
    const pending = this.#proposals.get(id);
    if (pending !== undefined) {
      this.#proposals.delete(id);
      this.#metrics.commitSeconds.observe((this.#nowMs() - pending.startMs) / 1000);
      pending.waiter.resolve(result);
    }
  }

  /** `leader` is who leads now: a change of leader explains a lost proposal. */
  failProposal(failure: ProposalFailure, leader: NodeId): void {
    const pending = this.#proposals.get(failure.id);
    if (pending === undefined) {
      return;
    }
    this.#proposals.delete(failure.id);
    const { outcome } = failure;
    const { waiter } = pending;
    this.#metrics.proposalsFailed.inc({ outcome });
    const hasLeaderFailed = pending.leader !== leader || pending.leader === 0;
    switch (failure.reason) {
      case 'timeout':
        waiter.reject(
          new KvError(hasLeaderFailed ? 'TIMEOUT_LEADER_FAILURE' : 'TIMEOUT', { outcome }),
        );
        break;
      case 'overtaken':
        waiter.reject(new KvError('TIMEOUT_LEADER_FAILURE', { outcome }));
        break;
      case 'cancelled':
        waiter.reject(new KvError('CANCELLED', { outcome }));
        break;
      case 'stopped':
        waiter.reject(new KvError('STOPPED', { outcome }));
        break;
    }
  }

  resolveReads(ids: readonly ReadId[]): void {
    for (const id of ids) {
      const read = this.#reads.get(id);
      if (read !== undefined) {
        this.#reads.delete(id);
        this.#metrics.readIndexSeconds.observe((this.#nowMs() - read.startMs) / 1000);
        read.resolve();
      }
    }
  }

  failReads(ids: readonly ReadId[], code: 'TIMEOUT' | 'CANCELLED'): void {
    for (const id of ids) {
      const read = this.#reads.get(id);
      this.#reads.delete(id);
      read?.reject(new KvError(code));
    }
  }

  /** True while somebody waits for this read. */
  hasRead(id: ReadId): boolean {
    return this.#reads.has(id);
  }

  endChange(result: ChangeResult): void {
    const pending = this.#changes.get(result.id);
    this.#changes.delete(result.id);
    if (result.kind === 'done') {
      pending?.resolve();
    } else {
      pending?.reject(new KvError(result.code, { outcome: result.outcome }));
    }
  }

  /** The member stops: no read is answered any more. */
  endReads(): void {
    for (const read of this.#reads.values()) {
      read.reject(new KvError('STOPPED'));
    }
    this.#reads.clear();
  }
}

async function addTo(calls: Map<number, PendingCall>, id: number, startMs: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    calls.set(id, { resolve, reject, startMs });
  });
}
