// Original file: proto/etcd/rpc.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { MemberAddRequest__Input as _etcdserverpb_MemberAddRequest__Input, MemberAddRequest as _etcdserverpb_MemberAddRequest } from '../etcdserverpb/MemberAddRequest.ts';
import type { MemberAddResponse__Input as _etcdserverpb_MemberAddResponse__Input, MemberAddResponse as _etcdserverpb_MemberAddResponse } from '../etcdserverpb/MemberAddResponse.ts';
import type { MemberListRequest__Input as _etcdserverpb_MemberListRequest__Input, MemberListRequest as _etcdserverpb_MemberListRequest } from '../etcdserverpb/MemberListRequest.ts';
import type { MemberListResponse__Input as _etcdserverpb_MemberListResponse__Input, MemberListResponse as _etcdserverpb_MemberListResponse } from '../etcdserverpb/MemberListResponse.ts';
import type { MemberPromoteRequest__Input as _etcdserverpb_MemberPromoteRequest__Input, MemberPromoteRequest as _etcdserverpb_MemberPromoteRequest } from '../etcdserverpb/MemberPromoteRequest.ts';
import type { MemberPromoteResponse__Input as _etcdserverpb_MemberPromoteResponse__Input, MemberPromoteResponse as _etcdserverpb_MemberPromoteResponse } from '../etcdserverpb/MemberPromoteResponse.ts';
import type { MemberRemoveRequest__Input as _etcdserverpb_MemberRemoveRequest__Input, MemberRemoveRequest as _etcdserverpb_MemberRemoveRequest } from '../etcdserverpb/MemberRemoveRequest.ts';
import type { MemberRemoveResponse__Input as _etcdserverpb_MemberRemoveResponse__Input, MemberRemoveResponse as _etcdserverpb_MemberRemoveResponse } from '../etcdserverpb/MemberRemoveResponse.ts';
import type { MemberUpdateRequest__Input as _etcdserverpb_MemberUpdateRequest__Input, MemberUpdateRequest as _etcdserverpb_MemberUpdateRequest } from '../etcdserverpb/MemberUpdateRequest.ts';
import type { MemberUpdateResponse__Input as _etcdserverpb_MemberUpdateResponse__Input, MemberUpdateResponse as _etcdserverpb_MemberUpdateResponse } from '../etcdserverpb/MemberUpdateResponse.ts';

export interface ClusterClient extends grpc.Client {
  MemberAdd(argument: _etcdserverpb_MemberAddRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberAddResponse>): grpc.ClientUnaryCall;
  MemberAdd(argument: _etcdserverpb_MemberAddRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberAddResponse>): grpc.ClientUnaryCall;
  MemberAdd(argument: _etcdserverpb_MemberAddRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberAddResponse>): grpc.ClientUnaryCall;
  MemberAdd(argument: _etcdserverpb_MemberAddRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberAddResponse>): grpc.ClientUnaryCall;
  memberAdd(argument: _etcdserverpb_MemberAddRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberAddResponse>): grpc.ClientUnaryCall;
  memberAdd(argument: _etcdserverpb_MemberAddRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberAddResponse>): grpc.ClientUnaryCall;
  memberAdd(argument: _etcdserverpb_MemberAddRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberAddResponse>): grpc.ClientUnaryCall;
  memberAdd(argument: _etcdserverpb_MemberAddRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberAddResponse>): grpc.ClientUnaryCall;
  
