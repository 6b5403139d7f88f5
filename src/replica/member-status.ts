/** What a member says of itself, put together from what its parts know. */
import type { StateMachine } from '../kv/index.ts';
import type { NodeId, RaftStatus } from '../raft/index.ts';
import type { MemberStatus } from './api.ts';

/** What the parts of a member know. */
export interface MemberView {
  readonly clusterId: number;
  readonly memberId: NodeId;
  readonly name: string;
  readonly sizeBytes: number;
  readonly raft: RaftStatus;
  readonly machine: Pick<
    StateMachine,
    'alarms' | 'lastApplied' | 'revision' | 'compactRevision' | 'level'
  >;
  readonly newestLevel: number;
  readonly isLearner: boolean;
  /** Why its state is not trusted, if it is not. */
  readonly quarantineReason: string | undefined;
  readonly isDiskFull: boolean;
}

/** Returns the status that the view amounts to. */
export function memberStatus(view: MemberView): MemberStatus {
  const { clusterId, memberId, name, sizeBytes, raft, machine, isLearner, newestLevel } = view;
  return {
    ...{ clusterId, memberId, name, sizeBytes, isLearner, newestLevel },
    level: machine.level,
    role: raft.role,
    term: raft.term,
    leader: raft.leader,
    commitIndex: raft.commitIndex,
    appliedIndex: machine.lastApplied.index,
    revision: machine.revision,
    compactRevision: machine.compactRevision,
    errors: errorsOf(view),
  };
}

function errorsOf({ raft, machine, quarantineReason, isDiskFull }: MemberView): readonly string[] {
  const errors: string[] = [];
  if (raft.leader === 0) {
    errors.push('etcdserver: no leader');
  }
  for (const { memberId, alarm } of machine.alarms) {
    // As etcd tells it, with the blank at its end.
    errors.push(`memberID:${memberId} alarm:${alarm.toUpperCase()} `);
  }
  if (quarantineReason !== undefined) {
    errors.push(`quarantined: ${quarantineReason}`);
  }
  if (isDiskFull) {
    errors.push('no space left on the disk that holds the log: writes wait');
  }
  return errors;
}
