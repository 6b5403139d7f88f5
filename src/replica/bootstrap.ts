/**
 * From what a member finds on its disk to what Raft starts from; refuses states that cannot be.
 */
import { KvError, type Prng } from '../base/index.ts';
import type { Configuration, NodeId, RaftConfig, RaftOptions } from '../raft/index.ts';
import type { LogStore } from '../storage/index.ts';

/** What a start rests on. */
export interface BootstrapInput {
  readonly id: NodeId;
  /** The newest configuration that the state has applied, or the one a new cluster starts with. */
  readonly configuration: Configuration;
  readonly log: LogStore;
  /** The state machine's own durable position. */
  readonly lastApplied: { readonly index: number; readonly term: number };
  readonly options: RaftOptions;
  readonly prng: Prng;
}

/**
 * Builds the Raft configuration of a start or restart.
 *
 * @throws {KvError} DATA_CORRUPT — the state is ahead of the log: acknowledged entries are missing
 *   from it.
 */
export function createRaftConfig(input: BootstrapInput): RaftConfig {
  const { id, configuration, log, lastApplied, options, prng } = input;
  const { initialHardState: hardState, initialLog } = log;
  const lastIndex = Math.max(initialLog.lastIndex, initialLog.snapshotIndex);
  if (lastApplied.index > lastIndex) {
    throw new KvError('DATA_CORRUPT', {
      message:
        `the state holds entries up to ${lastApplied.index}, but the log ends at ${lastIndex}: ` +
        'part of the log is missing. Move the data directory away and let this member rejoin ' +
        'from its peers.',
    });
  }
  return {
    id,
    prng,
    options,
    // The commit index need not be synced with each advance; what was applied surely was committed.
    hardState: {
      ...hardState,
      commitIndex: Math.max(hardState.commitIndex, lastApplied.index),
    },
    log: initialLog,
    configuration,
    lastApplied: lastApplied.index,
  };
}
