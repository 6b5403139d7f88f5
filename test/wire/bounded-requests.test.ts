/** Requests of very many parts are not decoded, and are too long for whoever checks them. */
import { describe, expect, test } from 'vitest';
import {
  readWatchRequest,
  txnRequestReader,
  watchPartsMax,
} from '../../src/wire/bounded-requests.ts';
import { services } from '../../src/wire/index.ts';

const { Txn } = services['etcdserverpb.KV'];
const { Watch } = services['etcdserverpb.Watch'];
type TxnInput = Parameters<typeof Txn.requestSerialize>[0];
type WatchInput = Parameters<typeof Watch.requestSerialize>[0];

const key = Buffer.from('key');
const put = { request_put: { key, value: Buffer.from('value') } };

function times<Part>(count: number, part: Part): Part[] {
  return Array.from({ length: count }, () => part);
}

function deep(levels: number): TxnInput {
  return levels === 1 ? { success: [put] } : { failure: [{ request_txn: deep(levels - 1) }] };
}

describe('a transaction', () => {
  const read = txnRequestReader(10);

  test.each<[string, TxnInput]>([
    ['empty', {}],
    ['with as many parts as it may', { compare: times(5, { key }), success: times(5, put) }],
    ['within another', { success: [{ request_txn: { compare: [{ key }], failure: [put] } }] }],
  ])('that is %s is read as ever', (_, request) => {
    const bytes = Txn.requestSerialize(request);

    expect(read(bytes)).toEqual(Txn.requestDeserialize(bytes));
  });

  test.each<[string, TxnInput]>([
    ['conditions', { compare: times(11, {}) }],
    ['operations', { success: times(6, {}), failure: times(5, {}) }],
    ['parts below', { success: [{ request_txn: { success: times(10, put) } }] }],
  ])('with too many %s is one that is too long', (_, request) => {
    expect(read(Txn.requestSerialize(request)).success).toHaveLength(11);
  });

  test('of too many levels is one that is too long, however deep it goes on', () => {
    let bytes = Txn.requestSerialize(deep(40));
    const reader = txnRequestReader(1000);
    expect(reader(bytes).failure).toHaveLength(1);
    for (let level = 40; level < 5000; level++) {
      bytes = within(0x12, within(0x22, bytes));
    }

    expect(reader(bytes).success).toHaveLength(1001);
  });

  test('that is malformed is an error', () => {
    const bytes = Txn.requestSerialize(deep(3));

    expect(() => read(bytes.subarray(0, bytes.length - 1))).toThrow();
  });
});

describe('a request of watches', () => {
  test.each<[string, WatchInput]>([
    ['a progress request', { progress_request: {} }],
    ['a cancellation', { cancel_request: { watch_id: '7' } }],
    [
      'a watch',
      {
        create_request: {
          ...{ key, filters: ['NOPUT', 'NODELETE'], watch_id: '-1' },
          ranges: times(watchPartsMax - 3, { key, range_end: key }),
        },
      },
    ],
  ])('that is %s is read as ever', (_, request) => {
    const bytes = Watch.requestSerialize(request);

    expect(readWatchRequest(bytes)).toEqual(Watch.requestDeserialize(bytes));
  });

  test.each<[string, WatchInput]>([
    ['ranges', { create_request: { ranges: times(watchPartsMax + 1, {}) } }],
    ['filters', { create_request: { filters: times(watchPartsMax + 1, 'NOPUT') } }],
  ])('with too many %s is one with too many ranges', (_, request) => {
    const read = readWatchRequest(Watch.requestSerialize(request));

    expect(read.create_request?.ranges).toHaveLength(watchPartsMax + 1);
  });
});

/** `bytes` as a message within a message. */
function within(tag: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 0x7f; rest >>>= 7) {
    length.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.of(tag, ...length, rest), bytes]);
}
