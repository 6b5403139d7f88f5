/** A member without a cluster: it notes what it is asked and answers what the test has laid out. */
import type { Command, CommandResult, RangeOperation } from '../../src/kv/index.ts';
import type {
  CallOptions,
  ClusterMember,
  MemberApi,
  MemberStatus,
  RangeAnswer,
} from '../../src/replica/index.ts';

type RangeOptions = Parameters<MemberApi['range']>[1];

/** One question to the member. */
export type Asked =
  | {
      readonly method: 'propose';
      readonly command: Command;
      readonly options: CallOptions | undefined;
    }
  | {
      readonly method: 'range';
      readonly range: RangeOperation;
      readonly options: RangeOptions;
    }
  | {
      readonly method: 'confirmRead' | 'compactionDone';
      readonly options: CallOptions | undefined;
    }
  | {
      readonly method: 'moveLeader';
      readonly target: number;
      readonly options: CallOptions | undefined;
    };

/** See the module comment. */
export class FakeMember implements MemberApi {
  readonly asked: Asked[] = [];
  clusterId = Number.MAX_SAFE_INTEGER;
  memberId = 1001;
  leader = 1001;
  term = 3;
  revision = 7;
  errors: readonly string[] = [];
  clusterMembers: readonly ClusterMember[] = [];

  onPropose = async (_command: Command): Promise<CommandResult> =>
    Promise.reject(new Error('no proposal is expected'));
  onRange = async (_range: RangeOperation): Promise<RangeAnswer> =>
    Promise.reject(new Error('no read is expected'));
  onConfirmRead = async (_options?: CallOptions): Promise<void> => Promise.resolve();
  onCompactionDone = async (): Promise<void> => Promise.resolve();
  onMoveLeader = async (_target: number): Promise<void> => Promise.resolve();

  async propose(command: Command, options?: CallOptions): Promise<CommandResult> {
    this.asked.push({ method: 'propose', command, options });
    return this.onPropose(command);
  }

  async range(range: RangeOperation, options?: RangeOptions): Promise<RangeAnswer> {
    this.asked.push({ method: 'range', range, options });
    return this.onRange(range);
  }

  async confirmRead(options?: CallOptions): Promise<void> {
    this.asked.push({ method: 'confirmRead', options });
    return this.onConfirmRead(options);
  }

  async compactionDone(options?: CallOptions): Promise<void> {
    this.asked.push({ method: 'compactionDone', options });
    return this.onCompactionDone();
  }

  async moveLeader(target: number, options?: CallOptions): Promise<void> {
    this.asked.push({ method: 'moveLeader', target, options });
    return this.onMoveLeader(target);
  }

  status(): MemberStatus {
    return {
      clusterId: this.clusterId,
      memberId: this.memberId,
      name: 'n1',
      role: 'leader',
      term: this.term,
      leader: this.leader,
      commitIndex: 42,
      appliedIndex: 41,
      revision: this.revision,
      compactRevision: 2,
      sizeBytes: 123_456,
      isLearner: false,
      errors: this.errors,
    };
  }

  members(): readonly ClusterMember[] {
    return this.clusterMembers;
  }
}
