/**
 * The operations of `etcdserverpb.KV`, whichever way they come: as calls of their own (`kv.ts`) or
 * in batches (`pipeline.ts`). Of a write: what its request asks of the member, checked, and the
 * response that the member's answer makes; how it is waited for is theirs.
 */
import type {
  DeleteRangeOperation,
  OperationResult,
  PutOperation,
  RangeResult,
  TxnOperation,
} from '../kv/index.ts';
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
  return rangeResponse(context, request, result, headerOf(context, revision));
}

/** The response to a range, with what else the request asks to be told. */
export async function rangeResponse(
  context: ServiceContext,
  request: wire.RangeRequest,
  result: RangeResult,
  header: wire.ResponseHeader,
): Promise<wire.RangeResponse> {
  const response = fromRange(result, header);
  return request.remaining_ttl ? withRemainingTtl(context, result, response) : response;
}

/**
 * What a request to put asks of the member.
 *
 * @throws {KvError} what its check throws.
 */
export function putOperation(context: ServiceContext, request: wire.PutRequest): PutOperation {
  checkPutRequest(request);
  checkPutBytes(request, context.requestBytesMax);
  return toPut(request);
}

/** The response to a put, from the member's answer. */
export function putResponse(context: ServiceContext, answer: CommandAnswer): wire.PutResponse {
  const { result, revision } = appliedOf<'put'>(answer);
  const header = headerOf(context, revision);
  return result.prevKv === undefined
    ? { header }
    : { header, prev_kv: fromKeyValue(result.prevKv) };
}

/**
 * What a request to delete asks of the member.
 *
 * @throws {KvError} what its check throws.
 */
export function deleteRangeOperation(
  context: ServiceContext,
  request: wire.DeleteRangeRequest,
): DeleteRangeOperation {
  checkDeleteRangeRequest(request);
  checkDeleteRangeBytes(request, context.requestBytesMax);
  return toDeleteRange(request);
}

/** The response to a deletion, from the member's answer. */
export function deleteRangeResponse(
  context: ServiceContext,
  answer: CommandAnswer,
): wire.DeleteRangeResponse {
  const { result, revision } = appliedOf<'deleteRange'>(answer);
  return {
    header: headerOf(context, revision),
    deleted: result.deleted,
    prev_kvs: result.prevKvs.map(fromKeyValue),
  };
}

/**
 * What a transaction asks of the member.
 *
 * @throws {KvError} what its check throws.
 */
export function txnOperation(context: ServiceContext, request: wire.TxnRequest): TxnOperation {
  checkTxnRequest(request, context);
  checkTxnBytes(request, context.requestBytesMax);
  return toTxn(request);
}

/** The response to a transaction, from the member's answer. */
export function txnResponse(context: ServiceContext, answer: CommandAnswer): wire.TxnResponse {
  const { result, revision } = appliedOf<'txn'>(answer);
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
