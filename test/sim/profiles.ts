/**
 * Profiles: which faults happen and how often, and which parameters are no longer left to the seed.
 */
import { must, type Prng } from '../../src/base/index.ts';
import { featureLevels } from '../../src/kv/index.ts';
import { keepBoth, keepRevisions, keepTime } from '../../src/replica/auto-compaction.ts';
import { type Fault, type FaultMix, type FaultPlan, planFaults } from './faults.ts';
import {
  administrators,
  drawParameters,
  happens,
  pick,
  type SimParameters,
  streamOf,
  streams,
  withBearableLoad,
  withPace,
  withRoomForTime,
} from './parameters.ts';

/** A run in full: equal cases give equal runs, line for line. */
export interface SimCase {
  readonly seed: number;
  readonly profile: string;
  readonly parameters: SimParameters;
  readonly faults: readonly Fault[];
}

interface Profile extends FaultPlan {
  readonly says: string;
  readonly adjust?: (parameters: SimParameters, prng: Prng) => SimParameters;
}

const network: FaultMix = { cut: 6, hold: 3, 'bad-network': 3, alarm: 1, transfer: 1 };
const crashes: FaultMix = { crash: 8, blackout: 1 };
const disks: FaultMix = { 'slow-disk': 3, 'stalled-disk': 3, crash: 2 };
const clocks: FaultMix = { clock: 4, pause: 4 };

/** By name; `mixed` is one of them for each seed. */
export const profiles: Readonly<Record<string, Profile>> = {
  calm: { says: 'no faults at all', mix: {}, count: 0, adjust: withoutChance },
  partitions: { says: 'cuts of every shape, bad links', mix: network, count: 25 },
  crashes: { says: 'crashes at chosen moments, power cuts', mix: crashes, count: 25 },
  disk: { says: 'slow and stalled disks, crashes', mix: disks, count: 20 },
  clocks: { says: 'clocks at different rates, paused processes', mix: clocks, count: 20 },
  membership: {
    says: 'members join, leave and change their role, among crashes and cuts',
    mix: { membership: 12, crash: 4, cut: 4, transfer: 1 },
    count: 30,
  },
  joint: {
    says: 'voters are replaced while a half of the joint configuration is slow',
    mix: { membership: 14, 'stalled-disk': 8, 'slow-disk': 3, cut: 3, crash: 2 },
    count: 60,
    joiners: 4,
    changes: ['replace', 'replace', 'add', 'remove'],
    adjust: (parameters, prng) => ({ ...parameters, nodes: pick(prng, [1, 2, 3, 3]) }),
  },
  snapshots: {
    says: 'short logs, so that members that were away need a snapshot',
    mix: { cut: 4, crash: 6, pause: 2, 'stalled-disk': 3, membership: 4 },
    count: 30,
    adjust: (parameters, prng) => ({
      ...parameters,
      member: {
        ...parameters.member,
        logEntriesMax: prng.nextInt(5, 60),
        logMarginEntries: prng.nextInt(0, 5),
      },
    }),
  },
  leaders: {
    says: 'whoever leads is cut off, held up, stopped or crashed, again and again',
    mix: { cut: 4, hold: 6, crash: 4, pause: 1, transfer: 1 },
    count: 70,
    isAimedAtLeader: true,
    adjust: withQuickElections,
  },
  lease: {
    says: 'reads by lease on clocks that drift, while leaders are held up, stopped and replaced',
    mix: { usurpation: 10, hold: 12, 'bad-network': 3, cut: 3, crash: 2, pause: 2, membership: 1 },
    count: 60,
    adjust: withLeases,
  },
  history: {
    says: 'leaders compact history by themselves, among crashes, cuts, pauses and wrong clocks',
    mix: { cut: 4, crash: 6, pause: 3, clock: 3, transfer: 2, membership: 2 },
    count: 30,
    adjust: withRetention,
  },
  upgrade: {
    says: 'members are replaced by a newer build, or the older one, among crashes and cuts',
    mix: { upgrade: 12, crash: 4, cut: 4, pause: 1, transfer: 1, membership: 2 },
    count: 30,
    adjust: (parameters) => ({ ...parameters, mixesLevels: true }),
  },
  users: {
    says: 'users and roles come, go and change while everybody reads and writes',
    mix: { cut: 5, crash: 7, pause: 2, transfer: 3, 'stalled-disk': 2, membership: 2, clock: 1 },
    count: 30,
    adjust: withUsers,
  },
  memory: {
    says: 'members apply slowly, and keep little of their logs in memory until they do',
    mix: { 'stalled-disk': 4, 'slow-disk': 4, crash: 4, cut: 4, pause: 2, membership: 2 },
    count: 30,
    adjust: withLittleMemory,
  },
  everything: {
    says: 'all kinds of faults in one run',
    mix: { ...network, ...crashes, ...disks, ...clocks, crash: 7, membership: 4 },
    count: 25,
  },
};

/** The profile when none is named: each seed has one of the others, every other one everything. */
export const defaultProfile = 'mixed';

/** Those that came later are left out, so that the runs of seeds stay what they were. */
const unmixed: readonly string[] = ['lease', 'history', 'upgrade', 'users', 'memory'];
const mixedProfiles = Object.keys(profiles).filter((it) => !unmixed.includes(it));

