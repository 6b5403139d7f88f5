/** Keys and values, as calls to a member: what is asked for, and what comes of the answers. */
import { describe, expect, test } from 'vitest';
import { codecs, Holdfast, type HoldfastOptions } from '../../src/client/index.ts';
import type { KeyValueAnswer, KvMessage } from '../../src/wire/index.ts';
import { FakeMembers, virtualEnvironment } from './fake-members.ts';

function setUp(options: Partial<HoldfastOptions> = {}) {
  const members = new FakeMembers();
  const client = new Holdfast(
    { endpoints: '127.0.0.1:1', ...options },
    { transport: members, environment: virtualEnvironment() },
  );
  const asked = (): unknown[] => members.calls.map(({ request }) => textsOf(request as KvMessage));
  return { members, client, kv: client.kv, asked };
}

/** Bytes as texts, so that expectations can be read. */
function textsOf(message: KvMessage): unknown {
  const replace = (_: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'data' in value
      ? Buffer.from(value.data as number[]).toString('latin1')
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('latin1')
        : value;
  return JSON.parse(JSON.stringify(message, replace));
}

function stored(key: string, value: string, modRevision = 7): KeyValueAnswer {
  return {
    ...{ key: Buffer.from(key), value: Buffer.from(value), modRevision, createRevision: 5 },
    ...{ version: 2, lease: '0', ttlMs: 0 },
  };
}

function found(kvs: readonly KeyValueAnswer[], fields: Record<string, unknown> = {}) {
  return { type: 'range', revision: 9, kvs, more: false, count: kvs.length, ...fields };
}

describe('a put', () => {
  test('sends key and value, and tells its revision', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) => call.answer({ type: 'put', revision: 3, prevKv: undefined });

    expect(await kv.put('a', 'é', { ttlMs: 5, lease: 6n })).toEqual({ revision: 3 });
    await kv.put('a', '', { lease: { id: -1n } });

    expect(members.calls[0]?.path).toBe('/etcdserverpb.KV/Put');
    expect(asked()).toEqual([
      { type: 'put', put: { key: 'a', value: '\xc3\xa9', lease: '6', ttlMs: 5, prevKv: false } },
      { type: 'put', put: { key: 'a', value: '', lease: '-1', prevKv: false } },
    ]);
  });

  test('can tell what was there before', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) => call.answer({ type: 'put', revision: 3, prevKv: stored('a', 'x') });

    const { previous } = await kv.swap('a', 'b');

    expect(previous).toMatchObject({ key: 'a', value: 'x', modRevision: 7 });
    expect(asked()).toMatchObject([{ put: { prevKv: true } }]);
  });
});

test('bytes that are changed after a call are sent as they were at the call', async () => {
  const { members, kv, asked } = setUp();
  members.onCall = (call) => call.answer({ type: 'put', revision: 3, prevKv: undefined });
  const [key, value] = [Buffer.from('a'), Buffer.from('x')];

  const done = kv.as(codecs.bytes).put(key, value);
  key.fill('b');
  value.fill('y');
  await done;

  expect(asked()).toMatchObject([{ put: { key: 'a', value: 'x' } }]);
});

