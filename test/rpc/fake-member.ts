/** A member without a cluster: it notes what it is asked and answers what the test has laid out. */
import { AuthTable } from '../../src/kv/auth-table.ts';
import { Auth } from '../../src/replica/auth.ts';
import type { Command, CommandResult, RangeOperation, RequestId } from '../../src/kv/index.ts';
import type {
  CallOptions,
  CommandWaiter,
  ClusterMember,
  KeyspaceHash,
  LeaseApi,
  MaintenanceApi,
  MemberAlarm,
  MemberApi,
  MembershipApi,
  MemberStatus,
  NewMember,
  RangeAnswer,
  RangeOptions,
  SnapshotStream,
  WatchAllowance,
  WatchStream,
} from '../../src/replica/index.ts';

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
      readonly options: RangeOptions | undefined;
    }
  | {
      readonly method: 'hasAnswered';
      readonly id: RequestId;
      readonly options: CallOptions | undefined;
    }
  | {
      readonly method: 'confirmRead' | 'compactionDone' | 'defragment';
      readonly options: CallOptions | undefined;
    }
  | {
      readonly method: 'moveLeader';
      readonly target: number;
      readonly options: CallOptions | undefined;
    }
  | {
      readonly method: 'addMember';
      readonly member: NewMember;
      readonly options: CallOptions | undefined;
    }
  | {
      readonly method: 'replaceMember';
      readonly id: number;
      readonly by: NewMember;
      readonly options: CallOptions | undefined;
    }
  | {
      readonly method: 'removeMember' | 'promoteMember' | 'demoteMember';
      readonly id: number;
      readonly options: CallOptions | undefined;
    }
  | {
      readonly method: 'updateMember';
      readonly id: number;
      readonly peerUrls: readonly string[];
      readonly options: CallOptions | undefined;
    }
  | { readonly method: 'openSnapshot'; readonly options?: undefined }
  | { readonly method: 'hashKv'; readonly revision: number; readonly options?: undefined }
  | {
      readonly method: 'setAlarm';
      readonly alarm: MemberAlarm;
      readonly isActive: boolean;
      readonly options: CallOptions | undefined;
    };

/** See the module comment. */
export class FakeMember implements MemberApi, MembershipApi, MaintenanceApi {
  readonly administration = this;
  /** Users and roles, as a test has made them. */
  readonly authTable = new AuthTable();
  readonly auth = new Auth({ table: () => this.authTable, timeMs: () => this.timeMs });
  timeMs = 0;
  readonly asked: Asked[] = [];
  /** The same, without what a call that takes root asks first: whether the caller is it. */
  get askedByRoot(): readonly Asked[] {
    return this.asked.slice(1);
  }

  clusterId = Number.MAX_SAFE_INTEGER;
  memberId = 1001;
  leader = 1001;
  term = 3;
  revision = 7;
  errors: readonly string[] = [];
  clusterMembers: readonly ClusterMember[] = [];
  activeAlarms: readonly MemberAlarm[] = [];

  onPropose = async (_command: Command): Promise<CommandResult> =>
    Promise.reject(new Error('no proposal is expected'));
  onRange = async (_range: RangeOperation, _options?: RangeOptions): Promise<RangeAnswer> =>
    Promise.reject(new Error('no read is expected'));
  onHasAnswered = async (_id: RequestId): Promise<boolean> => Promise.resolve(false);
  onConfirmRead = async (_options?: CallOptions): Promise<void> => Promise.resolve();
  onCompactionDone = async (): Promise<void> => Promise.resolve();
  onOpenWatchStream = (_allowance?: WatchAllowance): WatchStream => {
    throw new Error('no watch is expected');
  };
  onMoveLeader = async (_target: number): Promise<void> => Promise.resolve();

  /** What a change of the membership does before it is answered. */
  onChange = async (): Promise<void> => Promise.resolve();
  onOpenSnapshot = async (): Promise<SnapshotStream> =>
    Promise.reject(new Error('no snapshot is expected'));
  onHashKv = async (_revision: number, _signal?: AbortSignal): Promise<KeyspaceHash> =>
    Promise.reject(new Error('no hash is expected'));
  onSetAlarm = async (): Promise<void> => Promise.resolve();
  onDefragment = async (): Promise<void> => Promise.resolve();

