/**
 * Everything that shapes a run, as plain data: drawn from one seed, restricted by a profile,
 * written into a case that can be replayed, and reduced when a failing case is shrunk.
 */
import type { Prng } from '../../src/base/index.ts';
import { createPrng } from '../../src/base/index.ts';
import type { HistoryRetention } from '../../src/replica/auto-compaction.ts';

/** Times are microseconds of virtual time; chances are in ten thousandths. */
export interface SimParameters {
  readonly nodes: number;
  readonly raft: {
    readonly electionTimeoutTicks: number;
    readonly heartbeatTicks: number;
    readonly preVote: boolean;
    readonly checkQuorum: boolean;
    readonly forwardProposals: boolean;
    readonly appendBytesMax: number;
    readonly inflightMessagesMax: number;
    readonly inflightBytesMax: number;
    readonly uncommittedBytesMax: number;
    readonly applyingBytesMax: number;
    readonly cacheBytesMax: number;
    /** The default when left out: so much that no run comes near it. */
    readonly unappliedBytesMax?: number | undefined;
    readonly pendingReadsMax: number;
    readonly promotionLagMax: number;
    readonly learnerEntriesPerTick: number;
    readonly learnerBytesPerTick: number;
    readonly strictReconfigCheck: boolean;
    readonly leaseMs: number;
    readonly earlierLeaseMs: number;
  };
  readonly member: {
    readonly tickUs: number;
    /** Inputs that come within this time share a turn; 0: each has its own. */
    readonly turnDelayUs: number;
    readonly proposalsMax: number;
    readonly proposalBytesMax: number;
    readonly readsMax: number;
    readonly stateCacheBytesMax: number;
    /** Of each clock's rate from the true one, in thousandths. */
    readonly clockDriftMax: number;
    readonly logEntriesMax: number;
    readonly logBytesMax: number;
    readonly logMarginEntries: number;
  };
  readonly network: {
    readonly latencyMinUs: number;
    readonly latencyMaxUs: number;
    /** Messages of a link arrive in the order in which they were sent. */
    readonly isOrdered: boolean;
    readonly loss: number;
    readonly duplicates: number;
    /** Messages that are held up, and for how long at most. */
    readonly spikes: number;
    readonly spikeMaxUs: number;
    readonly snapshotUs: number;
  };
  readonly disk: {
    readonly syncMinUs: number;
    readonly syncMaxUs: number;
    readonly readUs: number;
    readonly engineUs: number;
    /** The engine flushes by itself after so many batches. */
    readonly flushBatches: number;
  };
  readonly workload: {
    readonly clients: number;
    /** Clients that own something for a time. */
    readonly tenants: number;
    readonly thinkMaxUs: number;
    readonly keys: number;
    readonly valueBytesMax: number;
    readonly operationsMax: number;
    readonly callTimeoutUs: number;
    readonly attemptsMax: number;
    /** Relative frequencies. */
    readonly mix: Readonly<Record<OperationKind, number>>;
    /** Accounts that clients and tenants share; nobody has one when left out. */
    readonly users?: number | undefined;
  };
  /**
   * How long faults happen, and how long the cluster may then take for each step of its recovery.
   */
  readonly safetyUs: number;
  readonly livenessUs: number;
  /** What of history a leader keeps when it compacts by itself; it does not when left out. */
  readonly retention?: HistoryRetention | undefined;
  /** Members tell which feature levels they read, so that the cluster's rises. */
  readonly mixesLevels?: boolean | undefined;
  /** Newest level that the build reads which members begin as; the first one when left out. */
  readonly builtFor?: number | undefined;
}

/** What clients do. */
export type OperationKind =
  | 'put'
  | 'get'
  | 'range'
  | 'staleRange'
  | 'delete'
  | 'deleteRange'
  | 'swap'
  | 'multi'
  | 'readTxn'
  | 'compact';

/** Chances are in ten thousandths of what they are of. */
const certain = 10_000;