  MemberList(argument: _etcdserverpb_MemberListRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  MemberList(argument: _etcdserverpb_MemberListRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  MemberList(argument: _etcdserverpb_MemberListRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  MemberList(argument: _etcdserverpb_MemberListRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  memberList(argument: _etcdserverpb_MemberListRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  memberList(argument: _etcdserverpb_MemberListRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  memberList(argument: _etcdserverpb_MemberListRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  memberList(argument: _etcdserverpb_MemberListRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberListResponse>): grpc.ClientUnaryCall;
  
  MemberPromote(argument: _etcdserverpb_MemberPromoteRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberPromoteResponse>): grpc.ClientUnaryCall;
  MemberPromote(argument: _etcdserverpb_MemberPromoteRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberPromoteResponse>): grpc.ClientUnaryCall;
  MemberPromote(argument: _etcdserverpb_MemberPromoteRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberPromoteResponse>): grpc.ClientUnaryCall;
  MemberPromote(argument: _etcdserverpb_MemberPromoteRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberPromoteResponse>): grpc.ClientUnaryCall;
  memberPromote(argument: _etcdserverpb_MemberPromoteRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberPromoteResponse>): grpc.ClientUnaryCall;
  memberPromote(argument: _etcdserverpb_MemberPromoteRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberPromoteResponse>): grpc.ClientUnaryCall;
  memberPromote(argument: _etcdserverpb_MemberPromoteRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberPromoteResponse>): grpc.ClientUnaryCall;
  memberPromote(argument: _etcdserverpb_MemberPromoteRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberPromoteResponse>): grpc.ClientUnaryCall;
  
  MemberRemove(argument: _etcdserverpb_MemberRemoveRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberRemoveResponse>): grpc.ClientUnaryCall;
  MemberRemove(argument: _etcdserverpb_MemberRemoveRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberRemoveResponse>): grpc.ClientUnaryCall;
  MemberRemove(argument: _etcdserverpb_MemberRemoveRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberRemoveResponse>): grpc.ClientUnaryCall;
  MemberRemove(argument: _etcdserverpb_MemberRemoveRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberRemoveResponse>): grpc.ClientUnaryCall;
  memberRemove(argument: _etcdserverpb_MemberRemoveRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberRemoveResponse>): grpc.ClientUnaryCall;
  memberRemove(argument: _etcdserverpb_MemberRemoveRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberRemoveResponse>): grpc.ClientUnaryCall;
  memberRemove(argument: _etcdserverpb_MemberRemoveRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberRemoveResponse>): grpc.ClientUnaryCall;
  memberRemove(argument: _etcdserverpb_MemberRemoveRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberRemoveResponse>): grpc.ClientUnaryCall;
  
  MemberUpdate(argument: _etcdserverpb_MemberUpdateRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberUpdateResponse>): grpc.ClientUnaryCall;
  MemberUpdate(argument: _etcdserverpb_MemberUpdateRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberUpdateResponse>): grpc.ClientUnaryCall;
  MemberUpdate(argument: _etcdserverpb_MemberUpdateRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberUpdateResponse>): grpc.ClientUnaryCall;
  MemberUpdate(argument: _etcdserverpb_MemberUpdateRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberUpdateResponse>): grpc.ClientUnaryCall;
  memberUpdate(argument: _etcdserverpb_MemberUpdateRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberUpdateResponse>): grpc.ClientUnaryCall;
  memberUpdate(argument: _etcdserverpb_MemberUpdateRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_MemberUpdateResponse>): grpc.ClientUnaryCall;
  memberUpdate(argument: _etcdserverpb_MemberUpdateRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_MemberUpdateResponse>): grpc.ClientUnaryCall;
  memberUpdate(argument: _etcdserverpb_MemberUpdateRequest__Input, callback: grpc.requestCallback<_etcdserverpb_MemberUpdateResponse>): grpc.ClientUnaryCall;
  
}

export interface ClusterHandlers extends grpc.UntypedServiceImplementation {
  MemberAdd: grpc.handleUnaryCall<_etcdserverpb_MemberAddRequest, _etcdserverpb_MemberAddResponse__Input>;
  
  MemberList: grpc.handleUnaryCall<_etcdserverpb_MemberListRequest, _etcdserverpb_MemberListResponse__Input>;
  
  MemberPromote: grpc.handleUnaryCall<_etcdserverpb_MemberPromoteRequest, _etcdserverpb_MemberPromoteResponse__Input>;
  
  MemberRemove: grpc.handleUnaryCall<_etcdserverpb_MemberRemoveRequest, _etcdserverpb_MemberRemoveResponse__Input>;
  
  MemberUpdate: grpc.handleUnaryCall<_etcdserverpb_MemberUpdateRequest, _etcdserverpb_MemberUpdateResponse__Input>;
  
}

export interface ClusterDefinition extends grpc.ServiceDefinition {
  MemberAdd: MethodDefinition<_etcdserverpb_MemberAddRequest__Input, _etcdserverpb_MemberAddResponse__Input, _etcdserverpb_MemberAddRequest, _etcdserverpb_MemberAddResponse>
  MemberList: MethodDefinition<_etcdserverpb_MemberListRequest__Input, _etcdserverpb_MemberListResponse__Input, _etcdserverpb_MemberListRequest, _etcdserverpb_MemberListResponse>
  MemberPromote: MethodDefinition<_etcdserverpb_MemberPromoteRequest__Input, _etcdserverpb_MemberPromoteResponse__Input, _etcdserverpb_MemberPromoteRequest, _etcdserverpb_MemberPromoteResponse>
  MemberRemove: MethodDefinition<_etcdserverpb_MemberRemoveRequest__Input, _etcdserverpb_MemberRemoveResponse__Input, _etcdserverpb_MemberRemoveRequest, _etcdserverpb_MemberRemoveResponse>
  MemberUpdate: MethodDefinition<_etcdserverpb_MemberUpdateRequest__Input, _etcdserverpb_MemberUpdateResponse__Input, _etcdserverpb_MemberUpdateRequest, _etcdserverpb_MemberUpdateResponse>
}
