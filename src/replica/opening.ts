/**
 * What a member finds in its stores when it is opened, put together as the replica it goes on as.
 */
import { isBlank } from './admission.ts';
import { createRaftConfig, finishInstall, isBehindLog } from './bootstrap.ts';
import { defaultLogCompaction } from './log-compaction.ts';
import type { MemberConfig } from './member-config.ts';
import type { MemberState } from './member-state.ts';
import { initialConfiguration } from './membership.ts';
import { Replica } from './replica.ts';

/** See the module comment. */
export interface OpenedReplica {
  readonly replica: Replica;
  /** False for a member without any data, which waits until enough others know it. */
  readonly isAdmitted: boolean;
  /**
   * Why the state has to be rebuilt before anything is applied to it; undefined when it is whole.
   */
  readonly damage: string | undefined;
}

/**
 * Builds the replica over a member's log and state.
 *
 * @throws {KvError} DATA_CORRUPT — log and state contradict each other, as `createRaftConfig` says.
 */
export async function openReplica(
  config: MemberConfig,
  state: MemberState,
): Promise<OpenedReplica> {
  const { id, log, state: store, prng, initialMembers } = config;
  const { raft: options, limits, logCompaction = defaultLogCompaction } = config.options;
  const opened = await finishInstall(log, store.installed);
  if (opened.log !== log.initialLog) {
    const index = opened.log.snapshotIndex;
    config.logger.info({ event: 'snapshot-installed', index, cutShort: true });
  }
  const { lastApplied } = state.machine;
  const raft = createRaftConfig({
    ...{ id, prng, options, lastApplied },
    ...opened,
    configuration: state.openedConfiguration ?? initialConfiguration(initialMembers),
    mayRebuild: config.isAlone !== true,
  });
  const readRetryTicks = Math.max(1, Math.floor(options.electionTimeoutTicks / 2));
  return {
    replica: new Replica({ raft, limits: { ...limits, readRetryTicks, logCompaction }, prng }),
    isAdmitted: initialMembers.length < 2 || !isBlank(opened.log, opened.hardState),
    damage: isBehindLog(lastApplied, opened.log)
      ? `its state ends at entry ${lastApplied.index}, its log begins after ` +
        String(opened.log.snapshotIndex)
      : undefined,
  };
}
