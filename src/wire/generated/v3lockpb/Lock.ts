// Original file: proto/etcd/lock.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { LockRequest__Input as _v3lockpb_LockRequest__Input, LockRequest as _v3lockpb_LockRequest } from '../v3lockpb/LockRequest.ts';
import type { LockResponse__Input as _v3lockpb_LockResponse__Input, LockResponse as _v3lockpb_LockResponse } from '../v3lockpb/LockResponse.ts';
import type { UnlockRequest__Input as _v3lockpb_UnlockRequest__Input, UnlockRequest as _v3lockpb_UnlockRequest } from '../v3lockpb/UnlockRequest.ts';
import type { UnlockResponse__Input as _v3lockpb_UnlockResponse__Input, UnlockResponse as _v3lockpb_UnlockResponse } from '../v3lockpb/UnlockResponse.ts';

export interface LockClient extends grpc.Client {
  Lock(argument: _v3lockpb_LockRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3lockpb_LockResponse>): grpc.ClientUnaryCall;
  Lock(argument: _v3lockpb_LockRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3lockpb_LockResponse>): grpc.ClientUnaryCall;
  Lock(argument: _v3lockpb_LockRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3lockpb_LockResponse>): grpc.ClientUnaryCall;
  Lock(argument: _v3lockpb_LockRequest__Input, callback: grpc.requestCallback<_v3lockpb_LockResponse>): grpc.ClientUnaryCall;
  lock(argument: _v3lockpb_LockRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3lockpb_LockResponse>): grpc.ClientUnaryCall;
  lock(argument: _v3lockpb_LockRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3lockpb_LockResponse>): grpc.ClientUnaryCall;
  lock(argument: _v3lockpb_LockRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3lockpb_LockResponse>): grpc.ClientUnaryCall;
  lock(argument: _v3lockpb_LockRequest__Input, callback: grpc.requestCallback<_v3lockpb_LockResponse>): grpc.ClientUnaryCall;
  
  Unlock(argument: _v3lockpb_UnlockRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3lockpb_UnlockResponse>): grpc.ClientUnaryCall;
  Unlock(argument: _v3lockpb_UnlockRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3lockpb_UnlockResponse>): grpc.ClientUnaryCall;
  Unlock(argument: _v3lockpb_UnlockRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3lockpb_UnlockResponse>): grpc.ClientUnaryCall;
  Unlock(argument: _v3lockpb_UnlockRequest__Input, callback: grpc.requestCallback<_v3lockpb_UnlockResponse>): grpc.ClientUnaryCall;
  unlock(argument: _v3lockpb_UnlockRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_v3lockpb_UnlockResponse>): grpc.ClientUnaryCall;
  unlock(argument: _v3lockpb_UnlockRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_v3lockpb_UnlockResponse>): grpc.ClientUnaryCall;
  unlock(argument: _v3lockpb_UnlockRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_v3lockpb_UnlockResponse>): grpc.ClientUnaryCall;
  unlock(argument: _v3lockpb_UnlockRequest__Input, callback: grpc.requestCallback<_v3lockpb_UnlockResponse>): grpc.ClientUnaryCall;
  
}

export interface LockHandlers extends grpc.UntypedServiceImplementation {
  Lock: grpc.handleUnaryCall<_v3lockpb_LockRequest, _v3lockpb_LockResponse__Input>;
  
  Unlock: grpc.handleUnaryCall<_v3lockpb_UnlockRequest, _v3lockpb_UnlockResponse__Input>;
  
}

export interface LockDefinition extends grpc.ServiceDefinition {
  Lock: MethodDefinition<_v3lockpb_LockRequest__Input, _v3lockpb_LockResponse__Input, _v3lockpb_LockRequest, _v3lockpb_LockResponse>
  Unlock: MethodDefinition<_v3lockpb_UnlockRequest__Input, _v3lockpb_UnlockResponse__Input, _v3lockpb_UnlockRequest, _v3lockpb_UnlockResponse>
}