describe('a read', () => {
  test('of a key finds it or does not', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) =>
      call.answer(found(members.calls.length === 1 ? [stored('a', 'x')] : []));

    expect(await kv.get('a')).toEqual({
      ...{ key: 'a', keyBytes: Buffer.from('a'), value: 'x', createRevision: 5, modRevision: 7 },
      ...{ version: 2, lease: 0n, ttlMs: 0 },
    });
    expect(await kv.get('b')).toBeUndefined();
    expect(asked()[0]).toEqual({ type: 'range', range: { key: 'a', serializable: false } });
  });

  test('may be serializable, or of an older revision', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) => call.answer(found([]));

    await kv.get('a', { consistency: 'serializable' });
    await kv.get('a', { atRevision: 4 });

    expect(asked()).toMatchObject([
      { range: { serializable: true } },
      { range: { serializable: false, revision: 4 } },
    ]);
  });

  test('no older than a revision asks cheaply first, and again where that is too old', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) => call.answer(found([], { revision: members.calls.length * 10 }));

    await kv.get('a', { noOlderThan: 10 });
    expect(asked()).toMatchObject([{ range: { serializable: true } }]);
    await kv.get('a', { noOlderThan: 25 });
    expect(asked().slice(1)).toMatchObject([
      { range: { serializable: true } },
      { range: { serializable: false } },
    ]);
  });

  test('no older than a revision has one deadline for both its attempts', async () => {
    const members = new FakeMembers();
    const environment = virtualEnvironment();
    const { kv } = new Holdfast({ endpoints: '127.0.0.1:1' }, { transport: members, environment });
    members.onCall = (call) => {
      environment.loop.after(600, () => call.answer(found([])));
    };

    const reading = kv
      .get('a', { noOlderThan: 10, timeoutMs: 1000 })
      .catch((error: unknown) => error);

    expect(await environment.loop.settle(reading)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(environment.loop.nowMs()).toBeLessThanOrEqual(1001);
  });

  test('of a range has order and limit, and tells how many there are', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) => call.answer(found([stored('ab', 'x')], { more: true, count: 8 }));

    const result = await kv.getRange({ prefix: 'a' }, { limit: 1, order: 'descending' });

    expect(result).toMatchObject({ revision: 9, count: 8, entries: [{ key: 'ab', value: 'x' }] });
    expect(asked()).toMatchObject([
      {
        range: {
          ...{ key: 'a', rangeEnd: 'b', limit: 1, sortOrder: 'descend', sortTarget: 'key' },
        },
      },
    ]);
  });

  test('of a page counts nothing, and follows what the member says of more', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) => call.answer(found([stored('ab', 'x')], { more: true, count: 8 }));

    const page = await kv.page({ prefix: 'a' }, { limit: 1, atRevision: 5 });

    expect(page).toMatchObject({ revision: 9, hasMore: true, entries: [{ key: 'ab' }] });
    expect(asked()).toMatchObject([
      { range: { key: 'a', rangeEnd: 'b', limit: 1, revision: 5, noCount: true } },
    ]);
  });

  test('of a large range goes page by page at the revision of the first', async () => {
    const { members, kv, asked } = setUp();
    const pages = [
      found([stored('a1', 'x'), stored('a2', 'y')], { more: true, revision: 9 }),
      found([stored('a3', 'z')], { revision: 12 }),
    ];
    members.onCall = (call) => call.answer(pages.shift());

    const keys: string[] = [];
    for await (const { key } of kv.scan({ prefix: 'a' }, { pageEntries: 2 })) {
      keys.push(key);
    }

    expect(keys).toEqual(['a1', 'a2', 'a3']);
    expect(asked()).toMatchObject([
      { range: { key: 'a', rangeEnd: 'b', limit: 2, noCount: true } },
      { range: { key: 'a2\0', rangeEnd: 'b', limit: 2, revision: 9, noCount: true } },
    ]);
  });

  test('of a large range that may be old goes on at a member behind', async () => {
    const { members, kv, asked } = setUp();
    const pages = [found([stored('a1', 'x')], { more: true }), found([stored('a2', 'y')])];
    members.onCall = (call) =>
      members.calls.length === 2
        ? call.fail({
            status: 'OUT_OF_RANGE',
            message: 'etcdserver: mvcc: required revision is a future revision',
          })
        : call.answer(pages.shift());

    const keys: string[] = [];
    for await (const { key } of kv.scan({ prefix: 'a' }, { consistency: 'serializable' })) {
      keys.push(key);
    }

    expect(keys).toEqual(['a1', 'a2']);
    expect(asked()).toMatchObject([
      { range: { serializable: true } },
      { range: { serializable: true, revision: 9 } },
      { range: { serializable: false, revision: 9 } },
    ]);
  });

  test('can count only', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) => call.answer(found([], { count: 5 }));

    expect(await kv.count({ prefix: 'a' })).toBe(5);
    expect(asked()).toMatchObject([{ range: { countOnly: true } }]);
  });

  test('of a value that the codec does not know is an error that names the key', async () => {
    const { members, kv } = setUp();
    members.onCall = (call) => call.answer(found([stored('a', '{')]));

    await expect(kv.as(codecs.json()).get('a')).rejects.toMatchObject({
      code: 'BAD_VALUE',
      message: 'the value of key "a" (1 bytes) cannot be decoded',
    });
  });
});

describe('a deletion', () => {
  test('tells what it has deleted', async () => {
    const { members, kv, asked } = setUp();
    members.onCall = (call) =>
      call.answer({ type: 'deleteRange', revision: 4, deleted: 1, prevKvs: [stored('a', 'x')] });

    expect(await kv.delete('a')).toMatchObject({
      ...{ revision: 4, deleted: 1, previous: [{ value: 'x' }] },
    });
    await kv.deleteRange({ from: 'a', to: 'c' });

    expect(asked()).toEqual([
      { type: 'deleteRange', deleteRange: { key: 'a', prevKv: true } },
      { type: 'deleteRange', deleteRange: { key: 'a', rangeEnd: 'c', prevKv: true } },
    ]);
  });
});