/** True with a chance of `chance` in ten thousand. */
export function happens(prng: Prng, chance: number): boolean {
  return chance > 0 && prng.nextInt(0, certain) < chance;
}

/** One of `choices`. */
export function pick<T>(prng: Prng, choices: readonly T[]): T {
  return choices[prng.nextInt(0, choices.length)] as T;
}

/** A generator of its own for each part of a run, so that they do not disturb each other. */
export function streamOf(seed: number, stream: number): Prng {
  return createPrng(seed * 8192 + stream);
}

/** Streams of `streamOf`; those of members and clients follow from `memberStream`. */
export const streams = {
  parameters: 0,
  faults: 1,
  network: 2,
  admin: 3,
  lease: 4,
  watching: 5,
  history: 6,
  pace: 7,
  users: 8,
  memory: 9,
  administrator: 40,
  tenant: 50,
  client: 100,
  member: 1000,
};

/** Who change users and roles beside the clients, in a run with users. */
export const administrators = 2;

/** Bytes of an entry that clients make, about. */
const entryBytes = 200;
/** Microseconds between two stamps of the cluster's time, at least (`cluster-clock.ts`). */
const stampUs = 250_000;

/**
 * Draws a run's parameters.
 *
 * @remarks
 * Members with a small window and a slow network take an entry a round trip. Clients that want more
 * than half of that would only lengthen the log, and what is in it would wait for hours.
 */
export function drawParameters(prng: Prng): SimParameters {
  return withBearableLoad(drawFreely(prng));
}

/**
 * Makes clients think long enough for what the members can take; `others` call beside clients and
 * tenants.
 */
export function withBearableLoad(parameters: SimParameters, others = 0): SimParameters {
  const { workload } = parameters;
  const callers = workload.clients + workload.tenants + others;
  const thinkMaxUs = Math.max(workload.thinkMaxUs, Math.ceil(4 * callers * entryUs(parameters)));
  return { ...parameters, workload: { ...workload, thinkMaxUs } };
}

/**
 * Widens the window of messages that is too narrow for the stamps of the cluster's time alone,
 * which never end in a run with users: a learner would stay as far behind as it is.
 */
export function withRoomForTime(parameters: SimParameters): SimParameters {
  const { raft } = parameters;
  const wider = Math.ceil((2 * entryUs(parameters)) / stampUs);
  if (wider <= 1) {
    return parameters;
  }
  return {
    ...parameters,
    raft: {
      ...raft,
      inflightMessagesMax: raft.inflightMessagesMax * wider,
      inflightBytesMax: raft.inflightBytesMax * wider,
    },
  };
}

/** Lets learners that lag behind be sent little in a tick, in some runs. */
export function withPace(parameters: SimParameters, prng: Prng): SimParameters {
  const pace = {
    learnerEntriesPerTick: pick(prng, [10, 100, 1_000]),
    learnerBytesPerTick: pick(prng, [2_000, 1_048_576, 1_048_576]),
  };
  return { ...parameters, raft: { ...parameters.raft, ...pace } };
}

/** Microseconds in which the members take an entry, in a network that is slow all the time. */
function entryUs({ raft, network, disk, member }: SimParameters): number {
  const roundTripUs =
    2 * (network.latencyMaxUs + member.turnDelayUs) + disk.syncMaxUs + disk.readUs;
  const perMessage = Math.max(1, Math.floor(raft.appendBytesMax / entryBytes));
  const perRoundTrip = Math.min(
    raft.inflightMessagesMax * perMessage,
    Math.max(1, Math.floor(raft.inflightBytesMax / entryBytes)),
  );
  return roundTripUs / perRoundTrip;
}

