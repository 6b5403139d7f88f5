/**
 * The operations of `etcdserverpb.KV`, whichever way they come: as calls of their own (`kv.ts`) or
 * in batches (`pipeline.ts`). Checks the request, has the member do it, makes the response.
 */
import type { OnceOperation, OperationResult, RangeResult } from '../kv/index.ts';
import type { RangeOptions } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import {
  fromKeyValue,
  fromRange,
  fromTxn,
  toDeleteRange,
  toPut,
  toRange,
  toTxn,
} from './convert.ts';
import type { CommandAnswer } from './once.ts';
import { headerOf, type ServiceContext } from './service.ts';
import {
  checkDeleteRangeBytes,
  checkDeleteRangeRequest,
  checkPutBytes,
  checkPutRequest,
  checkRangeRequest,
  checkTxnBytes,
  checkTxnRequest,
} from './validate.ts';

/** Has the member do something under the name that the request has, if it has one. */
export type Proposer = (operation: OnceOperation) => Promise<CommandAnswer>;

/** @throws {KvError} what its check throws, and the member. */
export async function carryOutRange(
  context: ServiceContext,
  request: wire.RangeRequest,
  options: RangeOptions,
): Promise<wire.RangeResponse> {
  checkRangeRequest(request);
  const { result, revision } = await context.member.range(toRange(request), {
    isSerializable: request.serializable,
    ...options,
  });
  const response = fromRange(result, headerOf(context, revision));
  return request.remaining_ttl ? withRemainingTtl(context, result, response) : response;
}

/** @throws {KvError} what its check throws, and the member. */
export async function carryOutPut(
  context: ServiceContext,
  request: wire.PutRequest,
  propose: Proposer,
): Promise<wire.PutResponse> {
  checkPutRequest(request);
  checkPutBytes(request, context.requestBytesMax);
  const { result, revision } = appliedOf<'put'>(await propose(toPut(request)));
  const header = headerOf(context, revision);
  return result.prevKv === undefined
    ? { header }
    : { header, prev_kv: fromKeyValue(result.prevKv) };
}

/** @throws {KvError} what its check throws, and the member. */
export async function carryOutDeleteRange(
  context: ServiceContext,
  request: wire.DeleteRangeRequest,
  propose: Proposer,
): Promise<wire.DeleteRangeResponse> {
  checkDeleteRangeRequest(request);
  checkDeleteRangeBytes(request, context.requestBytesMax);
  const { result, revision } = appliedOf<'deleteRange'>(await propose(toDeleteRange(request)));
  return {
    header: headerOf(context, revision),
    deleted: result.deleted,
    prev_kvs: result.prevKvs.map(fromKeyValue),
  };
}

/** @throws {KvError} what its check throws, and the member. */
export async function carryOutTxn(
  context: ServiceContext,
  request: wire.TxnRequest,
  propose: Proposer,
): Promise<wire.TxnResponse> {
  checkTxnRequest(request, context);
  checkTxnBytes(request, context.requestBytesMax);
  const { result, revision } = appliedOf<'txn'>(await propose(toTxn(request)));
  return fromTxn(result, headerOf(context, revision), revision);
}

/** A result of the expected type. */
interface Applied<T extends string> {
  readonly revision: number;
  readonly result: Extract<OperationResult, { readonly type: T }>;
}

function appliedOf<T extends string>(answer: CommandAnswer): Applied<T> {
  return { revision: answer.revision, result: answer.result as Applied<T>['result'] };
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
