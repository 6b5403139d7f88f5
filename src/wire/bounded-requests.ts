/**
 * Requests that are lists of parts, decoded only if they have not too many: the general codec makes
 * objects of each part, so two mebibytes of empty ones would take seconds, and hundreds of
 * mebibytes. Parts are counted first, which makes none.
 *
 * In the place of a request with more than that comes one that is too long for every check behind
 * it, so its caller is told so in the words of that check.
 */
import type { RequestOp } from './generated/etcdserverpb/RequestOp.ts';
import type { TxnRequest } from './generated/etcdserverpb/TxnRequest.ts';
import type { WatchCreateRequest } from './generated/etcdserverpb/WatchCreateRequest.ts';
import type { WatchRequest } from './generated/etcdserverpb/WatchRequest.ts';
import { ProtoReader } from './protobuf.ts';
import { services } from './services.ts';

/** Limit: keys and ranges of one watch, and filters. */
export const watchPartsMax = 1000;
/** Levels that are looked into; the general codec reads no more than 50. */
const levelsMax = 64;

/** Reads `TxnRequest`s of at most so many conditions and operations, on all levels together. */
export function txnRequestReader(partsMax: number): (bytes: Buffer) => TxnRequest {
  const { Txn } = services['etcdserverpb.KV'];
  const tooMany: readonly RequestOp[] = Array.from({ length: partsMax + 1 }, () => ({}));
  return (bytes) =>
    txnPartsLeft(new ProtoReader(bytes), partsMax, levelsMax) < 0
      ? { compare: [], success: [...tooMany], failure: [] }
      : Txn.requestDeserialize(bytes);
}

/** Reads a `WatchRequest` of at most {@link watchPartsMax} keys, ranges and filters. */
export function readWatchRequest(bytes: Buffer): WatchRequest {
  const { Watch } = services['etcdserverpb.Watch'];
  return watchPartsLeft(new ProtoReader(bytes), watchPartsMax) < 0
    ? { create_request: tooManyRanges(), request_union: 'create_request' }
    : Watch.requestDeserialize(bytes);
}

function tooManyRanges(): WatchCreateRequest {
  const none = Buffer.alloc(0);
  return {
    key: none,
    range_end: none,
    start_revision: '0',
    progress_notify: false,
    filters: [],
    prev_kv: false,
    watch_id: '0',
    fragment: false,
    ranges: Array.from({ length: watchPartsMax + 1 }, () => ({ key: none, range_end: none })),
    keys_only: false,
  };
}

/** How many of so many parts a transaction leaves; below 0: it has more. */
function txnPartsLeft(reader: ProtoReader, parts: number, levels: number): number {
  let left = levels > 0 ? parts : -1;
  for (let field = reader.next(); field !== 0 && left >= 0; field = reader.next()) {
    switch (field) {
      case 1:
        reader.skip();
        left--;
        break;
      case 2:
      case 3:
        left = operationPartsLeft(reader.message(), left - 1, levels);
        break;
      default:
        reader.skip();
    }
  }
  return left;
}

function operationPartsLeft(reader: ProtoReader, parts: number, levels: number): number {
  let left = parts;
  for (let field = reader.next(); field !== 0 && left >= 0; field = reader.next()) {
    if (field === 4) {
      left = txnPartsLeft(reader.message(), left, levels - 1);
    } else {
      reader.skip();
    }
  }
  return left;
}

function watchPartsLeft(reader: ProtoReader, parts: number): number {
  let left = parts;
  for (let field = reader.next(); field !== 0 && left >= 0; field = reader.next()) {
    if (field === 1) {
      left = createPartsLeft(reader.message(), left);
    } else {
      reader.skip();
    }
  }
  return left;
}

function createPartsLeft(reader: ProtoReader, parts: number): number {
  let left = parts;
  for (let field = reader.next(); field !== 0 && left >= 0; field = reader.next()) {
    const before = reader.remaining;
    reader.skip();
    switch (field) {
      case 5:
        // Packed, each of them has a byte at least.
        left -= before - reader.remaining;
        break;
      case 1000:
        left--;
        break;
    }
  }
  return left;
}