  onKeepAlive: LeaseApi['keepAlive'] = async () => Promise.resolve(undefined);
  onLease: LeaseApi['lease'] = async () => Promise.resolve(undefined);
  onAllLeases: LeaseApi['allLeases'] = async () => Promise.resolve([]);
  onRemainingTtls: LeaseApi['remainingTtls'] = async (kvs) =>
    Promise.resolve(kvs.map(() => undefined));
  readonly leases: LeaseApi & { count: number } = {
    count: 0,
    nextLeaseId: () => 77n,
    keepAlive: async (...asked) => this.onKeepAlive(...asked),
    lease: async (...asked) => this.onLease(...asked),
    allLeases: async (...asked) => this.onAllLeases(...asked),
    remainingTtls: async (...asked) => this.onRemainingTtls(...asked),
  };

  async propose(command: Command, options?: CallOptions): Promise<CommandResult> {
    this.asked.push({ method: 'propose', command, options });
    return this.onPropose(command);
  }

  submit(command: Command, options: CallOptions, waiter: CommandWaiter): void {
    this.propose(command, options).then(
      (result) => {
        waiter.resolve(result);
      },
      (error: unknown) => {
        waiter.reject(error);
      },
    );
  }

  async range(range: RangeOperation, options?: RangeOptions): Promise<RangeAnswer> {
    this.asked.push({ method: 'range', range, options });
    return this.onRange(range, options);
  }

  async hasAnswered(id: RequestId, options?: CallOptions): Promise<boolean> {
    this.asked.push({ method: 'hasAnswered', id, options });
    return this.onHasAnswered(id);
  }

  openWatchStream(allowance?: WatchAllowance): WatchStream {
    return this.onOpenWatchStream(allowance);
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
      level: 1,
      newestLevel: 2,
      errors: this.errors,
    };
  }

  members(): readonly ClusterMember[] {
    return this.clusterMembers;
  }

  async addMember(added: NewMember, options?: CallOptions): Promise<ClusterMember> {
    this.asked.push({ method: 'addMember', member: added, options });
    return this.#add(added);
  }

  async removeMember(id: number, options?: CallOptions): Promise<void> {
    this.asked.push({ method: 'removeMember', id, options });
    await this.onChange();
    this.clusterMembers = this.clusterMembers.filter((each) => each.id !== id);
  }

  async updateMember(
    id: number,
    peerUrls: readonly string[],
    options?: CallOptions,
  ): Promise<void> {
    this.asked.push({ method: 'updateMember', id, peerUrls, options });
    return this.onChange();
  }

  async promoteMember(id: number, options?: CallOptions): Promise<void> {
    this.asked.push({ method: 'promoteMember', id, options });
    return this.onChange();
  }

  async demoteMember(id: number, options?: CallOptions): Promise<void> {
    this.asked.push({ method: 'demoteMember', id, options });
    return this.onChange();
  }

  async replaceMember(id: number, by: NewMember, options?: CallOptions): Promise<ClusterMember> {
    this.asked.push({ method: 'replaceMember', id, by, options });
    this.clusterMembers = this.clusterMembers.filter((each) => each.id !== id);
    return this.#add(by);
  }

  async openSnapshot(): Promise<SnapshotStream> {
    this.asked.push({ method: 'openSnapshot' });
    return this.onOpenSnapshot();
  }

  async hashKv(revision: number, signal?: AbortSignal): Promise<KeyspaceHash> {
    this.asked.push({ method: 'hashKv', revision });
    return this.onHashKv(revision, signal);
  }

  alarms(): readonly MemberAlarm[] {
    return this.activeAlarms;
  }

  async setAlarm(alarm: MemberAlarm, isActive: boolean, options?: CallOptions): Promise<void> {
    this.asked.push({ method: 'setAlarm', alarm, isActive, options });
    return this.onSetAlarm();
  }

  async defragment(options?: CallOptions): Promise<void> {
    this.asked.push({ method: 'defragment', options });
    return this.onDefragment();
  }

  async #add({ peerUrls, isLearner }: NewMember): Promise<ClusterMember> {
    await this.onChange();
    const added = { id: 2001, name: '', peerUrls, clientUrls: [], isLearner };
    this.clusterMembers = [...this.clusterMembers, added];
    return added;
  }
}
