/** `holdfast.v1.Pipeline` as clients call it and servers have it: batches, both ways. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import { readAnswerBatch } from './pipeline-answers.ts';
import { readOperationBatch, type ReceivedBatch, type TxnReader } from './pipeline-operations.ts';

const same = (bytes: Buffer): Buffer => bytes;
const path = '/holdfast.v1.Pipeline/Operate';
const streams = { path, requestStream: true, responseStream: true } as const;

/** The method for clients: sends finished batches, gets answers read. */
export const operateMethod = {
  path,
  requestSerialize: same,
  responseDeserialize: readAnswerBatch,
};

/** The service for servers: gets operations read, sends finished batches. */
export interface PipelineDefinition extends ServiceDefinition {
  readonly Operate: typeof streams & {
    readonly requestSerialize: typeof same;
    readonly requestDeserialize: (bytes: Buffer) => ReceivedBatch;
    readonly responseSerialize: typeof same;
    readonly responseDeserialize: typeof same;
  };
}

/** The service, with its way to read transactions. */
export function pipelineService(readTxn: TxnReader): PipelineDefinition {
  return {
    Operate: {
      ...streams,
      requestSerialize: same,
      requestDeserialize: (bytes) => readOperationBatch(bytes, readTxn),
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
}
