/** All invariants, in the order in which they look. */
import type { Ledger } from '../ledger.ts';
import { LedgerModel } from '../ledger-model.ts';
import { type Observer, Observers } from '../observer.ts';
import { AuthRevision } from './auth-revision.ts';
import { AuthTables } from './auth-tables.ts';
import { CommittedImmutable } from './committed-immutable.ts';
import { CommittedOnQuorum } from './committed-on-quorum.ts';
import { ConfigurationSafety } from './configuration-safety.ts';
import { DurableBeforeTold } from './durable-before-told.ts';
import { ElectionSafety } from './election-safety.ts';
import { ExpiryTold } from './expiry-told.ts';
import { HistoryKept } from './history-kept.ts';
import { LeaderAppendOnly } from './leader-append-only.ts';
import { LeaderCompleteness } from './leader-completeness.ts';
import { LogMatching } from './log-matching.ts';
import { LeaseBounds, type TimedCluster } from './lease-bounds.ts';
import { Monotonic } from './monotonic.ts';
import { Ownership } from './ownership.ts';
import { PermittedReads } from './permitted-reads.ts';
import { PermittedWatches } from './permitted-watches.ts';
import { PermittedWrites } from './permitted-writes.ts';
import { ProposalsOnce } from './proposals-once.ts';
import { ReadLinearizability } from './read-linearizability.ts';
import { SessionOwners } from './session-owners.ts';
import { StateMachineSafety } from './state-machine-safety.ts';

/** The observers of one run, and those that are asked for more. */
export interface Invariants {
  readonly observers: Observers;
  readonly elections: ElectionSafety;
  readonly reads: ReadLinearizability;
  readonly truth: LedgerModel;
}

export function createInvariants(
  cluster: TimedCluster,
  ledger: Ledger,
  watching: Observer,
): Invariants {
  const { members } = cluster;
  const elections = new ElectionSafety();
  const truth = new LedgerModel(ledger);
  return {
    elections,
    truth,
    reads: new ReadLinearizability(ledger),
    observers: new Observers([
      new Monotonic(),
      elections,
      new LeaderCompleteness(ledger),
      new LeaderAppendOnly(),
      new CommittedOnQuorum(members, ledger),
      new ConfigurationSafety(ledger),
      new CommittedImmutable(ledger),
      new LogMatching(),
      new DurableBeforeTold(),
      new AuthRevision(),
      new PermittedWrites(truth),
      new PermittedReads(truth),
      new PermittedWatches(truth),
      new AuthTables(truth),
      new SessionOwners(truth),
      new StateMachineSafety(ledger),
      new ProposalsOnce(ledger),
      truth,
      new LeaseBounds(cluster, truth),
      new ExpiryTold(),
      new HistoryKept(cluster, truth),
      new Ownership(),
      watching,
    ]),
  };
}
