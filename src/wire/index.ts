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
  operateMethod,
  OperationBatchWriter,
  type PipelineAnswer,
  type PipelineMessage,
  type PipelineRequest,
  type PipelineResponse,
  pipelineService,
  type ReceivedAnswers,
  type ReceivedBatch,
  type ReceivedOperation,
} from './pipeline-codec.ts';
export { ProtoReader, ProtoWriter } from './protobuf.ts';
export { services } from './services.ts';
export type * from './types.ts';
export {
  type WatchAnswer,
  type WatchCreateMessage,
  type WatchEventAnswer,
  type WatchMessage,
  watchMethod,
} from './watch-client-codec.ts';
