// Original file: proto/etcd/rpc.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AlarmRequest__Input as _etcdserverpb_AlarmRequest__Input, AlarmRequest as _etcdserverpb_AlarmRequest } from '../etcdserverpb/AlarmRequest.ts';
import type { AlarmResponse__Input as _etcdserverpb_AlarmResponse__Input, AlarmResponse as _etcdserverpb_AlarmResponse } from '../etcdserverpb/AlarmResponse.ts';
import type { DefragmentRequest__Input as _etcdserverpb_DefragmentRequest__Input, DefragmentRequest as _etcdserverpb_DefragmentRequest } from '../etcdserverpb/DefragmentRequest.ts';
import type { DefragmentResponse__Input as _etcdserverpb_DefragmentResponse__Input, DefragmentResponse as _etcdserverpb_DefragmentResponse } from '../etcdserverpb/DefragmentResponse.ts';
import type { DowngradeRequest__Input as _etcdserverpb_DowngradeRequest__Input, DowngradeRequest as _etcdserverpb_DowngradeRequest } from '../etcdserverpb/DowngradeRequest.ts';
import type { DowngradeResponse__Input as _etcdserverpb_DowngradeResponse__Input, DowngradeResponse as _etcdserverpb_DowngradeResponse } from '../etcdserverpb/DowngradeResponse.ts';
import type { HashKVRequest__Input as _etcdserverpb_HashKVRequest__Input, HashKVRequest as _etcdserverpb_HashKVRequest } from '../etcdserverpb/HashKVRequest.ts';
import type { HashKVResponse__Input as _etcdserverpb_HashKVResponse__Input, HashKVResponse as _etcdserverpb_HashKVResponse } from '../etcdserverpb/HashKVResponse.ts';
import type { HashRequest__Input as _etcdserverpb_HashRequest__Input, HashRequest as _etcdserverpb_HashRequest } from '../etcdserverpb/HashRequest.ts';
import type { HashResponse__Input as _etcdserverpb_HashResponse__Input, HashResponse as _etcdserverpb_HashResponse } from '../etcdserverpb/HashResponse.ts';
import type { MoveLeaderRequest__Input as _etcdserverpb_MoveLeaderRequest__Input, MoveLeaderRequest as _etcdserverpb_MoveLeaderRequest } from '../etcdserverpb/MoveLeaderRequest.ts';
import type { MoveLeaderResponse__Input as _etcdserverpb_MoveLeaderResponse__Input, MoveLeaderResponse as _etcdserverpb_MoveLeaderResponse } from '../etcdserverpb/MoveLeaderResponse.ts';
import type { SnapshotRequest__Input as _etcdserverpb_SnapshotRequest__Input, SnapshotRequest as _etcdserverpb_SnapshotRequest } from '../etcdserverpb/SnapshotRequest.ts';
import type { SnapshotResponse__Input as _etcdserverpb_SnapshotResponse__Input, SnapshotResponse as _etcdserverpb_SnapshotResponse } from '../etcdserverpb/SnapshotResponse.ts';
import type { StatusRequest__Input as _etcdserverpb_StatusRequest__Input, StatusRequest as _etcdserverpb_StatusRequest } from '../etcdserverpb/StatusRequest.ts';
import type { StatusResponse__Input as _etcdserverpb_StatusResponse__Input, StatusResponse as _etcdserverpb_StatusResponse } from '../etcdserverpb/StatusResponse.ts';

export interface MaintenanceClient extends grpc.Client {
  Alarm(argument: _etcdserverpb_AlarmRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AlarmResponse>): grpc.ClientUnaryCall;
  Alarm(argument: _etcdserverpb_AlarmRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AlarmResponse>): grpc.ClientUnaryCall;
  Alarm(argument: _etcdserverpb_AlarmRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AlarmResponse>): grpc.ClientUnaryCall;
  Alarm(argument: _etcdserverpb_AlarmRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AlarmResponse>): grpc.ClientUnaryCall;
  alarm(argument: _etcdserverpb_AlarmRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AlarmResponse>): grpc.ClientUnaryCall;
  alarm(argument: _etcdserverpb_AlarmRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_AlarmResponse>): grpc.ClientUnaryCall;
  alarm(argument: _etcdserverpb_AlarmRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_AlarmResponse>): grpc.ClientUnaryCall;
  alarm(argument: _etcdserverpb_AlarmRequest__Input, callback: grpc.requestCallback<_etcdserverpb_AlarmResponse>): grpc.ClientUnaryCall;
  