function drawFreely(prng: Prng): SimParameters {
  const tickUs = pick(prng, [50_000, 100_000, 100_000, 200_000]);
  const electionTimeoutTicks = pick(prng, [5, 10, 10, 20]);
  const latencyMaxUs = pick(prng, [500, 2_000, 10_000, tickUs, 3 * tickUs]);
  const inflightBytesMax = pick(prng, [2_000, 16_777_216]);
  return {
    nodes: pick(prng, [1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7]),
    raft: {
      electionTimeoutTicks,
      heartbeatTicks: pick(prng, [1, 1, 2]),
      preVote: happens(prng, 7_500),
      checkQuorum: happens(prng, 7_500),
      forwardProposals: happens(prng, 9_500),
      appendBytesMax: Math.min(inflightBytesMax, pick(prng, [1, 200, 2_000, 1_048_576])),
      inflightMessagesMax: pick(prng, [1, 2, 16, 256]),
      inflightBytesMax,
      uncommittedBytesMax: pick(prng, [1_000, 67_108_864]),
      applyingBytesMax: pick(prng, [1, 1_000, 16_777_216]),
      cacheBytesMax: pick(prng, [0, 2_000, 16_777_216]),
      pendingReadsMax: pick(prng, [2, 100_000]),
      promotionLagMax: pick(prng, [0, 5, 1_000]),
      learnerEntriesPerTick: 1_000,
      learnerBytesPerTick: 1_048_576,
      strictReconfigCheck: happens(prng, 5_000),
      leaseMs: 0,
      earlierLeaseMs: 0,
    },
    member: {
      tickUs,
      turnDelayUs: pick(prng, [0, 0, 100, 3_000]),
      proposalsMax: pick(prng, [3, 1_000]),
      proposalBytesMax: pick(prng, [2_000, 1_048_576]),
      readsMax: pick(prng, [2, 1_000]),
      stateCacheBytesMax: pick(prng, [0, 2_000, 1_048_576]),
      clockDriftMax: pick(prng, [0, 50, 300]),
      ...pick(prng, [
        { logEntriesMax: 1_000_000, logBytesMax: 1e9, logMarginEntries: 0 },
        { logEntriesMax: 20, logBytesMax: 1e9, logMarginEntries: pick(prng, [0, 5, 20]) },
        { logEntriesMax: 200, logBytesMax: 1e9, logMarginEntries: pick(prng, [0, 50]) },
        { logEntriesMax: 100_000, logBytesMax: 10_000, logMarginEntries: 10 },
      ]),
    },
    network: {
      latencyMinUs: pick(prng, [50, 500]),
      latencyMaxUs,
      isOrdered: happens(prng, 4_000),
      loss: pick(prng, [0, 0, 50, 500]),
      duplicates: pick(prng, [0, 0, 100, 1_000]),
      spikes: pick(prng, [0, 0, 100]),
      spikeMaxUs: pick(prng, [2, 10, 60]) * electionTimeoutTicks * tickUs,
      snapshotUs: pick(prng, [10_000, 1_000_000]),
    },
    disk: {
      syncMinUs: 20,
      syncMaxUs: pick(prng, [100, 2_000, 20_000, 2 * tickUs]),
      readUs: pick(prng, [10, 2_000]),
      engineUs: pick(prng, [10, 1_000, 200_000]),
      flushBatches: pick(prng, [1, 20, 1_000]),
    },
    workload: {
      clients: prng.nextInt(1, 8),
      thinkMaxUs: pick(prng, [100_000, 400_000, 2_000_000]),
      keys: pick(prng, [1, 3, 10]),
      valueBytesMax: pick(prng, [1, 40, 400]),
      operationsMax: 2_500,
      callTimeoutUs: pick(prng, [1, 5, 20]) * electionTimeoutTicks * tickUs,
      attemptsMax: pick(prng, [1, 3, 6]),
      mix: {
        put: 30,
        get: 22,
        range: 8,
        staleRange: 6,
        delete: 6,
        deleteRange: 2,
        swap: 12,
        multi: 8,
        readTxn: 3,
        compact: pick(prng, [0, 1]),
      },
      // Drawn last, so that the rest of a run's parameters is what it would be without.
      tenants: pick(prng, [0, 0, 2, 4]),
    },
    safetyUs: 1_800 * tickUs,
    livenessUs: 60 * electionTimeoutTicks * tickUs + 20_000_000,
  };
}
