// Original file: proto/holdfast/admin.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { MemberDemoteRequest__Input as _holdfast_v1_MemberDemoteRequest__Input, MemberDemoteRequest as _holdfast_v1_MemberDemoteRequest } from '../../holdfast/v1/MemberDemoteRequest.ts';
import type { MemberDemoteResponse__Input as _holdfast_v1_MemberDemoteResponse__Input, MemberDemoteResponse as _holdfast_v1_MemberDemoteResponse } from '../../holdfast/v1/MemberDemoteResponse.ts';
import type { MemberReplaceRequest__Input as _holdfast_v1_MemberReplaceRequest__Input, MemberReplaceRequest as _holdfast_v1_MemberReplaceRequest } from '../../holdfast/v1/MemberReplaceRequest.ts';
import type { MemberReplaceResponse__Input as _holdfast_v1_MemberReplaceResponse__Input, MemberReplaceResponse as _holdfast_v1_MemberReplaceResponse } from '../../holdfast/v1/MemberReplaceResponse.ts';

export interface AdminClient extends grpc.Client {
  MemberDemote(argument: _holdfast_v1_MemberDemoteRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_MemberDemoteResponse>): grpc.ClientUnaryCall;
  MemberDemote(argument: _holdfast_v1_MemberDemoteRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_MemberDemoteResponse>): grpc.ClientUnaryCall;
  MemberDemote(argument: _holdfast_v1_MemberDemoteRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_MemberDemoteResponse>): grpc.ClientUnaryCall;
  MemberDemote(argument: _holdfast_v1_MemberDemoteRequest__Input, callback: grpc.requestCallback<_holdfast_v1_MemberDemoteResponse>): grpc.ClientUnaryCall;
  memberDemote(argument: _holdfast_v1_MemberDemoteRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_MemberDemoteResponse>): grpc.ClientUnaryCall;
  memberDemote(argument: _holdfast_v1_MemberDemoteRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_MemberDemoteResponse>): grpc.ClientUnaryCall;
  memberDemote(argument: _holdfast_v1_MemberDemoteRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_MemberDemoteResponse>): grpc.ClientUnaryCall;
  memberDemote(argument: _holdfast_v1_MemberDemoteRequest__Input, callback: grpc.requestCallback<_holdfast_v1_MemberDemoteResponse>): grpc.ClientUnaryCall;
  
  MemberReplace(argument: _holdfast_v1_MemberReplaceRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_MemberReplaceResponse>): grpc.ClientUnaryCall;
  MemberReplace(argument: _holdfast_v1_MemberReplaceRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_MemberReplaceResponse>): grpc.ClientUnaryCall;
  MemberReplace(argument: _holdfast_v1_MemberReplaceRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_MemberReplaceResponse>): grpc.ClientUnaryCall;
  MemberReplace(argument: _holdfast_v1_MemberReplaceRequest__Input, callback: grpc.requestCallback<_holdfast_v1_MemberReplaceResponse>): grpc.ClientUnaryCall;
  memberReplace(argument: _holdfast_v1_MemberReplaceRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_MemberReplaceResponse>): grpc.ClientUnaryCall;
  memberReplace(argument: _holdfast_v1_MemberReplaceRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_MemberReplaceResponse>): grpc.ClientUnaryCall;
  memberReplace(argument: _holdfast_v1_MemberReplaceRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_MemberReplaceResponse>): grpc.ClientUnaryCall;
  memberReplace(argument: _holdfast_v1_MemberReplaceRequest__Input, callback: grpc.requestCallback<_holdfast_v1_MemberReplaceResponse>): grpc.ClientUnaryCall;
  
}

export interface AdminHandlers extends grpc.UntypedServiceImplementation {
  MemberDemote: grpc.handleUnaryCall<_holdfast_v1_MemberDemoteRequest, _holdfast_v1_MemberDemoteResponse__Input>;
  
  MemberReplace: grpc.handleUnaryCall<_holdfast_v1_MemberReplaceRequest, _holdfast_v1_MemberReplaceResponse__Input>;
  
}

export interface AdminDefinition extends grpc.ServiceDefinition {
  MemberDemote: MethodDefinition<_holdfast_v1_MemberDemoteRequest__Input, _holdfast_v1_MemberDemoteResponse__Input, _holdfast_v1_MemberDemoteRequest, _holdfast_v1_MemberDemoteResponse>
  MemberReplace: MethodDefinition<_holdfast_v1_MemberReplaceRequest__Input, _holdfast_v1_MemberReplaceResponse__Input, _holdfast_v1_MemberReplaceRequest, _holdfast_v1_MemberReplaceResponse>
}
