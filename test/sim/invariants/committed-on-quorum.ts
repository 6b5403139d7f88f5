/**
 * An entry is committed once the leader that created it has replicated it on a majority of the
 * servers (Raft thesis §3.5), and only entries of the leader's own term are committed by counting
 * (§3.6.2). In a joint configuration both majorities must hold it (§4.3). "Replicated" means: on
 * disks that no crash takes it from (§3.8), the leader's own being one of them or not.
 *
 * This is where entries enter the ledger; no follower's commit index may be ahead of it.
 */
import type { ConfState, RaftStatus } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { Ledger } from '../ledger.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class CommittedOnQuorum implements Observer {
  readonly name = 'committed-on-quorum';
  readonly #members: ReadonlyMap<number, SimMember>;
  readonly #ledger: Ledger;

  constructor(members: ReadonlyMap<number, SimMember>, ledger: Ledger) {
    this.#members = members;
    this.#ledger = ledger;
  }

  started(member: SimMember, status: RaftStatus): void {
    holds(status.commitIndex <= this.#ledger.commitIndex, this.name, () => {
      return (
        `member ${member.id} starts with commit index ` +
        `${status.commitIndex}, nobody committed it`
      );
    });
  }

  stepped(member: SimMember, before: RaftStatus, after: RaftStatus): void {
    const { commitIndex } = after;
    if (commitIndex === before.commitIndex) {
      return;
    }
    const ledger = this.#ledger;
    if (commitIndex > ledger.commitIndex) {
      // It may have stepped down in the same step, and then its configuration still says how.
      const isLeader = after.role === 'leader' || before.role === 'leader';
      holds(isLeader, this.name, () => {
        return (
          `${after.role} ${member.id} believes ${commitIndex} committed, ` +
          `leaders have committed ${ledger.commitIndex}`
        );
      });
      // A leader may append the next configuration in the step in which it commits the last one.
      const { term, configuration } = before.role === 'leader' ? before : after;
      this.#commit(member, { term, commitIndex, conf: configuration.confState });
    }
    const { log } = member.disk;
    const slot = ledger.at(commitIndex);
    const ownTerm = commitIndex <= log.lastIndex ? log.termAt(commitIndex) : undefined;
    // While a snapshot is being installed the disk still has the old log.
    const isInPlace = log.snapshotIndex >= after.snapshotIndex;
    const isStored = isInPlace && after.stableIndex >= commitIndex;
    const isKnown = isStored && slot !== undefined && ownTerm !== undefined;
    holds(!isKnown || ownTerm === slot.entry.term, this.name, () => {
      return (
        `${after.role} ${member.id} holds ${commitIndex}/${ownTerm ?? 0} for committed, ` +
        `it is ${commitIndex}/${slot?.entry.term ?? 0}`
      );
    });
  }

  #commit(
    leader: SimMember,
    how: { readonly term: number; readonly commitIndex: number; readonly conf: ConfState },
  ): void {
    const { term, commitIndex, conf } = how;
    const holders = [...this.#members.values()].filter((each) => {
      return each.disk.log.holds(commitIndex, term);
    });
    const holderIds = holders.map(({ id }) => id);
    holds(isQuorum(conf, holderIds), this.name, () => {
      return (
        `leader ${leader.id} of term ${term} commits ` +
        `${commitIndex}, which in that term is on the ` +
        `disks of [${holderIds.join()}], of voters [${conf.voters.join()}] ` +
        `and [${conf.votersOutgoing.join()}]`
      );
    });
    const source = holders.find((each) => each.disk.log.snapshotIndex <= this.#ledger.commitIndex);
    for (let index = this.#ledger.commitIndex + 1; index <= commitIndex; index++) {
      const entry = source?.disk.log.entryAt(index);
      if (entry === undefined) {
        throw new Error(`no holder of ${commitIndex} has entry ${index}`);
      }
      this.#ledger.commit(entry, term, leader.host.clock.nowUs);
    }
  }
}

/** Whether `ids` are a majority of each half of the configuration. */
function isQuorum(conf: ConfState, ids: readonly number[]): boolean {
  const isMajority = (voters: readonly number[]): boolean =>
    voters.length === 0 || 2 * voters.filter((id) => ids.includes(id)).length > voters.length;
  return isMajority(conf.voters) && isMajority(conf.votersOutgoing);
}