  Defragment(argument: _etcdserverpb_DefragmentRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DefragmentResponse>): grpc.ClientUnaryCall;
  Defragment(argument: _etcdserverpb_DefragmentRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_DefragmentResponse>): grpc.ClientUnaryCall;
  Defragment(argument: _etcdserverpb_DefragmentRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DefragmentResponse>): grpc.ClientUnaryCall;
  Defragment(argument: _etcdserverpb_DefragmentRequest__Input, callback: grpc.requestCallback<_etcdserverpb_DefragmentResponse>): grpc.ClientUnaryCall;
  defragment(argument: _etcdserverpb_DefragmentRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DefragmentResponse>): grpc.ClientUnaryCall;
  defragment(argument: _etcdserverpb_DefragmentRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_DefragmentResponse>): grpc.ClientUnaryCall;
  defragment(argument: _etcdserverpb_DefragmentRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DefragmentResponse>): grpc.ClientUnaryCall;
  defragment(argument: _etcdserverpb_DefragmentRequest__Input, callback: grpc.requestCallback<_etcdserverpb_DefragmentResponse>): grpc.ClientUnaryCall;
  
  Downgrade(argument: _etcdserverpb_DowngradeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DowngradeResponse>): grpc.ClientUnaryCall;
  Downgrade(argument: _etcdserverpb_DowngradeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_DowngradeResponse>): grpc.ClientUnaryCall;
  Downgrade(argument: _etcdserverpb_DowngradeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DowngradeResponse>): grpc.ClientUnaryCall;
  Downgrade(argument: _etcdserverpb_DowngradeRequest__Input, callback: grpc.requestCallback<_etcdserverpb_DowngradeResponse>): grpc.ClientUnaryCall;
  downgrade(argument: _etcdserverpb_DowngradeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DowngradeResponse>): grpc.ClientUnaryCall;
  downgrade(argument: _etcdserverpb_DowngradeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_DowngradeResponse>): grpc.ClientUnaryCall;
  downgrade(argument: _etcdserverpb_DowngradeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DowngradeResponse>): grpc.ClientUnaryCall;
  downgrade(argument: _etcdserverpb_DowngradeRequest__Input, callback: grpc.requestCallback<_etcdserverpb_DowngradeResponse>): grpc.ClientUnaryCall;
  
  Hash(argument: _etcdserverpb_HashRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_HashResponse>): grpc.ClientUnaryCall;
  Hash(argument: _etcdserverpb_HashRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_HashResponse>): grpc.ClientUnaryCall;
  Hash(argument: _etcdserverpb_HashRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_HashResponse>): grpc.ClientUnaryCall;
  Hash(argument: _etcdserverpb_HashRequest__Input, callback: grpc.requestCallback<_etcdserverpb_HashResponse>): grpc.ClientUnaryCall;
  hash(argument: _etcdserverpb_HashRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_HashResponse>): grpc.ClientUnaryCall;
  hash(argument: _etcdserverpb_HashRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_HashResponse>): grpc.ClientUnaryCall;
  hash(argument: _etcdserverpb_HashRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_HashResponse>): grpc.ClientUnaryCall;
  hash(argument: _etcdserverpb_HashRequest__Input, callback: grpc.requestCallback<_etcdserverpb_HashResponse>): grpc.ClientUnaryCall;
  
  HashKV(argument: _etcdserverpb_HashKVRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_HashKVResponse>): grpc.ClientUnaryCall;
  HashKV(argument: _etcdserverpb_HashKVRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_HashKVResponse>): grpc.ClientUnaryCall;
  HashKV(argument: _etcdserverpb_HashKVRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_HashKVResponse>): grpc.ClientUnaryCall;
  HashKV(argument: _etcdserverpb_HashKVRequest__Input, callback: grpc.requestCallback<_etcdserverpb_HashKVResponse>): grpc.ClientUnaryCall;
  hashKv(argument: _etcdserverpb_HashKVRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_HashKVResponse>): grpc.ClientUnaryCall;
  hashKv(argument: _etcdserverpb_HashKVRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_HashKVResponse>): grpc.ClientUnaryCall;
  hashKv(argument: _etcdserverpb_HashKVRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_HashKVResponse>): grpc.ClientUnaryCall;
  hashKv(argument: _etcdserverpb_HashKVRequest__Input, callback: grpc.requestCallback<_etcdserverpb_HashKVResponse>): grpc.ClientUnaryCall;
  
  MoveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  MoveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  MoveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  MoveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  moveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  moveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  moveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  moveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  
  Snapshot(argument: _etcdserverpb_SnapshotRequest__Input, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_etcdserverpb_SnapshotResponse>;
  Snapshot(argument: _etcdserverpb_SnapshotRequest__Input, options?: grpc.CallOptions): grpc.ClientReadableStream<_etcdserverpb_SnapshotResponse>;
  snapshot(argument: _etcdserverpb_SnapshotRequest__Input, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_etcdserverpb_SnapshotResponse>;
  snapshot(argument: _etcdserverpb_SnapshotRequest__Input, options?: grpc.CallOptions): grpc.ClientReadableStream<_etcdserverpb_SnapshotResponse>;
  
  Status(argument: _etcdserverpb_StatusRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_StatusResponse>): grpc.ClientUnaryCall;
  Status(argument: _etcdserverpb_StatusRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_StatusResponse>): grpc.ClientUnaryCall;
  Status(argument: _etcdserverpb_StatusRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_StatusResponse>): grpc.ClientUnaryCall;
  Status(argument: _etcdserverpb_StatusRequest__Input, callback: grpc.requestCallback<_etcdserverpb_StatusResponse>): grpc.ClientUnaryCall;
  status(argument: _etcdserverpb_StatusRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_StatusResponse>): grpc.ClientUnaryCall;
  status(argument: _etcdserverpb_StatusRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_StatusResponse>): grpc.ClientUnaryCall;
  status(argument: _etcdserverpb_StatusRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_StatusResponse>): grpc.ClientUnaryCall;
  status(argument: _etcdserverpb_StatusRequest__Input, callback: grpc.requestCallback<_etcdserverpb_StatusResponse>): grpc.ClientUnaryCall;
  
}

export interface MaintenanceHandlers extends grpc.UntypedServiceImplementation {
  Alarm: grpc.handleUnaryCall<_etcdserverpb_AlarmRequest, _etcdserverpb_AlarmResponse__Input>;
  
  Defragment: grpc.handleUnaryCall<_etcdserverpb_DefragmentRequest, _etcdserverpb_DefragmentResponse__Input>;
  
  Downgrade: grpc.handleUnaryCall<_etcdserverpb_DowngradeRequest, _etcdserverpb_DowngradeResponse__Input>;
  
  Hash: grpc.handleUnaryCall<_etcdserverpb_HashRequest, _etcdserverpb_HashResponse__Input>;
  
  HashKV: grpc.handleUnaryCall<_etcdserverpb_HashKVRequest, _etcdserverpb_HashKVResponse__Input>;
  
  MoveLeader: grpc.handleUnaryCall<_etcdserverpb_MoveLeaderRequest, _etcdserverpb_MoveLeaderResponse__Input>;
  
  Snapshot: grpc.handleServerStreamingCall<_etcdserverpb_SnapshotRequest, _etcdserverpb_SnapshotResponse__Input>;
  
  Status: grpc.handleUnaryCall<_etcdserverpb_StatusRequest, _etcdserverpb_StatusResponse__Input>;
  
}

export interface MaintenanceDefinition extends grpc.ServiceDefinition {
  Alarm: MethodDefinition<_etcdserverpb_AlarmRequest__Input, _etcdserverpb_AlarmResponse__Input, _etcdserverpb_AlarmRequest, _etcdserverpb_AlarmResponse>
  Defragment: MethodDefinition<_etcdserverpb_DefragmentRequest__Input, _etcdserverpb_DefragmentResponse__Input, _etcdserverpb_DefragmentRequest, _etcdserverpb_DefragmentResponse>
  Downgrade: MethodDefinition<_etcdserverpb_DowngradeRequest__Input, _etcdserverpb_DowngradeResponse__Input, _etcdserverpb_DowngradeRequest, _etcdserverpb_DowngradeResponse>
  Hash: MethodDefinition<_etcdserverpb_HashRequest__Input, _etcdserverpb_HashResponse__Input, _etcdserverpb_HashRequest, _etcdserverpb_HashResponse>
  HashKV: MethodDefinition<_etcdserverpb_HashKVRequest__Input, _etcdserverpb_HashKVResponse__Input, _etcdserverpb_HashKVRequest, _etcdserverpb_HashKVResponse>
  MoveLeader: MethodDefinition<_etcdserverpb_MoveLeaderRequest__Input, _etcdserverpb_MoveLeaderResponse__Input, _etcdserverpb_MoveLeaderRequest, _etcdserverpb_MoveLeaderResponse>
  Snapshot: MethodDefinition<_etcdserverpb_SnapshotRequest__Input, _etcdserverpb_SnapshotResponse__Input, _etcdserverpb_SnapshotRequest, _etcdserverpb_SnapshotResponse>
  Status: MethodDefinition<_etcdserverpb_StatusRequest__Input, _etcdserverpb_StatusResponse__Input, _etcdserverpb_StatusRequest, _etcdserverpb_StatusResponse>
}
