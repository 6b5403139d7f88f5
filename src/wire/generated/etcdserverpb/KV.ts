// Original file: proto/etcd/rpc.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CompactionRequest__Input as _etcdserverpb_CompactionRequest__Input, CompactionRequest as _etcdserverpb_CompactionRequest } from '../etcdserverpb/CompactionRequest.ts';
import type { CompactionResponse__Input as _etcdserverpb_CompactionResponse__Input, CompactionResponse as _etcdserverpb_CompactionResponse } from '../etcdserverpb/CompactionResponse.ts';
import type { DeleteRangeRequest__Input as _etcdserverpb_DeleteRangeRequest__Input, DeleteRangeRequest as _etcdserverpb_DeleteRangeRequest } from '../etcdserverpb/DeleteRangeRequest.ts';
import type { DeleteRangeResponse__Input as _etcdserverpb_DeleteRangeResponse__Input, DeleteRangeResponse as _etcdserverpb_DeleteRangeResponse } from '../etcdserverpb/DeleteRangeResponse.ts';
import type { PutRequest__Input as _etcdserverpb_PutRequest__Input, PutRequest as _etcdserverpb_PutRequest } from '../etcdserverpb/PutRequest.ts';
import type { PutResponse__Input as _etcdserverpb_PutResponse__Input, PutResponse as _etcdserverpb_PutResponse } from '../etcdserverpb/PutResponse.ts';
import type { RangeRequest__Input as _etcdserverpb_RangeRequest__Input, RangeRequest as _etcdserverpb_RangeRequest } from '../etcdserverpb/RangeRequest.ts';
import type { RangeResponse__Input as _etcdserverpb_RangeResponse__Input, RangeResponse as _etcdserverpb_RangeResponse } from '../etcdserverpb/RangeResponse.ts';
import type { RangeStreamResponse__Input as _etcdserverpb_RangeStreamResponse__Input, RangeStreamResponse as _etcdserverpb_RangeStreamResponse } from '../etcdserverpb/RangeStreamResponse.ts';
import type { TxnRequest__Input as _etcdserverpb_TxnRequest__Input, TxnRequest as _etcdserverpb_TxnRequest } from '../etcdserverpb/TxnRequest.ts';
import type { TxnResponse__Input as _etcdserverpb_TxnResponse__Input, TxnResponse as _etcdserverpb_TxnResponse } from '../etcdserverpb/TxnResponse.ts';

export interface KVClient extends grpc.Client {
  Compact(argument: _etcdserverpb_CompactionRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_CompactionResponse>): grpc.ClientUnaryCall;
  Compact(argument: _etcdserverpb_CompactionRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_CompactionResponse>): grpc.ClientUnaryCall;
  Compact(argument: _etcdserverpb_CompactionRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_CompactionResponse>): grpc.ClientUnaryCall;
  Compact(argument: _etcdserverpb_CompactionRequest__Input, callback: grpc.requestCallback<_etcdserverpb_CompactionResponse>): grpc.ClientUnaryCall;
  compact(argument: _etcdserverpb_CompactionRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_CompactionResponse>): grpc.ClientUnaryCall;
  compact(argument: _etcdserverpb_CompactionRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_CompactionResponse>): grpc.ClientUnaryCall;
  compact(argument: _etcdserverpb_CompactionRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_CompactionResponse>): grpc.ClientUnaryCall;
  compact(argument: _etcdserverpb_CompactionRequest__Input, callback: grpc.requestCallback<_etcdserverpb_CompactionResponse>): grpc.ClientUnaryCall;
  
  DeleteRange(argument: _etcdserverpb_DeleteRangeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DeleteRangeResponse>): grpc.ClientUnaryCall;
  DeleteRange(argument: _etcdserverpb_DeleteRangeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_DeleteRangeResponse>): grpc.ClientUnaryCall;
  DeleteRange(argument: _etcdserverpb_DeleteRangeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DeleteRangeResponse>): grpc.ClientUnaryCall;
  DeleteRange(argument: _etcdserverpb_DeleteRangeRequest__Input, callback: grpc.requestCallback<_etcdserverpb_DeleteRangeResponse>): grpc.ClientUnaryCall;
  deleteRange(argument: _etcdserverpb_DeleteRangeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DeleteRangeResponse>): grpc.ClientUnaryCall;
  deleteRange(argument: _etcdserverpb_DeleteRangeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_DeleteRangeResponse>): grpc.ClientUnaryCall;
  deleteRange(argument: _etcdserverpb_DeleteRangeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_DeleteRangeResponse>): grpc.ClientUnaryCall;
  deleteRange(argument: _etcdserverpb_DeleteRangeRequest__Input, callback: grpc.requestCallback<_etcdserverpb_DeleteRangeResponse>): grpc.ClientUnaryCall;
  
  Put(argument: _etcdserverpb_PutRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_PutResponse>): grpc.ClientUnaryCall;
  Put(argument: _etcdserverpb_PutRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_PutResponse>): grpc.ClientUnaryCall;
  Put(argument: _etcdserverpb_PutRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_PutResponse>): grpc.ClientUnaryCall;
  Put(argument: _etcdserverpb_PutRequest__Input, callback: grpc.requestCallback<_etcdserverpb_PutResponse>): grpc.ClientUnaryCall;
  put(argument: _etcdserverpb_PutRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_PutResponse>): grpc.ClientUnaryCall;
  put(argument: _etcdserverpb_PutRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_PutResponse>): grpc.ClientUnaryCall;
  put(argument: _etcdserverpb_PutRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_PutResponse>): grpc.ClientUnaryCall;
  put(argument: _etcdserverpb_PutRequest__Input, callback: grpc.requestCallback<_etcdserverpb_PutResponse>): grpc.ClientUnaryCall;
  
