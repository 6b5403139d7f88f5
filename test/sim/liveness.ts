/**
 * After the faults: the cluster must heal by itself. Within a bound of virtual time each, it elects
 * a leader that all members know, takes a write through every member, and, once clients have
 * stopped, every member has applied everything and has the same state.
 */
import { KvError } from '../../src/base/index.ts';
import { type Command, featureLevels, hashKv, verifyState } from '../../src/kv/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { initialConfiguration } from '../../src/replica/membership.ts';
import type { Cluster } from './cluster.ts';
import { holds, LivenessViolation } from './failure.ts';
import type { SimMember } from './member.ts';
import { switchOff } from './users.ts';
import { bytesOf, type Workload } from './workload.ts';

/** Clients of the history that are the observer's own. */
const probeClients = 1_000;

/** How long the steps of the recovery took, in virtual microseconds. */
export interface Recovery {
  readonly electedUs: number;
  readonly servedUs: number;
  readonly convergedUs: number;
}

/** Lets the healed cluster run; fails when something does not happen in time. */
export function recover(cluster: Cluster, workload: Workload): Recovery {
  const { clock, parameters } = cluster;
  const limitUs = parameters.livenessUs + catchUpUs(cluster);
  const startUs = clock.nowUs;
  runUntil(cluster, startUs + limitUs, () => hasSettledLeader(cluster), 'elects a leader');
  const electedUs = clock.nowUs - startUs;
  cluster.settledUs = clock.nowUs;
  const waiting = new Set<NodeId>();
  const { forwardProposals } = parameters.raft;
  const leader = (): SimMember | undefined => cluster.members.get(cluster.leader);
  for (const member of membersOf(cluster)) {
    // Without forwarding only the leader takes writes, and it may be another one by then.
    const taker = forwardProposals ? (): SimMember => member : leader;
    waiting.add(member.id);
    probe(cluster, workload, { id: member.id, taker }, () => {
      waiting.delete(member.id);
    });
  }
  // A removal under way may still go through.
  const servesAll = (): boolean => membersOf(cluster).every(({ id }) => !waiting.has(id));
  runUntil(cluster, clock.nowUs + limitUs, servesAll, 'takes a write through every member');
  const servedUs = clock.nowUs - startUs - electedUs;
  if (parameters.mixesLevels === true) {
    const hasRisen = (): boolean =>
      membersOf(cluster).every(
        (each) => each.isUp && each.run.stateMachine.level === featureLevels.newest,
      );
    runUntil(cluster, clock.nowUs + limitUs, hasRisen, 'raises its feature level');
  }
  workload.stop();
  // Nothing is left that ends by itself, so time stands still.
  const { model } = cluster.invariants.truth;
  if (parameters.workload.users !== undefined) {
    switchOff(cluster);
  }
  const isQuiet = (): boolean =>
    workload.pending === 0 &&
    model.leases.size + model.ttls.size === 0 &&
    !model.auth.isEnabled &&
    hasConverged(cluster);
  runUntil(cluster, clock.nowUs + limitUs, isQuiet, 'comes to rest with one state');
  verifyStates(cluster);
  return { electedUs, servedUs, convergedUs: clock.nowUs - startUs - electedUs - servedUs };
}

/**
 * With a window of one entry, a member that has nothing takes a round trip and a sync for each; a
 * write waits for all that its leader took before it, committed or not.
 */
function catchUpUs({ parameters, members }: Cluster): number {
  const { network, disk, member } = parameters;
  const eachUs = 2 * (network.latencyMaxUs + member.turnDelayUs) + disk.syncMaxUs + disk.readUs;
  const lastIndexes = [...members.values()].map(({ status }) => status?.lastIndex ?? 0);
  return 2 * eachUs * Math.max(...lastIndexes);
}

/** Lets time pass until `condition` holds. */
function runUntil(cluster: Cluster, endUs: number, condition: () => boolean, what: string): void {
  const { clock, parameters } = cluster;
  while (!condition()) {
    // A little more than a tick, or every look would find the same half-done turn.
    const nextUs = clock.nowUs + parameters.member.tickUs + 3_001;
    if (nextUs > endUs) {
      throw new LivenessViolation(`the cluster never ${what}: ${describeCluster(cluster)}`);
    }
    while (clock.step(nextUs)) {
      // Everything up to the next look.
    }
    cluster.admin.settle();
  }
}

