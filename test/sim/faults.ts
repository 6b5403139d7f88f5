/**
 * Faults as data: planned from the seed before a run begins, so that a failing case can be written
 * down, replayed, and shrunk by leaving some of them out; and their effect on a cluster.
 *
 * A member is named by its id, or by 0 for whoever leads at that moment.
 */
import { must, type Prng } from '../../src/base/index.ts';
import { featureLevels, firstLevel } from '../../src/kv/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { type ChangeKind, changeKinds } from './admin.ts';
import type { Cluster } from './cluster.ts';
import type { CrashPoint } from './member.ts';
import { pick, type SimParameters } from './parameters.ts';

/** How the network is cut. `out`: the member is not heard; `in`: it does not hear. */
export type CutShape = 'isolate' | 'in' | 'out' | 'link' | 'split' | 'bridge' | 'all';

const usurpationReasons = ['order', 'order', 'news', 'restart'] as const;
type UsurpationReason = (typeof usurpationReasons)[number];

/** One fault; times in microseconds. */
export type Fault = { readonly atUs: number } & (
  | {
      readonly type: 'crash';
      readonly node: NodeId;
      readonly point: CrashPoint;
      readonly forUs: number;
    }
  /** All members at once: a power cut. */
  | { readonly type: 'blackout'; readonly forUs: number }
  | { readonly type: 'pause'; readonly node: NodeId; readonly forUs: number }
  | {
      readonly type: 'cut';
      readonly shape: CutShape;
      readonly node: NodeId;
      /** The other end of a link, or the members of one side as bits. */
      readonly other: number;
      readonly forUs: number;
      /** When above 0 the cut comes and goes in this rhythm. */
      readonly flapUs: number;
    }
  /**
   * The member's connections stall: nothing is lost, but it comes late, and all at once. What it
   * sends stalls later than what it receives.
   */
  | {
      readonly type: 'hold';
      readonly node: NodeId;
      readonly forUs: number;
      readonly aheadUs: number;
    }
  | {
      readonly type: 'bad-network';
      readonly loss: number;
      readonly duplicates: number;
      readonly slowness: number;
      readonly forUs: number;
    }
  | {
      readonly type: 'slow-disk';
      readonly node: NodeId;
      readonly slowness: number;
      readonly forUs: number;
    }
  | { readonly type: 'stalled-disk'; readonly node: NodeId; readonly forUs: number }
  | { readonly type: 'clock'; readonly node: NodeId; readonly rate: number; readonly forUs: number }
  /** A member is told, rightly or not, that another is gone. */
  | { readonly type: 'alarm'; readonly node: NodeId; readonly other: NodeId }
  | { readonly type: 'transfer'; readonly node: NodeId; readonly other: NodeId }
  /**
   * Whoever leads is cut off, and the others have a reason to elect another leader before any
   * timeout: its order shortly before, the news that it is gone, or a restart in which to forget.
   */
  | {
      readonly type: 'usurpation';
      readonly reason: UsurpationReason;
      readonly other: NodeId;
      readonly aheadUs: number;
      readonly forUs: number;
    }
  /** A member is stopped, and comes back as a build that reads levels up to this one. */
  | {
      readonly type: 'upgrade';
      readonly node: NodeId;
      readonly newest: number;
      readonly forUs: number;
    }
  | {
      readonly type: 'membership';
      readonly change: ChangeKind;
      /** The member that is asked for it. */
      readonly node: NodeId;
      /** Which member it is about, as an index into those that are there. */
      readonly choice: number;
    }
);

/** How often each kind happens, relative to the others. */
export type FaultMix = Readonly<Partial<Record<Fault['type'], number>>>;

/** How faults are spread over a run. */
export interface FaultPlan {
  readonly mix: FaultMix;
  /** Mean number in a run. */
  readonly count: number;
  /** Only ever meant for whoever leads. */
  readonly isAimedAtLeader?: boolean | undefined;
  /** How many of those that join later may be meant too. */
  readonly joiners?: number | undefined;
  /** Which changes of the membership are asked for; all when left out. */
  readonly changes?: readonly ChangeKind[] | undefined;
}

/** Three of four replacements are by the newest build. */
const newer = Array.from({ length: 3 }, () => featureLevels.newest);

const crashPoints: readonly CrashPoint[] = [
  'now',
  'sent',
  'write-begun',
  'write-durable',
  'acknowledged',
  'applied',
  'engine-written',
  'activated',
];

/** Draws the faults of a run, by ascending time. */
export function planFaults(prng: Prng, parameters: SimParameters, plan: FaultPlan): Fault[] {
  const types = Object.entries(plan.mix) as [Fault['type'], number][];
  const total = types.reduce((sum, [, weight]) => sum + weight, 0);
  const faults: Fault[] = [];
  const count = total === 0 ? 0 : prng.nextInt(0, 2 * plan.count + 1);
  for (let i = 0; i < count; i++) {
    let dice = prng.nextInt(0, total);
    const [type] = must(
      types.find(([, weight]) => (dice -= weight) < 0),
      'a kind of fault',
    );
    const fault = drawFault(prng, parameters, type, plan);
    faults.push(plan.isAimedAtLeader === true && 'node' in fault ? { ...fault, node: 0 } : fault);
  }
  return faults.sort((a, b) => a.atUs - b.atUs);
}

