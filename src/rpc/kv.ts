/** `etcdserverpb.KV`: decode, check, call the member, encode. Every member serves all of it. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { concatBytes, KvError } from '../base/index.ts';
import type { RangeOperation } from '../kv/index.ts';
import type { CallOptions } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import { afterEffect } from './after-effects.ts';
import { toBound, toRange } from './convert.ts';
import {
  carryOutRange,
  deleteRangeOperation,
  deleteRangeResponse,
  putOperation,
  putResponse,
  rangeResponse,
  txnOperation,
  txnResponse,
} from './kv-operations.ts';
import { bulkAnswerBytes } from './limits.ts';
import { proposeOnce } from './once.ts';
import {
  chargeOf,
  headerOf,
  serverStreaming,
  type ServiceContext,
  unary,
  writePaced,
} from './service.ts';
import { checkRangeRequest } from './validate.ts';

/** Limit: keys in one part of a streamed range, and bytes, beyond which one more key may go. */
const streamPartKeys = 1000;
const streamPartBytes = bulkAnswerBytes;

type RangeStreamCall = ServerWritableStream<wire.RangeRequest, wire.RangeStreamResponse>;

/** The handlers of the service. */
export function createKvService(context: ServiceContext): wire.KVHandlers {
  const { member } = context;

  return {
    Range: unary(context, 'Range', async (request: wire.RangeRequest, options, call) =>
      carryOutRange(context, request, { charge: chargeOf(context, call), ...options }),
    ),

    Put: unary(context, 'Put', async (request: wire.PutRequest, options, call) => {
      const operation = putOperation(context, request);
      return putResponse(context, await proposeOnce(context, call, { operation, options }));
    }),

    DeleteRange: unary(
      context,
      'DeleteRange',
      async (request: wire.DeleteRangeRequest, options, call) => {
        const operation = deleteRangeOperation(context, request);
        const answer = await proposeOnce(context, call, { operation, options });
        return deleteRangeResponse(context, answer);
      },
    ),

    Txn: unary(context, 'Txn', async (request: wire.TxnRequest, options, call) => {
      const operation = txnOperation(context, request);
      return txnResponse(context, await proposeOnce(context, call, { operation, options }));
    }),

    Compact: unary(
      context,
      'Compact',
      async (request: wire.CompactionRequest, options): Promise<wire.CompactionResponse> => {
        const revision = await compact(context, toBound(request.revision), options);
        if (request.physical) {
          await member.compactionDone(options).catch((error: unknown) => {
            throw afterEffect(error);
          });
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

/** Sends a range in parts, all at one revision; one that must be sorted goes as one part. */
async function streamRange(
  context: ServiceContext,
  call: RangeStreamCall,
  bounds: CallOptions,
): Promise<void> {
  const { member } = context;
  const { request } = call;
  checkRangeRequest(request);
  const charge = chargeOf(context, call);
  const options = { ...bounds, charge, isSerializable: request.serializable };
  const range = toRange(request);
  if (!canPage(range)) {
    const { result, revision } = await member.range(range, options);
    const response = await rangeResponse(context, request, result, headerOf(context, revision));
    await writePaced(call, { range_response: response });
    return;
  }
  const paged = { ...options, bytesMax: streamPartBytes };
  const first = await member.range({ ...range, limit: partLimit(range, 0) }, paged);
  const header = headerOf(context, first.revision);
  const revision = range.revision > 0 ? range.revision : first.revision;
  const { count } = first.result;
  let { result } = first;
  let sent = result.kvs.length;
  for (;;) {
    const last = result.kvs.at(-1);
    const isDone = !result.more || last === undefined || sent === range.limit;
    const told = { ...result, more: isDone && result.more, count };
    const response = await rangeResponse(context, request, told, header);
    await writePaced(call, { range_response: response });
    if (isDone || call.cancelled) {
      return;
    }
    const key = concatBytes(last.key, new Uint8Array(1));
    // The first part has told how many keys there are.
    const part = { ...range, key, revision, limit: partLimit(range, sent), noCount: true };
    ({ result } = await member.range(part, { ...paged, isSerializable: true }));
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
