/**
 * Which calls go first when not all can be served, and which leave something behind.
 *
 * | class    | what                                              | refused              |
 * |----------|---------------------------------------------------|----------------------|
 * | system   | health, status, maintenance, membership, users    | by no load of others |
 * | renewal  | keep-alives; giving up leases, locks, leadership  | by no load of others |
 * | ordinary | reads, writes, watches, leases, locks, elections  | at a limit           |
 * | bulk     | large answers: ranges, streamed ranges, snapshots | earlier              |
 *
 * A method that is not in the table does not compile: none can go past it.
 */
import type { services } from '../wire/index.ts';

/** See the module comment. */
export type WorkClass = 'system' | 'renewal' | 'ordinary' | 'bulk';

/** What a method's calls are to a member. */
export interface Work {
  readonly class: WorkClass;
  /**
   * What is there until somebody ends it: nothing but the call's own work; a stream, or a call that
   * waits for others; something stored.
   */
  readonly keeps: 'nothing' | 'stream' | 'record';
}

const system: Work = { class: 'system', keeps: 'nothing' };
const renewal: Work = { class: 'renewal', keeps: 'nothing' };
const ordinary: Work = { class: 'ordinary', keeps: 'nothing' };
const bulk: Work = { class: 'bulk', keeps: 'nothing' };
const longOrdinary: Work = { class: 'ordinary', keeps: 'stream' };

type Served = Omit<typeof services, 'holdfast.v1.Peer'>;

/** Every method that clients may call. */
const workByMethod: {
  readonly [S in keyof Served]: { readonly [M in keyof Served[S]]: Work };
} = {
  'etcdserverpb.KV': {
    // One whose answer grows large becomes bulk work on its way.
    Range: ordinary,
    Put: ordinary,
    DeleteRange: ordinary,
    Txn: ordinary,
    // Makes room.
    Compact: system,
    RangeStream: bulk,
  },
  'etcdserverpb.Watch': { Watch: longOrdinary },
  'etcdserverpb.Lease': {
    LeaseGrant: { class: 'ordinary', keeps: 'record' },
    LeaseRevoke: renewal,
    LeaseKeepAlive: { class: 'renewal', keeps: 'stream' },
    LeaseTimeToLive: ordinary,
    LeaseLeases: bulk,
  },
  'v3lockpb.Lock': { Lock: longOrdinary, Unlock: renewal },
  'v3electionpb.Election': {
    Campaign: longOrdinary,
    Proclaim: ordinary,
    Leader: ordinary,
    Observe: longOrdinary,
    Resign: renewal,
  },
  // Each of its operations is work of its own.
  'holdfast.v1.Pipeline': { Operate: longOrdinary },
  'etcdserverpb.Auth': {
    AuthEnable: system,
    AuthDisable: system,
    AuthStatus: system,
    // Has a bound of its own besides: looking at a password is work.
    Authenticate: ordinary,
    UserAdd: system,
    UserGet: system,
    UserList: system,
    UserDelete: system,
    UserChangePassword: system,
    UserGrantRole: system,
    UserRevokeRole: system,
    RoleAdd: system,
    RoleGet: system,
    RoleList: system,
    RoleDelete: system,
    RoleGrantPermission: system,
    RoleRevokePermission: system,
  },
  'etcdserverpb.Cluster': {
    MemberAdd: system,
    MemberRemove: system,
    MemberUpdate: system,
    MemberList: system,
    MemberPromote: system,
  },
  'etcdserverpb.Maintenance': {
    Alarm: system,
    Status: system,
    Defragment: system,
    Hash: system,
    HashKV: system,
    Snapshot: bulk,
    MoveLeader: system,
    Downgrade: system,
  },
  'holdfast.v1.Admin': { MemberDemote: system, MemberReplace: system },
  'grpc.health.v1.Health': { Check: system, Watch: { class: 'system', keeps: 'stream' } },
};

/** The table by path, `/etcdserverpb.KV/Put`. */
export const workByPath: ReadonlyMap<string, Work> = new Map(
  Object.entries(workByMethod).flatMap(([service, methods]) =>
    Object.entries(methods).map(([method, work]) => [`/${service}/${method}`, work] as const),
  ),
);
