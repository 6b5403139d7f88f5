// Original file: proto/holdfast/peer.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DescribeRequest__Input as _holdfast_v1_DescribeRequest__Input, DescribeRequest as _holdfast_v1_DescribeRequest } from '../../holdfast/v1/DescribeRequest.ts';
import type { DescribeResponse__Input as _holdfast_v1_DescribeResponse__Input, DescribeResponse as _holdfast_v1_DescribeResponse } from '../../holdfast/v1/DescribeResponse.ts';
import type { FetchSnapshotRequest__Input as _holdfast_v1_FetchSnapshotRequest__Input, FetchSnapshotRequest as _holdfast_v1_FetchSnapshotRequest } from '../../holdfast/v1/FetchSnapshotRequest.ts';
import type { PeerBatch__Input as _holdfast_v1_PeerBatch__Input, PeerBatch as _holdfast_v1_PeerBatch } from '../../holdfast/v1/PeerBatch.ts';
import type { SnapshotChunk__Input as _holdfast_v1_SnapshotChunk__Input, SnapshotChunk as _holdfast_v1_SnapshotChunk } from '../../holdfast/v1/SnapshotChunk.ts';

export interface PeerClient extends grpc.Client {
  Describe(argument: _holdfast_v1_DescribeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_DescribeResponse>): grpc.ClientUnaryCall;
  Describe(argument: _holdfast_v1_DescribeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_DescribeResponse>): grpc.ClientUnaryCall;
  Describe(argument: _holdfast_v1_DescribeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_DescribeResponse>): grpc.ClientUnaryCall;
  Describe(argument: _holdfast_v1_DescribeRequest__Input, callback: grpc.requestCallback<_holdfast_v1_DescribeResponse>): grpc.ClientUnaryCall;
  describe(argument: _holdfast_v1_DescribeRequest__Input, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_DescribeResponse>): grpc.ClientUnaryCall;
  describe(argument: _holdfast_v1_DescribeRequest__Input, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_DescribeResponse>): grpc.ClientUnaryCall;
  describe(argument: _holdfast_v1_DescribeRequest__Input, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_DescribeResponse>): grpc.ClientUnaryCall;
  describe(argument: _holdfast_v1_DescribeRequest__Input, callback: grpc.requestCallback<_holdfast_v1_DescribeResponse>): grpc.ClientUnaryCall;
  
  Exchange(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_PeerBatch__Input, _holdfast_v1_PeerBatch>;
  Exchange(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_PeerBatch__Input, _holdfast_v1_PeerBatch>;
  exchange(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_PeerBatch__Input, _holdfast_v1_PeerBatch>;
  exchange(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_PeerBatch__Input, _holdfast_v1_PeerBatch>;
  
  FetchSnapshot(argument: _holdfast_v1_FetchSnapshotRequest__Input, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_SnapshotChunk>;
  FetchSnapshot(argument: _holdfast_v1_FetchSnapshotRequest__Input, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_SnapshotChunk>;
  fetchSnapshot(argument: _holdfast_v1_FetchSnapshotRequest__Input, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_SnapshotChunk>;
  fetchSnapshot(argument: _holdfast_v1_FetchSnapshotRequest__Input, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_SnapshotChunk>;
  
}

export interface PeerHandlers extends grpc.UntypedServiceImplementation {
  Describe: grpc.handleUnaryCall<_holdfast_v1_DescribeRequest, _holdfast_v1_DescribeResponse__Input>;
  
  Exchange: grpc.handleBidiStreamingCall<_holdfast_v1_PeerBatch, _holdfast_v1_PeerBatch__Input>;
  
  FetchSnapshot: grpc.handleServerStreamingCall<_holdfast_v1_FetchSnapshotRequest, _holdfast_v1_SnapshotChunk__Input>;
  
}

export interface PeerDefinition extends grpc.ServiceDefinition {
  Describe: MethodDefinition<_holdfast_v1_DescribeRequest__Input, _holdfast_v1_DescribeResponse__Input, _holdfast_v1_DescribeRequest, _holdfast_v1_DescribeResponse>
  Exchange: MethodDefinition<_holdfast_v1_PeerBatch__Input, _holdfast_v1_PeerBatch__Input, _holdfast_v1_PeerBatch, _holdfast_v1_PeerBatch>
  FetchSnapshot: MethodDefinition<_holdfast_v1_FetchSnapshotRequest__Input, _holdfast_v1_SnapshotChunk__Input, _holdfast_v1_FetchSnapshotRequest, _holdfast_v1_SnapshotChunk>
}