/** Draws the whole run from a seed. */
export function createCase(seed: number, profileName: string): SimCase {
  const prng = streamOf(seed, streams.parameters);
  const chosen = happens(prng, 5_000) ? 'everything' : pick(prng, mixedProfiles);
  // From a generator of its own, so that the other seeds' runs are what they were without it.
  const spare = happens(streamOf(seed, streams.memory), 800) ? 'memory' : chosen;
  const usual = happens(streamOf(seed, streams.history), 600) ? 'history' : spare;
  const timed = happens(streamOf(seed, streams.lease), 800) ? 'lease' : usual;
  const mixed = happens(streamOf(seed, streams.users), 800) ? 'users' : timed;
  const name = profileName === defaultProfile ? mixed : profileName;
  const profile = must(profiles[name], `profile ${name}`);
  const drawn = withPace(drawParameters(prng), streamOf(seed, streams.pace));
  const parameters = profile.adjust?.(drawn, prng) ?? drawn;
  const faultPrng = streamOf(seed, streams.faults);
  const faults = planFaults(faultPrng, parameters, profile);
  return { seed, profile: profileName, parameters, faults };
}

/** Little stands between a leader and the next, and much is read and written meanwhile. */
function withQuickElections(parameters: SimParameters, prng: Prng): SimParameters {
  const { tickUs } = parameters.member;
  const { mix } = parameters.workload;
  return {
    ...parameters,
    nodes: pick(prng, [3, 3, 3, 5]),
    raft: {
      ...parameters.raft,
      ...{ electionTimeoutTicks: 5, heartbeatTicks: 1, forwardProposals: true },
      ...{ pendingReadsMax: 100_000, uncommittedBytesMax: 67_108_864 },
      ...{ preVote: happens(prng, 5_000), checkQuorum: happens(prng, 3_000) },
    },
    network: { ...parameters.network, latencyMaxUs: pick(prng, [2_000, tickUs >> 1, tickUs]) },
    workload: {
      ...parameters.workload,
      ...{ clients: 6, thinkMaxUs: tickUs, callTimeoutUs: 20 * tickUs },
      ...{ attemptsMax: 3, mix: { ...mix, get: 40, compact: 0 } },
    },
  };
}

/** Members read by lease; leaders change as quickly as the promises let them. */
function withLeases(parameters: SimParameters, prng: Prng): SimParameters {
  const { raft, member, workload, ...others } = withQuickElections(parameters, prng);
  const electionTimeoutTicks = pick(prng, [5, 5, 10, 20]);
  return {
    ...others,
    // Who waits for a write that cannot be sees no stale read.
    workload: { ...workload, mix: { ...workload.mix, get: 200 } },
    raft: {
      ...raft,
      ...{ electionTimeoutTicks, preVote: true, checkQuorum: true },
      leaseMs: ((electionTimeoutTicks - 1) * member.tickUs) / 1000,
    },
    // The fastest is faster than the slowest by a little less than lease reads allow for.
    member: { ...member, clockDriftMax: pick(prng, [0, 45, 45]) },
  };
}

/** Little history is kept, and nobody but the leader compacts. */
function withRetention(parameters: SimParameters, prng: Prng): SimParameters {
  const { workload } = parameters;
  const keepMs = prng.nextInt(1_000, 20_000);
  const count = prng.nextInt(1, 30);
  const lookMs = keepMs / 10;
  const either = pick(prng, [
    keepTime(keepMs),
    { ...keepRevisions(count), intervalMs: lookMs, lookMs },
  ]);
  return {
    ...parameters,
    workload: { ...workload, mix: { ...workload.mix, compact: 0 } },
    retention: pick(prng, [keepBoth(keepMs, count), either]),
  };
}

/**
 * Accounts for everybody, on the newest build, or on the one before until faults end; logs are
 * short in half of the runs, so that tables come by snapshot.
 */
function withUsers(parameters: SimParameters, prng: Prng): SimParameters {
  const { workload, member } = parameters;
  const { newest } = featureLevels;
  const logEntriesMax = pick(prng, [member.logEntriesMax, prng.nextInt(5, 60)]);
  const joined = {
    ...parameters,
    ...{ mixesLevels: true, builtFor: pick(prng, [newest, newest, newest, newest - 1]) },
    member: { ...member, logEntriesMax },
    workload: {
      ...workload,
      ...{ users: prng.nextInt(1, 4), tenants: pick(prng, [0, 1, 2]) },
      clients: Math.max(2, workload.clients),
    },
  };
  return withRoomForTime(withBearableLoad(joined, administrators));
}

/** Entries are given up before they are applied, and read again when their turn comes. */
function withLittleMemory(parameters: SimParameters, prng: Prng): SimParameters {
  const cacheBytesMax = pick(prng, [0, 1_000]);
  return {
    ...parameters,
    raft: {
      ...parameters.raft,
      ...{ cacheBytesMax, unappliedBytesMax: cacheBytesMax + pick(prng, [0, 500, 2_000]) },
      applyingBytesMax: pick(prng, [1, 1_000]),
    },
    member: { ...parameters.member, stateCacheBytesMax: pick(prng, [0, 2_000]) },
    disk: { ...parameters.disk, engineUs: pick(prng, [1_000, 200_000]) },
  };
}

function withoutChance(parameters: SimParameters): SimParameters {
  return {
    ...parameters,
    network: { ...parameters.network, loss: 0, duplicates: 0, spikes: 0 },
    member: { ...parameters.member, clockDriftMax: 0 },
  };
}