/** The members of the newest configuration of the leader. */
function membersOf(cluster: Cluster): readonly SimMember[] {
  const leader = cluster.members.get(cluster.leader);
  const conf = leader?.status?.configuration.confState;
  const { parameters } = cluster;
  const ids = conf ?? initialConfiguration([]).confState;
  const all = [...ids.voters, ...ids.votersOutgoing, ...ids.learners, ...ids.learnersNext];
  const known =
    conf === undefined ? Array.from({ length: parameters.nodes }, (_, i) => i + 1) : all;
  return [...new Set(known)]
    .sort((a, b) => a - b)
    .flatMap((id) => {
      const member = cluster.members.get(id);
      return member === undefined ? [] : [member];
    });
}

function hasSettledLeader(cluster: Cluster): boolean {
  const { leader } = cluster;
  const term = cluster.members.get(leader)?.status?.term;
  return (
    leader !== 0 &&
    membersOf(cluster).every(({ status }) => status?.leader === leader && status.term === term)
  );
}

/** Writes through a member until it works; these writes are part of the history too. */
function probe(
  cluster: Cluster,
  workload: Workload,
  { id, taker }: { readonly id: NodeId; readonly taker: () => SimMember | undefined },
  done: () => void,
): void {
  const { clock, parameters } = cluster;
  const timeoutUs = 10 * parameters.raft.electionTimeoutTicks * parameters.member.tickUs;
  let attempts = 0;
  const attempt = (): void => {
    const member = taker();
    if (member?.isUp !== true) {
      if (member?.isRetired !== true) {
        clock.after(parameters.member.tickUs, attempt);
      }
      return;
    }
    const value = bytesOf(`probe ${++attempts}`);
    const command: Command = {
      ...{ type: 'put', key: bytesOf(`p${id}`), value, lease: 0n },
      ...{
        prevKv: false,
        ignoreValue: false,
        ignoreLease: false,
        ttlMs: 0,
        ttlRefreshOnWrite: false,
      },
    };
    const operation = workload.open(probeClients + id, { type: 'command', command });
    operation.member = member.id;
    member.run.propose(command, timeoutUs, (answer) => {
      if (answer.kind === 'applied') {
        workload.close(operation, answer);
        done();
        return;
      }
      const kind = answer.outcome === 'rejected' ? 'fail' : 'unknown';
      workload.close(operation, { kind, reason: answer.reason });
      clock.after(parameters.member.tickUs, attempt);
    });
  };
  attempt();
}

function hasConverged(cluster: Cluster): boolean {
  const { commitIndex } = cluster.ledger;
  return membersOf(cluster).every(
    (member) =>
      member.isUp &&
      member.status?.appliedIndex === commitIndex &&
      member.status.lastIndex === commitIndex &&
      member.run.readableIndex === commitIndex &&
      member.run.isIdle,
  );
}

/** State-machine safety at the end, on everything that is stored. */
function verifyStates(cluster: Cluster): void {
  let first: { readonly id: NodeId; readonly digest: string } | undefined;
  for (const { id, run, disk } of membersOf(cluster)) {
    const { revision, compactRevision, stateHash } = run.stateMachine;
    verifyState(disk.engine.records());
    const reading = hashKv(0, { revision, compactRevision });
    let step = reading.next();
    while (step.done !== true) {
      step = reading.next(disk.engine.load(step.value));
    }
    const outcome = step.value;
    if (outcome.kind === 'refused' && outcome.code !== 'COMPACTED') {
      throw new KvError(outcome.code);
    }
    const hash = outcome.kind === 'ok' ? outcome.hash : 0;
    const digest =
      `revision ${revision}, compacted ` + `${compactRevision}, hashes ${hash} ${stateHash.hash}`;
    first ??= { id, digest };
    const other = first;
    holds(digest === other.digest, 'state-machine-safety', () => {
      return `in the end ${id} has ${digest}, and ${other.id} has ${other.digest}`;
    });
  }
}

/** One line on every member, for the message of a failure. */
function describeCluster(cluster: Cluster): string {
  const members = [...cluster.members.values()].map((member) => {
    const { id, status } = member;
    if (!member.isUp || status === undefined) {
      return `${id} ${member.isRetired ? 'removed' : 'down'}`;
    }
    const { role, term, leader, commitIndex, appliedIndex, lastIndex } = status;
    const lists = status.configuration.confState;
    return (
      `${id} ${role} term=${term} leader=${leader} commit=${commitIndex} applied=${appliedIndex} ` +
      `readable=${member.run.readableIndex} ${member.run.isIdle ? 'idle' : 'busy'} ` +
      `last=${lastIndex} voters=[${lists.voters.join()}]`
    );
  });
  return `committed ${cluster.ledger.commitIndex}; ${members.join('; ')}`;
}