function drawFault(
  prng: Prng,
  parameters: SimParameters,
  type: Fault['type'],
  { joiners = 0, changes = changeKinds }: FaultPlan,
): Fault {
  const { nodes, raft, member, safetyUs } = parameters;
  const electionUs = raft.electionTimeoutTicks * member.tickUs;
  const atUs = prng.nextInt(electionUs, safetyUs);
  // Some shorter than an election timeout, some much longer.
  const forUs = prng.nextInt(
    0,
    pick(prng, [electionUs >> 2, electionUs, 4 * electionUs, 12 * electionUs]),
  );
  const node = prng.nextInt(0, 3) === 0 ? 0 : prng.nextInt(1, nodes + joiners + 1);
  const other = prng.nextInt(1, nodes + 1);
  switch (type) {
    case 'crash':
      return { atUs, type, node, point: pick(prng, crashPoints), forUs };
    case 'blackout':
      return { atUs, type, forUs };
    case 'hold': {
      const aheadUs = prng.nextInt(0, pick(prng, [1, electionUs]));
      return { atUs, type, node, forUs: forUs + 2 * aheadUs, aheadUs };
    }
    case 'pause':
    case 'stalled-disk':
      return { atUs, type, node, forUs };
    case 'cut': {
      const shapes: CutShape[] = ['isolate', 'in', 'out', 'link', 'split', 'bridge', 'all'];
      const shape = pick(prng, shapes);
      const isSplit = shape === 'split' || shape === 'bridge';
      return {
        ...{ atUs, type, shape, node, forUs },
        other: isSplit ? prng.nextInt(0, 2 ** (nodes + 1)) : other,
        flapUs: prng.nextInt(0, 5) === 0 ? Math.max(1000, prng.nextInt(0, electionUs)) : 0,
      };
    }
    case 'bad-network':
      return {
        ...{ atUs, type, forUs },
        loss: pick(prng, [0, 500, 3_000]),
        duplicates: pick(prng, [0, 3_000]),
        slowness: pick(prng, [1, 3, 20]),
      };
    case 'slow-disk':
      return { atUs, type, node, slowness: pick(prng, [5, 50]), forUs };
    case 'clock':
      return { atUs, type, node, rate: pick(prng, [300, 700, 1_500, 3_000]), forUs };
    case 'alarm':
    case 'transfer':
      return { atUs, type, node, other };
    case 'usurpation': {
      const aheadUs = prng.nextInt(0, pick(prng, [member.tickUs, electionUs >> 1]));
      const reason = pick(prng, usurpationReasons);
      return { ...{ atUs, type, reason, other, aheadUs }, forUs: prng.nextInt(0, 2 * electionUs) };
    }
    case 'upgrade':
      return { atUs, type, node, newest: pick(prng, [firstLevel, ...newer]), forUs };
    case 'membership':
      return { atUs, type, change: pick(prng, changes), node, choice: prng.nextInt(0, 64) };
  }
}

