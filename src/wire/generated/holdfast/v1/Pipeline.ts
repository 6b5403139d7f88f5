// Original file: proto/holdfast/pipeline.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AnswerBatch__Input as _holdfast_v1_AnswerBatch__Input, AnswerBatch as _holdfast_v1_AnswerBatch } from '../../holdfast/v1/AnswerBatch.ts';
import type { OperationBatch__Input as _holdfast_v1_OperationBatch__Input, OperationBatch as _holdfast_v1_OperationBatch } from '../../holdfast/v1/OperationBatch.ts';

export interface PipelineClient extends grpc.Client {
  Operate(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_OperationBatch__Input, _holdfast_v1_AnswerBatch>;
  Operate(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_OperationBatch__Input, _holdfast_v1_AnswerBatch>;
  operate(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_OperationBatch__Input, _holdfast_v1_AnswerBatch>;
  operate(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_v1_OperationBatch__Input, _holdfast_v1_AnswerBatch>;
  
}

export interface PipelineHandlers extends grpc.UntypedServiceImplementation {
  Operate: grpc.handleBidiStreamingCall<_holdfast_v1_OperationBatch, _holdfast_v1_AnswerBatch__Input>;
  
}

export interface PipelineDefinition extends grpc.ServiceDefinition {
  Operate: MethodDefinition<_holdfast_v1_OperationBatch__Input, _holdfast_v1_AnswerBatch__Input, _holdfast_v1_OperationBatch, _holdfast_v1_AnswerBatch>
}
