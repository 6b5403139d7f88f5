/**
 * Operations on keys and the two ways they may take: calls of their own, which every etcd v3 member
 * answers, or batches on a stream (`pipeline.ts`), which Holdfast's do.
 */
import {
  encodeKvMessage,
  type KvAnswer,
  type KvMessage,
  ProtoReader,
  readDeleteRangeAnswer,
  readPutAnswer,
  readRangeAnswer,
  readTxnAnswer,
} from '../wire/index.ts';
import type { Purpose } from './attempts.ts';
import type { Caller, CallOptions } from './caller.ts';
import type { Method } from './ports.ts';

/** An operation, and what a repetition of it would do. */
export interface Operation<Type extends KvMessage['type'] = KvMessage['type']> {
  readonly message: Extract<KvMessage, { readonly type: Type }>;
  readonly purpose: Purpose;
  /** The request's name; members without sessions pass over it. */
  readonly idempotencyKey?: string | undefined;
}

/** What an operation is answered with. */
export type AnswerTo<Type extends KvMessage['type']> = Extract<KvAnswer, { readonly type: Type }>;

/** Carries out operations. */
export interface Operations {
  /** @throws {HoldfastError} it has not been answered. */
  run<Type extends KvMessage['type']>(
    operation: Operation<Type>,
    options: CallOptions,
  ): Promise<AnswerTo<Type>>;
}

/** Reads an answer's fields, by the operation's type. */
const answerReaders: {
  readonly [Type in KvMessage['type']]: (reader: ProtoReader) => AnswerTo<Type>;
} = {
  put: readPutAnswer,
  range: readRangeAnswer,
  deleteRange: readDeleteRangeAnswer,
  txn: readTxnAnswer,
};

const paths = { put: 'Put', range: 'Range', deleteRange: 'DeleteRange', txn: 'Txn' } as const;

const methods = Object.fromEntries(
  Object.entries(paths).map(([type, name]) => [type, methodOf(type as KvMessage['type'], name)]),
) as { readonly [Type in KvMessage['type']]: Method<KvMessage, AnswerTo<Type>> };

function methodOf(type: KvMessage['type'], name: string): Method<KvMessage, KvAnswer> {
  return {
    path: `/etcdserverpb.KV/${name}`,
    requestSerialize: encodeKvMessage,
    responseDeserialize: (bytes) => answerReaders[type](new ProtoReader(bytes)),
  };
}

/** Each operation as a call of its own. */
export function unaryOperations(caller: Caller): Operations {
  return {
    run: async ({ message, purpose, idempotencyKey }, options) =>
      caller.call({
        what: message.type,
        method: methods[message.type],
        request: message,
        purpose,
        // A follower would pass it on, which costs a trip more.
        metadata: idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey },
        route: isStale(message) ? 'any' : 'leader',
        ...options,
      }),
  };
}

/** Whether any member may answer from what it has. */
function isStale(message: KvMessage): boolean {
  return message.type === 'range' && message.range.serializable === true;
}
