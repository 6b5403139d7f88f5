// Original file: proto/etcd/rpc.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { MemberListRequest__Input as _etcdserverpb_MemberListRequest__Input, MemberListRequest as _etcdserverpb_MemberListRequest } from '../etcdserverpb/MemberListRequest.ts';
import type { MemberListResponse__Input as _etcdserverpb_MemberListResponse__Input, MemberListResponse as _etcdserverpb_MemberListResponse } from '../etcdserverpb/MemberListResponse.ts';

export interface ClusterClient extends grpc.Client {
  MemberList(argument: _etcdserverpb_MemberListRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  MemberList(argument: _etcdserverpb_MemberListRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  MemberList(argument: _etcdserverpb_MemberListRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  MemberList(argument: _etcdserverpb_MemberListRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  memberList(argument: _etcdserverpb_MemberListRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  memberList(argument: _etcdserverpb_MemberListRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  memberList(argument: _etcdserverpb_MemberListRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  memberList(argument: _etcdserverpb_MemberListRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  
}

export interface ClusterHandlers extends grpc.UntypedServiceImplementation {
  MemberList: grpc.handleUnaryCall<_etcdserverpb_MemberListRequest, _etcdserverpb_MemberListResponse__Input>;
  
}

export interface ClusterDefinition extends grpc.ServiceDefinition {
  MemberList: MethodDefinition<_etcdserverpb_MemberListRequest__Input, _etcdserverpb_MemberListResponse__Input, _etcdserverpb_MemberListRequest, _etcdserverpb_MemberListResponse>
}