  Range(argument: _etcdserverpb_RangeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_RangeResponse>): grpc.ClientUnaryCall;
  Range(argument: _etcdserverpb_RangeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_RangeResponse>): grpc.ClientUnaryCall;
  Range(argument: _etcdserverpb_RangeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_RangeResponse>): grpc.ClientUnaryCall;
  Range(argument: _etcdserverpb_RangeRequest__Input, callback: grpc.requestCallback<_etcdserverpb_RangeResponse>): grpc.ClientUnaryCall;
  range(argument: _etcdserverpb_RangeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_RangeResponse>): grpc.ClientUnaryCall;
  range(argument: _etcdserverpb_RangeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_RangeResponse>): grpc.ClientUnaryCall;
  range(argument: _etcdserverpb_RangeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_RangeResponse>): grpc.ClientUnaryCall;
  range(argument: _etcdserverpb_RangeRequest__Input, callback: grpc.requestCallback<_etcdserverpb_RangeResponse>): grpc.ClientUnaryCall;
  
  RangeStream(argument: _etcdserverpb_RangeRequest__Input, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_etcdserverpb_RangeStreamResponse>;
  RangeStream(argument: _etcdserverpb_RangeRequest__Input, options?: grpc.CallOptions): grpc.ClientReadableStream<_etcdserverpb_RangeStreamResponse>;
  rangeStream(argument: _etcdserverpb_RangeRequest__Input, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_etcdserverpb_RangeStreamResponse>;
  rangeStream(argument: _etcdserverpb_RangeRequest__Input, options?: grpc.CallOptions): grpc.ClientReadableStream<_etcdserverpb_RangeStreamResponse>;
  
  Txn(argument: _etcdserverpb_TxnRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_TxnResponse>): grpc.ClientUnaryCall;
  Txn(argument: _etcdserverpb_TxnRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_TxnResponse>): grpc.ClientUnaryCall;
  Txn(argument: _etcdserverpb_TxnRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_TxnResponse>): grpc.ClientUnaryCall;
  Txn(argument: _etcdserverpb_TxnRequest__Input, callback: grpc.requestCallback<_etcdserverpb_TxnResponse>): grpc.ClientUnaryCall;
  txn(argument: _etcdserverpb_TxnRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_TxnResponse>): grpc.ClientUnaryCall;
  txn(argument: _etcdserverpb_TxnRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_etcdserverpb_TxnResponse>): grpc.ClientUnaryCall;
  txn(argument: _etcdserverpb_TxnRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_etcdserverpb_TxnResponse>): grpc.ClientUnaryCall;
  txn(argument: _etcdserverpb_TxnRequest__Input, callback: grpc.requestCallback<_etcdserverpb_TxnResponse>): grpc.ClientUnaryCall;
  
}

export interface KVHandlers extends grpc.UntypedServiceImplementation {
  Compact: grpc.handleUnaryCall<_etcdserverpb_CompactionRequest, _etcdserverpb_CompactionResponse__Input>;
  
  DeleteRange: grpc.handleUnaryCall<_etcdserverpb_DeleteRangeRequest, _etcdserverpb_DeleteRangeResponse__Input>;
  
  Put: grpc.handleUnaryCall<_etcdserverpb_PutRequest, _etcdserverpb_PutResponse__Input>;
  
  Range: grpc.handleUnaryCall<_etcdserverpb_RangeRequest, _etcdserverpb_RangeResponse__Input>;
  
  RangeStream: grpc.handleServerStreamingCall<_etcdserverpb_RangeRequest, _etcdserverpb_RangeStreamResponse__Input>;
  
  Txn: grpc.handleUnaryCall<_etcdserverpb_TxnRequest, _etcdserverpb_TxnResponse__Input>;
  
}

export interface KVDefinition extends grpc.ServiceDefinition {
  Compact: MethodDefinition<_etcdserverpb_CompactionRequest__Input, _etcdserverpb_CompactionResponse__Input, _etcdserverpb_CompactionRequest, _etcdserverpb_CompactionResponse>
  DeleteRange: MethodDefinition<_etcdserverpb_DeleteRangeRequest__Input, _etcdserverpb_DeleteRangeResponse__Input, _etcdserverpb_DeleteRangeRequest, _etcdserverpb_DeleteRangeResponse>
  Put: MethodDefinition<_etcdserverpb_PutRequest__Input, _etcdserverpb_PutResponse__Input, _etcdserverpb_PutRequest, _etcdserverpb_PutResponse>
  Range: MethodDefinition<_etcdserverpb_RangeRequest__Input, _etcdserverpb_RangeResponse__Input, _etcdserverpb_RangeRequest, _etcdserverpb_RangeResponse>
  RangeStream: MethodDefinition<_etcdserverpb_RangeRequest__Input, _etcdserverpb_RangeStreamResponse__Input, _etcdserverpb_RangeRequest, _etcdserverpb_RangeStreamResponse>
  Txn: MethodDefinition<_etcdserverpb_TxnRequest__Input, _etcdserverpb_TxnResponse__Input, _etcdserverpb_TxnRequest, _etcdserverpb_TxnResponse>
}