describe('a write whose answer has a value that the codec does not know', () => {
  const done = { code: 'BAD_VALUE', outcome: 'unknown' };

  test('has been done all the same, and its error says so', async () => {
    const { members, kv } = setUp();
    const json = kv.as(codecs.json());
    const prevKv = stored('a', '{');
    const answers = [
      { type: 'put', revision: 4, prevKv },
      { type: 'deleteRange', revision: 4, deleted: 1, prevKvs: [prevKv] },
      { type: 'txn', revision: 4, succeeded: true, responses: [found([prevKv])] },
    ];
    members.onCall = (call) => call.answer(answers.shift());

    await expect(json.swap('a', 1)).rejects.toMatchObject({
      ...done,
      message:
        'swap has been done (revision 4), but the value of key "a" (1 bytes) cannot be decoded',
    });
    await expect(json.delete('a')).rejects.toMatchObject(done);
    await expect(json.txn({ then: [json.ops.get('a')] })).rejects.toMatchObject(done);
  });

  test('is no matter for an optimistic transaction, which does not show it', async () => {
    const { members, kv } = setUp();
    const json = kv.as(codecs.json());
    const removed = { type: 'deleteRange', revision: 4, deleted: 1, prevKvs: [stored('a', '{')] };
    members.onCall = (call) =>
      call.answer({ type: 'txn', revision: 4, succeeded: true, responses: [removed] });

    const result = json.transact(async (tx) => {
      tx.delete('a');
      return Promise.resolve('committed');
    });

    expect(await result).toBe('committed');
  });
});

test('a namespace is put before keys and taken off again', async () => {
  const { members, kv, asked } = setUp({ namespace: 'app/' });
  members.onCall = (call) => call.answer(found([stored('app/users/ann', 'x')]));

  const { entries } = await kv.namespace('users/').getRange({ prefix: '' });

  expect(entries).toMatchObject([{ key: 'ann' }]);
  expect(asked()).toMatchObject([{ range: { key: 'app/users/', rangeEnd: 'app/users0' } }]);
});

describe('a misspelt range', () => {
  test('is refused by everything that takes one, before anything is asked', async () => {
    const { kv, asked } = setUp();
    const range = { prefx: 'zz' } as unknown as { prefix: string };
    const refusal = { code: 'INVALID_ARGUMENT', outcome: 'rejected' };

    await expect(kv.deleteRange(range)).rejects.toMatchObject(refusal);
    await expect(kv.getRange(range)).rejects.toMatchObject(refusal);
    await expect(kv.count(range)).rejects.toMatchObject(refusal);
    await expect(kv.scan(range).next()).rejects.toMatchObject(refusal);
    await expect(kv.cache(range)).rejects.toMatchObject(refusal);
    expect(() => kv.watch(range)).toThrow('unknown field "prefx"');
    expect(() => kv.changeFeed('feed', range)).toThrow('unknown field "prefx"');
    expect(() => kv.reconciler(range, { reconcile: () => undefined })).toThrow('"prefx"');
    expect(() => kv.ops.deleteRange(range)).toThrow('unknown field "prefx"');
    expect(asked()).toEqual([]);
  });
});

describe('what cannot be meant', () => {
  test.each<readonly [object, string]>([
    [{ lease: 'abc' }, 'put: lease is a string: give a lease, or its id as a bigint'],
    [{ idempotencyKey: 5 }, 'put: idempotencyKey is 5: give 1 to 128 characters of Latin-1'],
    [{ ttlMs: 'abc' }, 'put: ttlMs is a string: give 0 or more, a whole number'],
    [{ timeoutMs: 'x' }, 'put: timeoutMs is a string: give milliseconds'],
    [{ signal: {} }, 'put: signal is an object: give an AbortSignal'],
    [{ tll: 5 }, 'put: unknown field "tll"; known: lease, ttlMs, idempotencyKey, timeoutMs'],
  ])('in the options of a put is refused: %j', async (options, text) => {
    const { kv, asked } = setUp();
    const refusal = { code: 'INVALID_ARGUMENT', outcome: 'rejected' };

    const error = await kv.put('a', 'b', options).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ ...refusal, message: expect.stringContaining(text) as string });
    expect(asked()).toEqual([]);
  });

  test.each([
    { consistency: 'weak' },
    { order: 'up' },
    { limit: -1 },
    { atRevision: 'x' },
    { unknown: 1 },
  ])('in the options of a read is refused: %j', async (options) => {
    const { kv } = setUp();

    await expect(kv.getRange({ prefix: '' }, options as object)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  test.each([5, undefined, null, [1, 2]])('as a value is refused: %j', async (value) => {
    const { kv } = setUp();
    const bad = value as unknown as string;

    await expect(kv.put('a', bad)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(kv.as(codecs.bytes).put('a', bad as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