/** Lets a fault happen, and its end. */
export function strike(cluster: Cluster, fault: Fault): void {
  const { clock, network } = cluster;
  const lasting = (forUs: number, end: () => void): void => {
    clock.after(forUs, () => {
      if (!cluster.isHealed) {
        end();
      }
    });
  };
  switch (fault.type) {
    case 'crash':
      crashAt(cluster, cluster.resolve(fault.node), fault.point, fault.forUs);
      break;
    case 'blackout':
      for (const member of cluster.members.values()) {
        crashAt(cluster, member.id, 'now', fault.forUs);
      }
      break;
    case 'pause': {
      const member = cluster.member(cluster.resolve(fault.node));
      member.pause();
      member.note(() => 'paused');
      lasting(fault.forUs, () => {
        member.note(() => 'resumed');
        member.resume();
      });
      break;
    }
    case 'cut': {
      const links = linksOf(cluster, fault.shape, cluster.resolve(fault.node), fault.other);
      flap(cluster, links, clock.nowUs + fault.forUs, fault.flapUs);
      break;
    }
    case 'hold': {
      const id = cluster.resolve(fault.node);
      const endUs = clock.nowUs + fault.forUs;
      for (const other of cluster.members.keys()) {
        network.hold(other, id, endUs);
        clock.after(fault.aheadUs, () => {
          if (!cluster.isHealed) {
            network.hold(id, other, endUs);
          }
        });
      }
      break;
    }
    case 'bad-network':
      network.extraLoss += fault.loss;
      network.extraDuplicates += fault.duplicates;
      network.slowness = fault.slowness;
      lasting(fault.forUs, () => {
        network.extraLoss = Math.max(0, network.extraLoss - fault.loss);
        network.extraDuplicates = Math.max(0, network.extraDuplicates - fault.duplicates);
        network.slowness = 1;
      });
      break;
    case 'slow-disk': {
      const { disk } = cluster.member(cluster.resolve(fault.node));
      disk.slowness = fault.slowness;
      lasting(fault.forUs, () => {
        disk.slowness = 1;
      });
      break;
    }
    case 'stalled-disk': {
      const { disk } = cluster.member(cluster.resolve(fault.node));
      disk.stalledUntilUs = Math.max(disk.stalledUntilUs, clock.nowUs + fault.forUs);
      break;
    }
    case 'clock': {
      const member = cluster.member(cluster.resolve(fault.node));
      const usual = member.clockRate;
      member.clockRate = fault.rate;
      lasting(fault.forUs, () => {
        member.clockRate = usual;
      });
      break;
    }
    case 'alarm': {
      const member = cluster.member(cluster.resolve(fault.node));
      if (member.isUp && fault.other !== member.id) {
        member.run.reportDown(fault.other);
      }
      break;
    }
    case 'transfer': {
      const member = cluster.member(cluster.resolve(fault.node));
      if (member.isUp) {
        member.run.transferLeader(fault.other);
      }
      break;
    }
    case 'usurpation':
      usurp(cluster, fault);
      break;
    case 'upgrade': {
      const member = cluster.member(cluster.resolve(fault.node));
      cluster.crash(member);
      member.newestLevel = fault.newest;
      lasting(fault.forUs, () => {
        cluster.restart(member);
      });
      break;
    }
    case 'membership':
      cluster.admin.change(fault.change, cluster.resolve(fault.node), fault.choice);
      break;
  }
}

function usurp(cluster: Cluster, fault: Extract<Fault, { type: 'usurpation' }>): void {
  const leader = cluster.member(cluster.resolve(0));
  const { clock, members } = cluster;
  if (fault.reason === 'order' && leader.isUp) {
    leader.run.transferLeader(fault.other);
  }
  clock.after(fault.aheadUs, () => {
    const links = linksOf(cluster, 'isolate', leader.id, 0);
    flap(cluster, links, clock.nowUs + fault.forUs, 0);
    for (const member of members.values()) {
      if (member === leader || cluster.isHealed) {
        continue;
      }
      if (fault.reason === 'restart') {
        crashAt(cluster, member.id, 'now', 0);
      } else if (fault.reason === 'news' && member.isUp) {
        member.run.reportDown(leader.id);
      }
    }
  });
}

function crashAt(cluster: Cluster, id: NodeId, point: CrashPoint, forUs: number): void {
  const member = cluster.member(id);
  if (!member.isUp) {
    return;
  }
  if (point === 'now') {
    cluster.crash(member);
  } else {
    member.crashPoint = point;
  }
  cluster.clock.after(forUs, () => {
    member.crashPoint = undefined;
    cluster.restart(member);
  });
}

type Link = readonly [from: NodeId, to: NodeId];

function linksOf(cluster: Cluster, shape: CutShape, node: NodeId, other: number): Link[] {
  const ids = [...cluster.members.keys()];
  const links: Link[] = [];
  for (const from of ids) {
    for (const to of ids) {
      if (from !== to && isCutBy(shape, from, to, { node, other })) {
        links.push([from, to]);
      }
    }
  }
  return links;
}

function isCutBy(
  shape: CutShape,
  from: NodeId,
  to: NodeId,
  { node, other }: { readonly node: NodeId; readonly other: number },
): boolean {
  const isOnOtherSide = (id: NodeId): boolean => ((other >> id) & 1) === 1;
  const isBetweenSides = isOnOtherSide(from) !== isOnOtherSide(to);
  switch (shape) {
    case 'isolate':
      return from === node || to === node;
    case 'in':
      return to === node;
    case 'out':
      return from === node;
    case 'link':
      return (from === node && to === other) || (from === other && to === node);
    case 'split':
      return isBetweenSides;
    case 'bridge':
      return isBetweenSides && from !== node && to !== node;
    case 'all':
      return true;
  }
}

/** Cuts links until `endUs`, now and then mending them when they flap. */
function flap(cluster: Cluster, links: readonly Link[], endUs: number, flapUs: number): void {
  const { clock, network } = cluster;
  if (cluster.isHealed || clock.nowUs >= endUs) {
    return;
  }
  for (const [from, to] of links) {
    network.cut(from, to);
    cluster.linkBroke(from, to);
  }
  const onUs = flapUs === 0 ? endUs - clock.nowUs : Math.min(flapUs, endUs - clock.nowUs);
  clock.after(onUs, () => {
    if (cluster.isHealed) {
      return;
    }
    for (const [from, to] of links) {
      network.mend(from, to);
    }
    if (flapUs > 0) {
      clock.after(flapUs, () => {
        flap(cluster, links, endUs, flapUs);
      });
    }
  });
}
