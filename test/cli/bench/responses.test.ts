import { describe, expect, test } from 'vitest';
import { readRenewedTtl, readWatchAnswer } from '../../../src/cli/bench/responses.ts';
import { services } from '../../../src/wire/index.ts';

const { Watch } = services['etcdserverpb.Watch'];
const { LeaseKeepAlive } = services['etcdserverpb.Lease'];
const header = {
  cluster_id: '14841639068965178418',
  member_id: '10276657743932975437',
  revision: Number.MAX_SAFE_INTEGER,
  raft_term: 300,
};

function eventOf(value: Buffer) {
  const kv = { key: Buffer.from('key'), create_revision: 1, mod_revision: 9_999_999, version: 3 };
  return { type: 'PUT', kv: { ...kv, value, lease: '-1' }, prev_kv: { ...kv, value } } as const;
}

function tagged(tag: number, length = 4): Buffer {
  const value = Buffer.alloc(length, 0x11);
  value.writeUInt32BE(tag, 0);
  return value;
}

describe('answers', () => {
  test('of a watch are told apart', () => {
    const created = Watch.responseSerialize({ header, watch_id: 12, created: true });
    const canceled = Watch.responseSerialize({
      ...{ header, watch_id: -1, created: true, canceled: true, compact_revision: 70_000 },
      cancel_reason: 'compacted',
    });

    expect(readWatchAnswer(created)).toEqual({
      ...{ isCreated: true, isCanceled: false, cancelReason: '', tags: [] },
    });
    expect(readWatchAnswer(canceled)).toEqual({
      ...{ isCreated: true, isCanceled: true, cancelReason: 'compacted', tags: [] },
    });
  });

  test('of a watch hold the tags of all values put, not of what was there before', () => {
    const tags = [1, 127, 128, 0xffff_ffff];
    const deleted = { type: 'DELETE', kv: { key: Buffer.from('key'), mod_revision: 5 } } as const;
    const events = [
      ...tags.map((tag, at) => eventOf(tagged(tag, 4 + at * 100))),
      deleted,
      eventOf(Buffer.from('abc')),
    ];
    // What was there before has a tag as well.
    const message = Watch.responseSerialize({ header, watch_id: 3, events });

    const answer = readWatchAnswer(message);

    expect(answer).toMatchObject({ isCreated: false, isCanceled: false });
    expect(answer.tags).toEqual(tags);
  });

  test('of a renewal hold the time to live, 0 when the lease is gone', () => {
    const messages = [3600, 1, 9_000_000_000, 0].map((TTL) =>
      LeaseKeepAlive.responseSerialize({ header, ID: '9223372036854775807', TTL }),
    );

    expect(messages.map(readRenewedTtl)).toEqual([3600, 1, 9_000_000_000, 0]);
  });

  test('that are cut off, or of an unknown kind, are refused', () => {
    expect(() => readRenewedTtl(Buffer.from([0x18, 0x80]))).toThrow(RangeError);
    expect(() => readRenewedTtl(Buffer.from([0x1b]))).toThrow('unknown kind 3');
  });
});
