/** Facade of the protobuf contracts: the services, loaded, and the types of their messages. */
export { readWatchRequest, txnRequestReader, watchPartsMax } from './bounded-requests.ts';
export {
  type CompareMessage,
  encodeKvMessage,
  type KeyValueAnswer,
  type KvAnswer,
  type KvMessage,
  type RangeAnswer,
  type RangeMessage,
  readDeleteRangeAnswer,
  readPutAnswer,
  readRangeAnswer,
  readTxnAnswer,
} from './kv-client-codec.ts';
export { readPutRequest, readRangeRequest } from './kv-server-codec.ts';
export {
  AnswerBatchWriter,
  type PipelineAnswer,
  type PipelineResponse,
  type ReceivedAnswers,
} from './pipeline-answers.ts';
export {
  OperationBatchWriter,
  type PipelineMessage,
  type PipelineRequest,
  type ReceivedBatch,
  type ReceivedOperation,
} from './pipeline-operations.ts';
export { messageFromJson, messageToJson } from './json.ts';
export { operateMethod, pipelineService } from './pipeline-service.ts';
export { ProtoReader, ProtoWriter } from './protobuf.ts';
export { services } from './services.ts';
export type * from './types.ts';
export * from './watch-client-codec.ts';
