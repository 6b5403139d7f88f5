/**
 * Where etcd's JSON gateway has its methods: `POST /v3/…`, one path for most, two for some. What
 * the contracts do not have, and what only Holdfast has, is not here.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { services } from '../wire/index.ts';

/** A method as the gateway calls it. */
export interface Route {
  readonly method: MethodDefinition<object, object>;
  /** Full names of its messages. */
  readonly request: string;
  readonly response: string;
}

type Routed = Omit<
  typeof services,
  'holdfast.v1.Admin' | 'holdfast.v1.Pipeline' | 'holdfast.v1.Peer' | 'grpc.health.v1.Health'
>;

/** Paths behind `/v3/`, by service and method. */
const paths: {
  readonly [S in keyof Routed]: { readonly [M in keyof Routed[S]]?: readonly string[] };
} = {
  'etcdserverpb.KV': {
    Range: ['kv/range'],
    Put: ['kv/put'],
    DeleteRange: ['kv/deleterange'],
    Txn: ['kv/txn'],
    Compact: ['kv/compaction'],
  },
  'etcdserverpb.Watch': { Watch: ['watch'] },
  'etcdserverpb.Lease': {
    LeaseGrant: ['lease/grant'],
    LeaseRevoke: ['lease/revoke', 'kv/lease/revoke'],
    LeaseKeepAlive: ['lease/keepalive'],
    LeaseTimeToLive: ['lease/timetolive', 'kv/lease/timetolive'],
    LeaseLeases: ['lease/leases', 'kv/lease/leases'],
  },
  'etcdserverpb.Cluster': {
    MemberAdd: ['cluster/member/add'],
    MemberRemove: ['cluster/member/remove'],
    MemberUpdate: ['cluster/member/update'],
    MemberList: ['cluster/member/list'],
    MemberPromote: ['cluster/member/promote'],
  },
  'etcdserverpb.Maintenance': {
    Alarm: ['maintenance/alarm'],
    Status: ['maintenance/status'],
    Defragment: ['maintenance/defragment'],
    HashKV: ['maintenance/hash'],
    Snapshot: ['maintenance/snapshot'],
    MoveLeader: ['maintenance/transfer-leadership'],
  },
  'etcdserverpb.Auth': {
    AuthEnable: ['auth/enable'],
    AuthDisable: ['auth/disable'],
    Authenticate: ['auth/authenticate'],
    UserAdd: ['auth/user/add'],
    UserGet: ['auth/user/get'],
    UserList: ['auth/user/list'],
    UserDelete: ['auth/user/delete'],
    UserChangePassword: ['auth/user/changepw'],
    UserGrantRole: ['auth/user/grant'],
    UserRevokeRole: ['auth/user/revoke'],
    RoleAdd: ['auth/role/add'],
    RoleGet: ['auth/role/get'],
    RoleList: ['auth/role/list'],
    RoleDelete: ['auth/role/delete'],
    RoleGrantPermission: ['auth/role/grant'],
    RoleRevokePermission: ['auth/role/revoke'],
  },
  'v3lockpb.Lock': { Lock: ['lock/lock'], Unlock: ['lock/unlock'] },
  'v3electionpb.Election': {
    Campaign: ['election/campaign'],
    Proclaim: ['election/proclaim'],
    Leader: ['election/leader'],
    Observe: ['election/observe'],
    Resign: ['election/resign'],
  },
};

/** All of them, by the whole path. */
export function jsonRoutes(): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const [service, methods] of Object.entries(paths)) {
    const definitions = services[service as keyof Routed] as unknown as Readonly<
      Record<string, Described>
    >;
    const packageName = service.slice(0, service.lastIndexOf('.'));
    for (const [name, ends] of Object.entries(methods as Record<string, readonly string[]>)) {
      const method = definitions[name] as Described;
      const route = {
        method,
        request: `${packageName}.${method.requestType.type.name}`,
        response: `${packageName}.${method.responseType.type.name}`,
      };
      for (const end of ends) {
        routes.set(`/v3/${end}`, route);
      }
    }
  }
  return routes;
}

/** As the contracts' loader describes a method. */
type Described = MethodDefinition<object, object> & {
  readonly requestType: { readonly type: { readonly name: string } };
  readonly responseType: { readonly type: { readonly name: string } };
};
