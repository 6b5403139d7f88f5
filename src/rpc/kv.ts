/** `etcdserverpb.KV`: decode, check, call the member, encode. Every member serves all of it. */
import type { Metadata, ServerWritableStream } from '@grpc/grpc-js';
import { concatBytes, KvError } from '../base/index.ts';
import type { OnceOperation, OperationResult, RangeOperation, RangeResult } from '../kv/index.ts';
import type { CallOptions, RangeOptions } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import {
  fromKeyValue,
  fromRange,
  fromTxn,
  toDeleteRange,
  toBound,
  toPut,
  toRange,
  toTxn,
} from './convert.ts';
import { type CommandAnswer, type OnceCall, proposeOnce } from './once.ts';
import { headerOf, serverStreaming, type ServiceContext, unary, writePaced } from './service.ts';
import {
  checkDeleteRangeRequest,
  checkPutRequest,
  checkRangeRequest,
  checkTxnRequest,
} from './validate.ts';

/** Keys in one part of a streamed range. */
const streamPartKeys = 1000;

type RangeStreamCall = ServerWritableStream<wire.RangeRequest, wire.RangeStreamResponse>;

/** A result of the expected type. */
interface Applied<T extends string> {
  readonly revision: number;
  readonly result: Extract<OperationResult, { readonly type: T }>;
}

/** The handlers of the service. */
export function createKvService(context: ServiceContext): wire.KVHandlers {
  const { member } = context;

  const applyOnce = async <T extends OnceOperation['type']>(
    operation: OnceOperation & { readonly type: T },
    options: CallOptions,
    call: OnceCall,
  ): Promise<Applied<T>> => appliedOf<T>(await proposeOnce(context, call, { operation, options }));

  return {
    Range: unary(context, 'Range', async (request: wire.RangeRequest, options, call) => {
      checkRangeRequest(request);
      return readRange(context, request, { ...options, charge: chargeOf(context, call.metadata) });
    }),

    Put: unary(
      context,
      'Put',
      async (request: wire.PutRequest, options, call): Promise<wire.PutResponse> => {
        checkPutRequest(request);
        const { result, revision } = await applyOnce(toPut(request), options, call);
        const header = headerOf(context, revision);
        return result.prevKv === undefined
          ? { header }
          : { header, prev_kv: fromKeyValue(result.prevKv) };
      },
    ),

    DeleteRange: unary(
      context,
      'DeleteRange',
      async (
        request: wire.DeleteRangeRequest,
        options,
        call,
      ): Promise<wire.DeleteRangeResponse> => {
        checkDeleteRangeRequest(request);
        const { result, revision } = await applyOnce(toDeleteRange(request), options, call);
        return {
          header: headerOf(context, revision),
          deleted: result.deleted,
          prev_kvs: result.prevKvs.map(fromKeyValue),
        };
      },
    ),

    Txn: unary(context, 'Txn', async (request: wire.TxnRequest, options, call) => {
      checkTxnRequest(request, context);
      const { result, revision } = await applyOnce(toTxn(request), options, call);
      return fromTxn(result, headerOf(context, revision), revision);
    }),

    Compact: unary(
      context,
      'Compact',
      async (request: wire.CompactionRequest, options): Promise<wire.CompactionResponse> => {
        const revision = await compact(context, toBound(request.revision), options);
        if (request.physical) {
          await member.compactionDone(options);
        }
        return { header: headerOf(context, revision) };
      },
    ),

    RangeStream: serverStreaming(
      context,
      'RangeStream',
      async (call: RangeStreamCall, options): Promise<void> => streamRange(context, call, options),
    ),
  };
}

async function readRange(
  context: ServiceContext,
  request: wire.RangeRequest,
  options: RangeOptions,
): Promise<wire.RangeResponse> {
  const { result, revision } = await context.member.range(toRange(request), {
    ...options,
    isSerializable: request.serializable,
  });
  const response = fromRange(result, headerOf(context, revision));
  return request.remaining_ttl ? withRemainingTtl(context, result, response) : response;
}

/** Has an answer that grows long make room for itself, or end. */
function chargeOf({ admission }: ServiceContext, metadata: Metadata): RangeOptions['charge'] {
  const entry = admission.callOf(metadata);
  return (
    entry &&
    ((bytes): void => {
      entry.grow(bytes);
    })
  );
}

/** Has history up to `target` forgotten; returns the store's revision. */
async function compact(
  { member }: ServiceContext,
  target: number,
  options: CallOptions,
): Promise<number> {
  if (target < 0) {
    throw new KvError('COMPACTED');
  }
  const answer = await member.propose({ type: 'compact', revision: target }, options);
  if (answer.kind === 'refused') {
    throw new KvError(answer.code);
  }
  return answer.revision;
}

/** Adds to a range's response how much is left of the times of its keys. */
async function withRemainingTtl(
  { member }: ServiceContext,
  result: RangeResult,
  response: wire.RangeResponse,
): Promise<wire.RangeResponse> {
  const remaining = await member.leases.remainingTtls(result.kvs);
  const kvs = result.kvs.map((kv, at) =>
    kv.ttlMs === 0
      ? fromKeyValue(kv)
      : { ...fromKeyValue(kv), ttl_remaining_ms: remaining[at] ?? unknownTtl },
  );
  return { ...response, kvs };
}

/** Of a key that has changed since it was read. */
const unknownTtl = -1;

/** Sends a range in parts, all at one revision; one that must be sorted goes as one part. */
async function streamRange(
  context: ServiceContext,
  call: RangeStreamCall,
  bounds: CallOptions,
): Promise<void> {
  const { member } = context;
  const { request } = call;
  checkRangeRequest(request);
  const options = { ...bounds, isSerializable: request.serializable };
  const range = toRange(request);
  if (!canPage(range)) {
    const { result, revision } = await member.range(range, options);
    await writePaced(call, { range_response: fromRange(result, headerOf(context, revision)) });
    return;
  }
  const first = await member.range({ ...range, limit: partLimit(range, 0) }, options);
  const header = headerOf(context, first.revision);
  const revision = range.revision > 0 ? range.revision : first.revision;
  const { count } = first.result;
  let { result } = first;
  let sent = result.kvs.length;
  for (;;) {
    const last = result.kvs.at(-1);
    const isDone = !result.more || last === undefined || sent === range.limit;
    const response = fromRange({ ...result, more: isDone && result.more, count }, header);
    await writePaced(call, { range_response: response });
    if (isDone || call.cancelled) {
      return;
    }
    const key = concatBytes(last.key, new Uint8Array(1));
    const part = { ...range, key, revision, limit: partLimit(range, sent) };
    ({ result } = await member.range(part, { ...options, isSerializable: true }));
    sent += result.kvs.length;
  }
}

/** Whether parts in key order, one after the other, make up the answer. */
function canPage(range: RangeOperation): boolean {
  const isInKeyOrder =
    range.sortTarget === 'key' && (range.sortOrder === 'none' || range.sortOrder === 'ascend');
  const isFiltered =
    range.minModRevision !== 0 ||
    range.maxModRevision !== 0 ||
    range.minCreateRevision !== 0 ||
    range.maxCreateRevision !== 0;
  return range.rangeEnd !== undefined && isInKeyOrder && !isFiltered && !range.countOnly;
}

function partLimit(range: RangeOperation, sent: number): number {
  return range.limit <= 0 ? streamPartKeys : Math.min(streamPartKeys, range.limit - sent);
}

function appliedOf<T extends string>(answer: CommandAnswer): Applied<T> {
  return { revision: answer.revision, result: answer.result as Applied<T>['result'] };
}
