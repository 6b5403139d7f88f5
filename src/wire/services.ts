/**
 * The protobuf contracts, loaded in one place.
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

/** The service definitions, as `addService` and client constructors of grpc-js take them. */
export const services = loadSync(protoFiles, {
  includeDirs: [protoFolder],
  keepCase: true,
  longs: String,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
}) as unknown as Definitions;
