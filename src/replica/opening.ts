/**
 * What a member finds in its stores when it is opened, put together as the replica it goes on as.
 */
import { isBlank } from './admission.ts';
import { createRaftConfig, finishInstall, isBehindLog } from './bootstrap.ts';
import { defaultLogCompaction } from './log-compaction.ts';
import type { MemberConfig } from './member-config.ts';
import type { MemberState } from './member-state.ts';
import { initialConfiguration, type MemberRecord } from './membership.ts';
import { Replica } from './replica.ts';

/** See the module comment. */
export interface OpenedReplica {
  readonly replica: Replica;
  /** Without any data, so it waits until enough others know it; see `admission.ts`. */
  readonly isBlank: boolean;
  /** Whom it joins: the members as the cluster describes them, to one that has no data yet. */
  readonly joining: readonly MemberRecord[];
  /**
   * Why the state has to be rebuilt before anything is applied to it; undefined when it is whole.
   */
  readonly damage: string | undefined;
}

/**
 * Builds the replica over a member's log and state.
 *
 * @throws {KvError} DATA_CORRUPT — log and state contradict each other, as `createRaftConfig` says;
 *   or what finding the cluster to join failed with.
 */
export async function openReplica(
  config: MemberConfig,
  state: MemberState,
): Promise<OpenedReplica> {
  const { id, log, state: store, prng, initialMembers } = config;
  const { raft: options, retention, logCompaction = defaultLogCompaction } = config.options;
  const opened = await finishInstall(log, store.installed);
  if (opened.log !== log.initialLog) {
    const index = opened.log.snapshotIndex;
    config.logger.info({ event: 'snapshot-installed', index, cutShort: true });
  }
  const hasNothing = isBlank(opened.log, opened.hardState);
  const { lastApplied } = state.machine;
  const raft = createRaftConfig({
    ...{ id, prng, options, lastApplied },
    ...opened,
    configuration: state.openedConfiguration ?? initialConfiguration(initialMembers),
    mayRebuild: config.isAlone !== true,
  });
  const readRetryTicks = Math.max(1, Math.floor(options.electionTimeoutTicks / 2));
  const limits = { ...config.options.limits, readRetryTicks, logCompaction };
  return {
    replica: new Replica({ raft, limits, retention, prng }),
    isBlank: hasNothing,
    joining: hasNothing && initialMembers.length === 0 ? await config.findCluster() : [],
    damage: isBehindLog(lastApplied, opened.log)
      ? `its state ends at entry ${lastApplied.index}, its log begins after ` +
        String(opened.log.snapshotIndex)
      : undefined,
  };
}
