/**
 * Changes of membership come one at a time, and any majority of a configuration meets any majority
 * of the next (Raft thesis §4.1, §4.3; a leader starts one only after it has committed an entry of
 * its term and the last configuration). Everybody uses the newest configuration of its log, however
 * it came there: by an entry, by a snapshot or from its disk (§4.1, §5.1).
 */
import type { ConfState, RaftStatus } from '../../../src/raft/index.ts';
import { holds } from '../failure.ts';
import type { Ledger } from '../ledger.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';

/** See the module comment. */
export class ConfigurationSafety implements Observer {
  readonly name = 'configuration-safety';
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  started(member: SimMember, status: RaftStatus): void {
    this.#checkNewest(member, status);
  }

  stepped(member: SimMember, before: RaftStatus, after: RaftStatus): void {
    if (after.commitIndex !== before.commitIndex) {
      this.#checkNewest(member, after);
    }
    const from = before.configuration;
    const to = after.configuration;
    if (from.index === to.index || after.role !== 'leader' || to.index <= from.index) {
      return;
    }
    const isSettled = from.index <= this.#ledger.commitIndex;
    holds(isSettled, this.name, () => {
      return `leader ${member.id} starts ${to.index} before ${from.index} is committed`;
    });
    // The first configuration of a cluster comes with its first leader.
    const newest = this.#ledger.at(after.commitIndex);
    holds(from.index === 0 || newest?.entry.term === after.term, this.name, () => {
      return (
        `leader ${member.id} starts ${to.index} in term ${after.term}, ` +
        `of which it has committed nothing`
      );
    });
    holds(majoritiesMeet(from.confState, to.confState), this.name, () => {
      return (
        `a majority of ${describeConf(from.confState)} need not meet ` +
        `one of ${describeConf(to.confState)}`
      );
    });
  }

  #checkNewest(member: SimMember, { configuration, commitIndex }: RaftStatus): void {
    const newest = this.#ledger.confIndexAt(commitIndex);
    holds(configuration.index >= newest, this.name, () => {
      return (
        `${member.id} has committed up to ${commitIndex} and uses configuration ` +
        `${configuration.index}; there is ${newest}`
      );
    });
  }
}

function describeConf({ voters, votersOutgoing }: ConfState): string {
  return `[${voters.join()}]${votersOutgoing.length > 0 ? `+[${votersOutgoing.join()}]` : ''}`;
}

/** Two sets of voters always meet in a majority if they differ in at most one member. */
function majoritiesMeet(from: ConfState, to: ConfState): boolean {
  return halvesOf(from).some((a) => halvesOf(to).some((b) => differenceOf(a, b) <= 1));
}

function halvesOf(conf: ConfState): readonly (readonly number[])[] {
  return conf.votersOutgoing.length > 0 ? [conf.voters, conf.votersOutgoing] : [conf.voters];
}

function differenceOf(a: readonly number[], b: readonly number[]): number {
  return a.filter((id) => !b.includes(id)).length + b.filter((id) => !a.includes(id)).length;
}
