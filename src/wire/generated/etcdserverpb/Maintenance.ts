// Original file: proto/etcd/rpc.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AlarmRequest__Input as _etcdserverpb_AlarmRequest__Input, AlarmRequest as _etcdserverpb_AlarmRequest } from '../etcdserverpb/AlarmRequest.ts';
import type { AlarmResponse__Input as _etcdserverpb_AlarmResponse__Input, AlarmResponse as _etcdserverpb_AlarmResponse } from '../etcdserverpb/AlarmResponse.ts';
import type { MoveLeaderRequest__Input as _etcdserverpb_MoveLeaderRequest__Input, MoveLeaderRequest as _etcdserverpb_MoveLeaderRequest } from '../etcdserverpb/MoveLeaderRequest.ts';
import type { MoveLeaderResponse__Input as _etcdserverpb_MoveLeaderResponse__Input, MoveLeaderResponse as _etcdserverpb_MoveLeaderResponse } from '../etcdserverpb/MoveLeaderResponse.ts';
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
  
  MoveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  MoveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  MoveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  MoveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  moveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  moveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  moveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  moveLeader(argument: _etcdserverpb_MoveLeaderRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MoveLeaderResponse>): grpc.ClientUnaryCall;
  
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
  
  MoveLeader: grpc.handleUnaryCall<_etcdserverpb_MoveLeaderRequest, _etcdserverpb_MoveLeaderResponse__Input>;
  
  Status: grpc.handleUnaryCall<_etcdserverpb_StatusRequest, _etcdserverpb_StatusResponse__Input>;
  
}

export interface MaintenanceDefinition extends grpc.ServiceDefinition {
  Alarm: MethodDefinition<_etcdserverpb_AlarmRequest__Input, _etcdserverpb_AlarmResponse__Input, _etcdserverpb_AlarmRequest, _etcdserverpb_AlarmResponse>
  MoveLeader: MethodDefinition<_etcdserverpb_MoveLeaderRequest__Input, _etcdserverpb_MoveLeaderResponse__Input, _etcdserverpb_MoveLeaderRequest, _etcdserverpb_MoveLeaderResponse>
  Status: MethodDefinition<_etcdserverpb_StatusRequest__Input, _etcdserverpb_StatusResponse__Input, _etcdserverpb_StatusRequest, _etcdserverpb_StatusResponse>
}
