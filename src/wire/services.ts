/**
 * The protobuf contracts, loaded in one place, and not before they are used: to read them takes
 * some 40 ms of a processor, which a command that only shows its help should not cost.
 *
 * 64-bit numbers are decimal strings here and are checked where they enter `rpc`; enums are their
 * names; absent fields have their defaults.
 */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { ProtoGrpcType as AdminProto } from './generated/admin.ts';
import type { ProtoGrpcType as HealthProto } from './generated/health.ts';
import type { ProtoGrpcType as ElectionProto } from './generated/election.ts';
import type { ProtoGrpcType as LockProto } from './generated/lock.ts';
import type { ProtoGrpcType as PeerProto } from './generated/peer.ts';
import type { ProtoGrpcType as PipelineProto } from './generated/pipeline.ts';
import type { ProtoGrpcType as EtcdProto } from './generated/rpc.ts';

/** Service definitions by their full names. */
interface Definitions {
  'etcdserverpb.KV': EtcdProto['etcdserverpb']['KV']['service'];
  'etcdserverpb.Watch': EtcdProto['etcdserverpb']['Watch']['service'];
  'etcdserverpb.Lease': EtcdProto['etcdserverpb']['Lease']['service'];
  'etcdserverpb.Auth': EtcdProto['etcdserverpb']['Auth']['service'];
  'etcdserverpb.Cluster': EtcdProto['etcdserverpb']['Cluster']['service'];
  'etcdserverpb.Maintenance': EtcdProto['etcdserverpb']['Maintenance']['service'];
  'v3lockpb.Lock': LockProto['v3lockpb']['Lock']['service'];
  'v3electionpb.Election': ElectionProto['v3electionpb']['Election']['service'];
  'holdfast.v1.Admin': AdminProto['holdfast']['v1']['Admin']['service'];
  'grpc.health.v1.Health': HealthProto['grpc']['health']['v1']['Health']['service'];
  'holdfast.v1.Pipeline': PipelineProto['holdfast']['v1']['Pipeline']['service'];
  'holdfast.v1.Peer': PeerProto['holdfast']['v1']['Peer']['service'];
}

const protoFolder = fileURLToPath(new URL('../../proto', import.meta.url));

const protoFiles = [
  'etcd/rpc.proto',
  'etcd/lock.proto',
  'etcd/election.proto',
  'holdfast/admin.proto',
  'holdfast/health.proto',
  'holdfast/peer.proto',
  'holdfast/pipeline.proto',
];

let loaded: Definitions | undefined;

/** All of them, read at the first call. */
function definitions(): Definitions {
  loaded ??= loadSync(protoFiles, {
    includeDirs: [protoFolder],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    arrays: true,
    oneofs: true,
  }) as unknown as Definitions;
  return loaded;
}

/** What a contract says of an enum. */
export interface EnumDescription {
  readonly value: readonly { readonly name: string; readonly number: number }[];
}

/** What a contract says of a message. */
export interface MessageDescription {
  readonly field: readonly {
    readonly name: string;
    readonly label: string;
    readonly type: string;
    /** In full, or as seen from the message. */
    readonly typeName: string;
  }[];
  /** Enums inside of it. */
  readonly enumType: readonly (EnumDescription & { readonly name: string })[];
}

/** What the contracts say of a type that is not inside of another one, by its full name. */
export function describedType(name: string): EnumDescription | MessageDescription | undefined {
  const types = definitions() as unknown as Readonly<
    Record<string, { readonly type: EnumDescription | MessageDescription } | undefined>
  >;
  return types[name]?.type;
}

/** The service definitions, as `addService` and client constructors of grpc-js take them. */
export const services: Definitions = {
  get 'etcdserverpb.KV'() {
    return definitions()['etcdserverpb.KV'];
  },
  get 'etcdserverpb.Watch'() {
    return definitions()['etcdserverpb.Watch'];
  },
  get 'etcdserverpb.Lease'() {
    return definitions()['etcdserverpb.Lease'];
  },
  get 'etcdserverpb.Auth'() {
    return definitions()['etcdserverpb.Auth'];
  },
  get 'etcdserverpb.Cluster'() {
    return definitions()['etcdserverpb.Cluster'];
  },
  get 'etcdserverpb.Maintenance'() {
    return definitions()['etcdserverpb.Maintenance'];
  },
  get 'v3lockpb.Lock'() {
    return definitions()['v3lockpb.Lock'];
  },
  get 'v3electionpb.Election'() {
    return definitions()['v3electionpb.Election'];
  },
  get 'holdfast.v1.Admin'() {
    return definitions()['holdfast.v1.Admin'];
  },
  get 'grpc.health.v1.Health'() {
    return definitions()['grpc.health.v1.Health'];
  },
  get 'holdfast.v1.Pipeline'() {
    return definitions()['holdfast.v1.Pipeline'];
  },
  get 'holdfast.v1.Peer'() {
    return definitions()['holdfast.v1.Peer'];
  },
};
