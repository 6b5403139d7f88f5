/**
 * Whoever changes the membership: asks a member for a change, starts the members that join, and
 * stops those that have been removed, after a while in which they may still disturb.
 */
import type { Configuration, NodeId } from '../../src/raft/index.ts';
import {
  decodeMembership,
  type MemberRecord,
  type MembershipChange,
  unknownConfiguration,
} from '../../src/replica/membership.ts';
import type { SimParameters } from './parameters.ts';
import type { SimMember } from './member.ts';
import type { VirtualClock } from './clock.ts';
import { nodeIdLimit } from './network.ts';

/** Kinds of change that a fault may ask for. */
export const changeKinds = ['add', 'addLearner', 'remove', 'promote', 'demote', 'replace'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** Limit: voters and learners that the workload grows a cluster to. */
const membersMax = 7;

/** The cluster as its administrator sees it. */
export interface AdministeredCluster {
  readonly clock: VirtualClock;
  readonly parameters: SimParameters;
  readonly members: ReadonlyMap<NodeId, SimMember>;
  readonly leader: NodeId;
  addMember(id: NodeId, configuration: Configuration): SimMember;
  restart(member: SimMember): void;
}

/** See the module comment. */
export class Admin {
  readonly #cluster: AdministeredCluster;
  #nextId: NodeId = 0;
  /** Changes that have been done. */
  done = 0;

  constructor(cluster: AdministeredCluster) {
    this.#cluster = cluster;
  }

  /** Asks `node` for a change of the membership as it knows it. */
  change(kind: ChangeKind, node: NodeId, choice: number): void {
    const cluster = this.#cluster;
    const member = cluster.members.get(node);
    if (member?.isUp !== true) {
      return;
    }
    const { confState } = member.run.replica.configuration;
    const change = this.#plan(kind, confState, choice);
    if (change === undefined) {
      return;
    }
    const { raft, member: limits } = cluster.parameters;
    const timeoutUs = 6 * raft.electionTimeoutTicks * limits.tickUs;
    member.note(() => `is asked to ${JSON.stringify(change)}`);
    const added = change.type === 'add' || change.type === 'replace' ? change.member.id : 0;
    if (added !== 0 && choice % 3 === 0) {
      // Somebody has started it before it belongs to the cluster.
      this.#start(added);
    }
    member.run.changeMembership(change, timeoutUs, (result) => {
      member.note(() => `answers ${JSON.stringify(result)}`);
      this.done += result?.kind === 'done' ? 1 : 0;
      const isRejected = result?.kind === 'failed' && result.outcome === 'rejected';
      if (added !== 0 && !isRejected) {
        this.#start(added);
      }
    });
  }

  /** Starts members that were added and never started, and retires those that were removed. */
  settle(): void {
    const { members, leader } = this.#cluster;
    const status = members.get(leader)?.status;
    if (status === undefined) {
      return;
    }
    const { confState, context } = status.configuration;
    const { removedIds } = decodeMembership(context);
    for (const id of [...confState.voters, ...confState.learners, ...confState.learnersNext]) {
      if ((members.get(id)?.runs ?? 0) === 0) {
        this.#start(id);
      }
    }
    for (const id of removedIds) {
      const member = members.get(id);
      if (member !== undefined && status.commitIndex >= status.configuration.index) {
        member.isRetired = true;
        member.crash();
      }
    }
  }

  #start(id: NodeId): void {
    const cluster = this.#cluster;
    const member = cluster.members.get(id) ?? cluster.addMember(id, unknownConfiguration());
    cluster.clock.after(0, () => {
      cluster.restart(member);
    });
  }

  #plan(
    kind: ChangeKind,
    conf: { readonly voters: readonly NodeId[]; readonly learners: readonly NodeId[] },
    choice: number,
  ): MembershipChange | undefined {
    const all = [...conf.voters, ...conf.learners];
    const chosen = (ids: readonly NodeId[]): NodeId => ids[choice % ids.length] ?? 0;
    const canAdd = all.length < membersMax && this.#newId < nodeIdLimit;
    switch (kind) {
      case 'add':
      case 'addLearner': {
        const isLearner = kind === 'addLearner';
        const member = memberRecord(this.#newId, choice % 2 === 0);
        return canAdd ? { type: 'add', member: this.#take(member), isLearner } : undefined;
      }
      case 'remove':
        return all.length > 1 ? { type: 'remove', id: chosen(all) } : undefined;
      case 'promote':
        return conf.learners.length > 0
          ? { type: 'promote', id: chosen(conf.learners) }
          : undefined;
      case 'demote':
        return conf.voters.length > 1 ? { type: 'demote', id: chosen(conf.voters) } : undefined;
      case 'replace': {
        const member = memberRecord(this.#newId, true);
        const id = chosen(all);
        return this.#newId < nodeIdLimit
          ? { type: 'replace', id, member: this.#take(member), isLearner: choice % 2 === 0 }
          : undefined;
      }
    }
  }

  get #newId(): NodeId {
    return Math.max(this.#nextId, this.#cluster.parameters.nodes + 1);
  }

  #take<T extends { readonly id: NodeId }>(member: T): T {
    this.#nextId = member.id + 1;
    return member;
  }
}

/** How a member stands in the membership. */
export function memberRecord(id: NodeId, autoPromote = false): MemberRecord {
  return { id, name: `n${id}`, peerUrls: [`http://n${id}`], autoPromote };
}
