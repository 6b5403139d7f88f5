/**
 * What operators ask of a member: changes of membership, alarms, hashes, snapshots for backup.
 *
 * Each of these is a call of its own with a deadline; what has to be agreed on goes through the
 * log.
 */
import { KvError, type Prng } from '../base/index.ts';
import type { Command, CommandResult } from '../kv/index.ts';
import type { NodeId } from '../raft/index.ts';
import type {
  CallOptions,
  ClusterMember,
  KeyspaceHash,
  MaintenanceApi,
  MemberAlarm,
  MembershipApi,
  NewMember,
  SnapshotStream,
} from './api.ts';
import type { MemberList } from './member-list.ts';
import type { MemberRecord, MembershipChange } from './membership.ts';
import type { MemberState } from './member-state.ts';
import type { Snapshots } from './snapshots.ts';

/** What the member lends its administration. */
export interface AdministrationOptions {
  readonly members: MemberList;
  readonly state: MemberState;
  readonly snapshots: Snapshots;
  readonly prng: Prng;
  /** Resolves once the change has taken effect; rejects as `MembershipApi` says. */
  readonly change: (change: MembershipChange, options?: CallOptions) => Promise<void>;
  readonly propose: (command: Command, options?: CallOptions) => Promise<CommandResult>;
  /** Throws while the state is damaged: nothing of it may be told. */
  readonly checkState: () => void;
}

/** Two raised to this is above every id. */
const idBits = 52;

/** See the module comment. */
export class Administration implements MembershipApi, MaintenanceApi {
  readonly #options: AdministrationOptions;

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  async addMember(added: NewMember, options?: CallOptions): Promise<ClusterMember> {
    const member = this.#newRecord(added);
    await this.#options.change({ type: 'add', member, isLearner: added.isLearner }, options);
    return this.#options.members.get(member.id);
  }

  async removeMember(id: NodeId, options?: CallOptions): Promise<void> {
    await this.#options.change({ type: 'remove', id }, options);
  }

  async updateMember(
    id: NodeId,
    peerUrls: readonly string[],
    options?: CallOptions,
  ): Promise<void> {
    await this.#options.change({ type: 'update', id, peerUrls }, options);
  }

  async promoteMember(id: NodeId, options?: CallOptions): Promise<void> {
    await this.#options.change({ type: 'promote', id }, options);
  }

  async demoteMember(id: NodeId, options?: CallOptions): Promise<void> {
    await this.#options.change({ type: 'demote', id }, options);
  }

  async replaceMember(id: NodeId, by: NewMember, options?: CallOptions): Promise<ClusterMember> {
    const member = this.#newRecord(by);
    const { isLearner } = by;
    await this.#options.change({ type: 'replace', id, member, isLearner }, options);
    return this.#options.members.get(member.id);
  }

  async openSnapshot(): Promise<SnapshotStream> {
    const { snapshots, state, checkState } = this.#options;
    checkState();
    await state.lane.allReadable();
    return snapshots.open(state.engine);
  }

  async hashKv(revision: number, signal?: AbortSignal): Promise<KeyspaceHash> {
    this.#options.checkState();
    return this.#options.state.hashKv(revision, signal);
  }

  alarms(): readonly MemberAlarm[] {
    return this.#options.state.alarms;
  }

  async setAlarm(
    { memberId, alarm }: MemberAlarm,
    isActive: boolean,
    options?: CallOptions,
  ): Promise<void> {
    const action = isActive ? 'activate' : 'deactivate';
    const result = await this.#options.propose({ type: 'alarm', action, memberId, alarm }, options);
    if (result.kind === 'refused') {
      throw new KvError(result.code);
    }
  }

  async defragment(): Promise<void> {
    await this.#options.state.engine.compactRange();
  }

  /** Ids are drawn, not counted: whoever proposes needs nobody's leave for one. */
  #newRecord({ peerUrls, autoPromote, isLearner }: NewMember): MemberRecord {
    const { prng } = this.#options;
    const high = prng.nextUint32() % 2 ** (idBits - 32);
    const id = high * 2 ** 32 + prng.nextUint32() || 1;
    return { id, name: '', peerUrls, autoPromote: autoPromote && isLearner };
  }
}
