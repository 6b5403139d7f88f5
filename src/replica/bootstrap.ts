/**
 * From what a member finds on its disk to what Raft starts from; refuses states that cannot be.
 */
import { KvError, type Prng } from '../base/index.ts';
import type {
  Configuration,
  HardState,
  LogSummary,
  NodeId,
  RaftConfig,
  RaftOptions,
} from '../raft/index.ts';
import type { LogPosition, LogStore } from '../storage/index.ts';
import { unknownConfiguration } from './membership.ts';

/** What a start rests on. */
export interface BootstrapInput {
  readonly id: NodeId;
  /** The newest configuration that the state has applied, or the one a new cluster starts with. */
  readonly configuration: Configuration;
  readonly hardState: HardState;
  readonly log: LogSummary;
  /** The state machine's own durable position. */
  readonly lastApplied: { readonly index: number; readonly term: number };
  readonly options: RaftOptions;
  readonly prng: Prng;
  /**
   * Whether a state that is behind the log's beginning may be rebuilt from other members. Nothing
   * may be applied until then. By default it is refused.
   */
  readonly mayRebuild?: boolean | undefined;
}

/** Whether entries that the state lacks are gone from the log. */
export function isBehindLog(lastApplied: LogPosition, log: LogSummary): boolean {
  return lastApplied.index < log.snapshotIndex;
}

/**
 * Builds the Raft configuration of a start or restart.
 *
 * @throws {KvError} DATA_CORRUPT — the state is ahead of the log: acknowledged entries are missing
 *   from it. Or it is behind the log's beginning, and may not be rebuilt.
 */
export function createRaftConfig(input: BootstrapInput): RaftConfig {
  const { id, hardState, log, lastApplied, options, prng } = input;
  const lastIndex = Math.max(log.lastIndex, log.snapshotIndex);
  const isBehind = isBehindLog(lastApplied, log);
  if (isBehind && input.mayRebuild !== true) {
    throw new KvError('DATA_CORRUPT', {
      message:
        `the state holds entries up to ${lastApplied.index}, but the log begins after ` +
        `${log.snapshotIndex}: part of the state is missing, and no other member is known that ` +
        'could have it. Bring the engine folder of ' +
        'the data directory back, or restore a snapshot ' +
        '(holdfast snapshot restore).',
      details: { part: 'engine' },
    });
  }
  if (lastApplied.index > lastIndex) {
    throw new KvError('DATA_CORRUPT', {
      message:
        `the state holds entries up to ${lastApplied.index}, but the log ends at ${lastIndex}: ` +
        'part of the log is missing. Move the data directory away, remove the member and add it ' +
        'anew (holdfast member remove, holdfast member add), and start it with an empty ' +
        'directory and --initial-cluster-state existing.',
    });
  }
  const appliedIndex = Math.max(lastApplied.index, log.snapshotIndex);
  return {
    id,
    prng,
    options,
    // The commit index need not be synced with each advance; what was applied surely was committed.
    hardState: {
      ...hardState,
      commitIndex: Math.max(hardState.commitIndex, appliedIndex),
    },
    log,
    // Members may have come and gone in the entries that are missing: an outdated configuration is
    // worse than none, with which this member cannot lead. Those that the log has still count.
    configuration: isBehind ? unknownConfiguration() : input.configuration,
    lastApplied: appliedIndex,
  };
}

/**
 * Finishes the install of a snapshot that a crash cut between the switch of the state and the reset
 * of the log; returns what the log holds afterwards.
 *
 * @remarks
 * A snapshot holds committed entries only, so a log that does not have them as it has is behind, or
 * holds what was never committed.
 */
export async function finishInstall(
  log: LogStore,
  installed: LogPosition | undefined,
): Promise<{ readonly hardState: HardState; readonly log: LogSummary }> {
  const { initialHardState, initialLog } = log;
  const isThere =
    installed === undefined ||
    installed.index <= initialLog.snapshotIndex ||
    termAt(initialLog, installed.index) === installed.term;
  if (isThere) {
    return { hardState: initialHardState, log: initialLog };
  }
  const { index, term } = installed;
  const isNewTerm = term > initialHardState.currentTerm;
  const hardState = {
    currentTerm: isNewTerm ? term : initialHardState.currentTerm,
    votedFor: isNewTerm ? 0 : initialHardState.votedFor,
    commitIndex: index,
  };
  await log.reset(installed, hardState);
  return {
    hardState,
    log: {
      snapshotIndex: index,
      snapshotTerm: term,
      lastIndex: index,
      termRuns: [],
      confEntries: [],
    },
  };
}

function termAt({ termRuns, lastIndex }: LogSummary, index: number): number | undefined {
  return index > lastIndex ? undefined : termRuns.findLast((run) => run.firstIndex <= index)?.term;
}
