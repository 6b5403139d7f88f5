/**
 * Who may call which method, once authentication is on.
 *
 * | rule     | who                                                                             |
 * |----------|---------------------------------------------------------------------------------|
 * | open     | anybody, signed in or not                                                       |
 * | signedIn | every user; what a method tells beyond that, it asks for itself                 |
 * | keys     | users with leave to read or write the keys concerned, as the member decides     |
 * | root     | users with the role `root`, by the cluster's newest state                       |
 * | rootHere | the same by the state of this member, so that it also goes without a majority   |
 * | each     | nobody is asked for the stream, and everybody for each thing that is sent on it |
 *
 * A method that is not in the table does not compile: none can go past it.
 */
import type { services } from '../wire/index.ts';

/** See the module comment. */
export type AccessRule = 'open' | 'signedIn' | 'keys' | 'root' | 'rootHere' | 'each';

type Served = Omit<typeof services, 'holdfast.v1.Peer'>;

const ruleByMethod: {
  readonly [S in keyof Served]: { readonly [M in keyof Served[S]]: AccessRule };
} = {
  'etcdserverpb.KV': {
    Range: 'keys',
    Put: 'keys',
    DeleteRange: 'keys',
    Txn: 'keys',
    Compact: 'root',
    RangeStream: 'keys',
  },
  'etcdserverpb.Watch': { Watch: 'each' },
  'etcdserverpb.Lease': {
    LeaseGrant: 'signedIn',
    LeaseRevoke: 'keys',
    LeaseKeepAlive: 'signedIn',
    // With its keys: who may read them.
    LeaseTimeToLive: 'keys',
    LeaseLeases: 'signedIn',
  },
  'v3lockpb.Lock': { Lock: 'keys', Unlock: 'keys' },
  'v3electionpb.Election': {
    Campaign: 'keys',
    Proclaim: 'keys',
    Leader: 'keys',
    Observe: 'keys',
    Resign: 'keys',
  },
  'holdfast.v1.Pipeline': { Operate: 'each' },
  'etcdserverpb.Auth': {
    AuthEnable: 'root',
    AuthDisable: 'root',
    AuthStatus: 'open',
    Authenticate: 'open',
    UserAdd: 'root',
    // Of oneself; of others, root.
    UserGet: 'signedIn',
    UserList: 'root',
    UserDelete: 'root',
    UserChangePassword: 'root',
    UserGrantRole: 'root',
    UserRevokeRole: 'root',
    RoleAdd: 'root',
    // Of a role one has; of others, root.
    RoleGet: 'signedIn',
    RoleList: 'root',
    RoleDelete: 'root',
    RoleGrantPermission: 'root',
    RoleRevokePermission: 'root',
  },
  'etcdserverpb.Cluster': {
    MemberAdd: 'root',
    MemberRemove: 'root',
    MemberUpdate: 'root',
    MemberList: 'signedIn',
    MemberPromote: 'root',
  },
  'etcdserverpb.Maintenance': {
    // Listing; changing one takes root.
    Alarm: 'signedIn',
    Status: 'signedIn',
    Defragment: 'rootHere',
    Hash: 'rootHere',
    HashKV: 'rootHere',
    Snapshot: 'rootHere',
    MoveLeader: 'rootHere',
    Downgrade: 'root',
  },
  'holdfast.v1.Admin': { MemberDemote: 'root', MemberReplace: 'root' },
  'grpc.health.v1.Health': { Check: 'open', Watch: 'open' },
};

/** The table by path, `/etcdserverpb.KV/Put`. */
export const ruleByPath: ReadonlyMap<string, AccessRule> = new Map(
  Object.entries(ruleByMethod).flatMap(([service, methods]) =>
    Object.entries(methods).map(([method, rule]) => [`/${service}/${method}`, rule] as const),
  ),
);
