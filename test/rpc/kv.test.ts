/** The KV service over real gRPC: what it asks the member, and what it answers. */
import { type ClientUnaryCall, Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CommandResult, KeyValue, RangeOperation } from '../../src/kv/index.ts';
import type { RangeAnswer } from '../../src/replica/index.ts';
import { type ErrorCode, KvError } from '../../src/base/index.ts';
import type { RangeRequest__Input } from '../../src/wire/generated/etcdserverpb/RangeRequest.ts';
import type { RangeStreamResponse } from '../../src/wire/generated/etcdserverpb/RangeStreamResponse.ts';
import { farLimits } from './admitting.ts';
import { FakeMember } from './fake-member.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

const key = Buffer.from('key');
const mebibyte = 1024 * 1024;
const header = {
  cluster_id: '9007199254740991',
  member_id: '1001',
  revision: '8',
  raft_term: '3',
};

let member: FakeMember;
let serving: Serving;

beforeEach(async () => {
  member = new FakeMember();
  serving = await serve(member);
});

afterEach(async () => {
  await serving.close();
});

function stored(name: string, modRevision = 8): KeyValue {
  return {
    key: Buffer.from(name),
    value: Buffer.from(`value of ${name}`),
    createRevision: 2,
    modRevision,
    version: 1,
    lease: 0n,
    ttlMs: 0,
  };
}

function applies(result: Extract<CommandResult, { kind: 'ok' }>['result']): void {
  member.onPropose = async () => Promise.resolve({ kind: 'ok', revision: 8, result });
}

function refuses(code: ErrorCode): void {
  member.onPropose = async () => Promise.resolve({ kind: 'refused', revision: 8, code });
}

describe('Range', () => {
  test('tells what is left of the times of its keys when it is asked to', async () => {
    const kvs = [stored('a'), { ...stored('b'), ttlMs: 5000 }, { ...stored('c'), ttlMs: 5000 }];
    const result = { type: 'range', kvs, more: false, count: 3 } as const;
    member.onRange = async () => Promise.resolve({ revision: 8, result });
    member.onRemainingTtls = async () => Promise.resolve([undefined, 1234, undefined]);

    const ask = async (remaining: boolean): Promise<readonly (readonly string[])[]> => {
      const request = { key, remaining_ttl: remaining };
      const answer = await answerTo((done) => serving.kv.Range(request, done));
      const { kvs: answered } = answer as { kvs: { ttl_ms: string; ttl_remaining_ms: string }[] };
      return answered.map((kv) => [kv.ttl_ms, kv.ttl_remaining_ms]);
    };

    expect(await ask(false)).toEqual([
      ['0', '0'],
      ['5000', '0'],
      ['5000', '0'],
    ]);
    expect(await ask(true)).toEqual([
      ['0', '0'],
      ['5000', '1234'],
      ['5000', '-1'],
    ]);
  });

  test('answers what the member has read, with the revision it read at', async () => {
    member.onRange = async () =>
      Promise.resolve({
        revision: 8,
        result: { type: 'range', kvs: [stored('key')], more: true, count: 5 },
      });

    const answer = await answerTo((done) => serving.kv.Range({ key, limit: 1 }, done));

    expect(answer).toMatchObject({
      header,
      kvs: [{ key, value: Buffer.from('value of key'), mod_revision: '8' }],
      more: true,
      count: '5',
    });
    expect(member.asked).toMatchObject([
      { method: 'range', range: { key, limit: 1 }, options: { isSerializable: false } },
    ]);
  });

  test('asks for a serializable read only if the client does', async () => {
    member.onRange = emptyRange;

    await answerTo((done) => serving.kv.Range({ key, serializable: true }, done));

    expect(member.asked).toMatchObject([{ options: { isSerializable: true } }]);
  });

  test.each([
    ['COMPACTED', status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted'],
    [
      'FUTURE_REVISION',
      status.OUT_OF_RANGE,
      'etcdserver: mvcc: required revision is a future revision',
    ],
  ] as const)('ends in the error of the member: %s', async (code, expected, details) => {
    member.onRange = async () => Promise.reject(new KvError(code));

    const error = await refusalOf((done) => serving.kv.Range({ key, revision: 99 }, done));

    expect(error).toMatchObject({ code: expected, details });
  });
});

describe('Put', () => {
  test('proposes the put and answers once it is applied', async () => {
    applies({ type: 'put' });

    const answer = await answerTo((done) => serving.kv.Put({ key, value: Buffer.from('v') }, done));

    expect(answer).toEqual({ header, prev_kv: null });
    expect(member.asked).toMatchObject([
      { method: 'propose', command: { type: 'put', key, value: Buffer.from('v'), prevKv: false } },
    ]);
  });

  test('answers the previous state of the key', async () => {
    applies({ type: 'put', prevKv: stored('key', 5) });

    const answer = await answerTo((done) => serving.kv.Put({ key, prev_kv: true }, done));

    expect(answer).toMatchObject({ prev_kv: { key, mod_revision: '5' } });
  });

  test.each([
    ['KEY_NOT_FOUND', status.INVALID_ARGUMENT, 'etcdserver: key not found'],
    ['LEASE_NOT_FOUND', status.NOT_FOUND, 'etcdserver: requested lease not found'],
  ] as const)('that the state refuses ends in its error: %s', async (code, expected, details) => {
    refuses(code);

    const error = await refusalOf((done) => serving.kv.Put({ key, ignore_value: true }, done));

    expect(error).toMatchObject({ code: expected, details });
    expect(error.metadata.get('holdfast-outcome')).toEqual(['rejected']);
  });

  test('that may have happened says so', async () => {
    member.onPropose = async () => Promise.reject(new KvError('TIMEOUT', { outcome: 'unknown' }));

    const error = await refusalOf((done) => serving.kv.Put({ key }, done));

    expect(error).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'etcdserver: request timed out',
    });
    expect(error.metadata.get('holdfast-code')).toEqual(['TIMEOUT']);
    expect(error.metadata.get('holdfast-outcome')).toEqual(['unknown']);
  });
});

describe('DeleteRange', () => {
  test('proposes the deletion and answers how many keys went, and which', async () => {
    applies({ type: 'deleteRange', deleted: 2, prevKvs: [stored('a'), stored('b')] });
    member.onRange = async () =>
      Promise.resolve({ revision: 7, result: { type: 'range', kvs: [], more: false, count: 0 } });

    const request = { key, range_end: Buffer.from('z'), prev_kv: true };
    const answer = await answerTo((done) => serving.kv.DeleteRange(request, done));

    expect(answer).toMatchObject({
      header,
      deleted: '2',
      prev_kvs: [{ key: Buffer.from('a') }, { key: Buffer.from('b') }],
    });
    expect(member.asked).toMatchObject([
      { method: 'range', range: { key, rangeEnd: Buffer.from('z'), limit: 0 } },
      { command: { type: 'deleteRange', key, rangeEnd: Buffer.from('z'), prevKv: true } },
    ]);
  });
});

describe('Txn', () => {
  test('proposes the transaction and answers its branch and responses', async () => {
    applies({ type: 'txn', succeeded: true, responses: [{ type: 'put' }] });

    const answer = await answerTo((done) =>
      serving.kv.Txn({ compare: [{ key, version: 0 }], success: [{ request_put: { key } }] }, done),
    );

    expect(answer).toMatchObject({
      header,
      succeeded: true,
      responses: [{ response_put: { header: { revision: '8' } } }],
    });
    expect(member.asked).toMatchObject([
      { command: { type: 'txn', compare: [{ target: 'version', operand: 0 }] } },
    ]);
  });
});

describe('Compact', () => {
  test('answers when the compaction is applied', async () => {
    applies({ type: 'compact' });

    const answer = await answerTo((done) => serving.kv.Compact({ revision: 6 }, done));

    expect(answer).toEqual({ header });
    expect(member.askedByRoot).toMatchObject([{ command: { type: 'compact', revision: 6 } }]);
    expect(member.askedByRoot).toHaveLength(1);
  });

  test('asked to be physical waits until the history is gone', async () => {
    applies({ type: 'compact' });

    await answerTo((done) => serving.kv.Compact({ revision: 6, physical: true }, done));

    expect(member.askedByRoot.map(({ method }) => method)).toEqual(['propose', 'compactionDone']);
  });

  test('that is done, and whose history is not gone in time, may have happened', async () => {
    applies({ type: 'compact' });
    member.onCompactionDone = async () => Promise.reject(new KvError('TIMEOUT'));

    const error = await refusalOf((done) =>
      serving.kv.Compact({ revision: 6, physical: true }, done),
    );

    expect(error).toMatchObject({ code: status.UNAVAILABLE });
    expect(error.metadata.get('holdfast-outcome')).toEqual(['unknown']);
  });

  test.each([
    ['COMPACTED', 'etcdserver: mvcc: required revision has been compacted'],
    ['FUTURE_REVISION', 'etcdserver: mvcc: required revision is a future revision'],
  ] as const)('that the state refuses ends in its error: %s', async (code, details) => {
    refuses(code);

    const error = await refusalOf((done) => serving.kv.Compact({ revision: 6 }, done));

    expect(error).toMatchObject({ code: status.OUT_OF_RANGE, details });
  });

  test('of a negative revision is refused as compacted, as in etcd', async () => {
    const error = await refusalOf((done) => serving.kv.Compact({ revision: -1 }, done));

    expect(error).toMatchObject({
      code: status.OUT_OF_RANGE,
      details: 'etcdserver: mvcc: required revision has been compacted',
    });
    expect(member.askedByRoot).toEqual([]);
  });
});

describe('a request that breaks a rule is refused before the member is asked', () => {
  test.each<[string, string, Parameters<typeof refusalOf>[0]]>([
    ['Range', 'etcdserver: key is not provided', (done) => serving.kv.Range({}, done)],
    ['Put', 'etcdserver: key is not provided', (done) => serving.kv.Put({}, done)],
    ['DeleteRange', 'etcdserver: key is not provided', (done) => serving.kv.DeleteRange({}, done)],
    [
      'Txn',
      'etcdserver: duplicate key given in txn request',
      (done) =>
        serving.kv.Txn({ success: [{ request_put: { key } }, { request_put: { key } }] }, done),
    ],
    [
      'Txn of 129 operations',
      'etcdserver: too many operations in txn request',
      (done) => {
        const compare = Array.from({ length: 129 }, () => ({ key }));
        return serving.kv.Txn({ compare }, done);
      },
    ],
    [
      'Txn of more parts than are decoded',
      'etcdserver: too many operations in txn request',
      (done) => {
        const deep = { success: Array.from({ length: 164 }, () => ({})) };
        const success = Array.from({ length: 100 }, () => ({ request_txn: deep }));
        return serving.kv.Txn({ success }, done);
      },
    ],
  ])('%s: "%s"', async (_method, details, invoke) => {
    const error = await refusalOf(invoke);

    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details });
    expect(member.asked).toEqual([]);
  });
});

describe('what reads many keys', () => {
  const range_end = Buffer.from('z');
  const deletion = { key, range_end, prev_kv: true };
  const txn = { success: [{ request_delete_range: deletion }] };

  test.each<[string, (done: Parameters<typeof serving.kv.Range>[1]) => ClientUnaryCall]>([
    ['a range', (done) => serving.kv.Range({ key, range_end }, done)],
    ['a deletion', (done) => serving.kv.DeleteRange(deletion, done as never)],
    ['a transaction', (done) => serving.kv.Txn(txn, done as never)],
  ])('ends with its client, and nothing is written: %s', async (_name, ask) => {
    let call: ClientUnaryCall | undefined;
    member.onRange = async (range, options) => {
      if (range.rangeEnd !== undefined) {
        options?.charge?.(1);
        call?.cancel();
        // Another call on the same connection arrives after the cancellation.
        await answerTo((done) => serving.kv.Range({ key }, done));
        options?.charge?.(2);
      }
      return emptyRange();
    };

    await refusalOf((done) => (call = ask(done)));
    await vi.waitFor(async () => {
      expect(await serving.metrics.render()).toMatch(/requests_total{.*code="CANCELLED"} 1/);
    });

    expect(member.asked.map(({ method }) => method)).toEqual(['range', 'range']);
  });
});

describe('RangeStream', () => {
  const all = { key: Buffer.from('k'), range_end: Buffer.from('l') };

  test('sends the keys of a long range in parts that add up to it', async () => {
    holds(2500);

    const parts = await streamOf(all);

    expect(parts.map(({ kvs }) => kvs.length)).toEqual([1000, 1000, 500]);
    expect(parts.flatMap(namesIn)).toEqual(names(2500));
    expect(parts.map(({ more }) => more)).toEqual([false, false, false]);
    expect(parts.map(({ count }) => count)).toEqual(['2500', '2500', '2500']);
  });

  test('reads every part at the revision of the first, which alone is linearizable', async () => {
    holds(2500);
    const read = member.onRange;
    member.onRange = async (range) => {
      const answer = await read(range);
      member.revision++;
      return answer;
    };

    const parts = await streamOf(all);

    expect(parts.map((part) => part.header?.revision)).toEqual(['7', '7', '7']);
    expect(member.asked).toMatchObject([
      { range: { revision: 0, noCount: false }, options: { isSerializable: false } },
      { range: { revision: 7, noCount: true }, options: { isSerializable: true } },
      { range: { revision: 7, noCount: true }, options: { isSerializable: true } },
    ]);
  });

  test('of an older revision reads every part at that one', async () => {
    holds(2500);

    const parts = await streamOf({ ...all, revision: 4 });

    expect(member.asked).toMatchObject([
      { range: { revision: 4 } },
      { range: { revision: 4 } },
      { range: { revision: 4 } },
    ]);
    expect(parts.map((part) => part.header?.revision)).toEqual(['7', '7', '7']);
  });

  test.each([
    [1, [1]],
    [999, [999]],
    [1000, [1000]],
    [1001, [1000, 1]],
    [2000, [1000, 1000]],
  ])('with a limit of %i stops there and says that there is more', async (limit, sizes) => {
    holds(2500);

    const parts = await streamOf({ ...all, limit });

    expect(parts.map(({ kvs }) => kvs.length)).toEqual(sizes);
    expect(parts.at(-1)).toMatchObject({ more: true, count: '2500' });
    expect(parts.slice(0, -1).every(({ more }) => !more)).toBe(true);
  });

  test('with a limit that is met exactly says that there is no more', async () => {
    holds(1500);

    const parts = await streamOf({ ...all, limit: 1500 });

    expect(parts.flatMap(namesIn)).toEqual(names(1500));
    expect(parts.at(-1)?.more).toBe(false);
  });

  test('with a negative limit has none, and still goes in parts', async () => {
    holds(2500);

    const parts = await streamOf({ ...all, limit: -1 });

    expect(parts.map(({ kvs }) => kvs.length)).toEqual([1000, 1000, 500]);
  });

  test.each<[string, RangeRequest__Input]>([
    ['sorted by value', { sort_target: 'VALUE', sort_order: 'ASCEND' }],
    ['in descending order', { sort_order: 'DESCEND' }],
    ['filtered by revision', { min_mod_revision: 3 }],
    ['counted only', { count_only: true }],
  ])('%s goes as one part, as it needs all keys at once', async (_what, options) => {
    holds(1500);

    const parts = await streamOf({ ...all, ...options });

    expect(parts).toHaveLength(1);
    expect(member.asked).toHaveLength(1);
  });

  test('of no key sends one empty part', async () => {
    holds(0);

    expect(await streamOf(all)).toMatchObject([{ kvs: [], more: false, count: '0' }]);
  });

  test('that breaks a rule ends with the error and no part', async () => {
    await expect(streamOf({})).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'etcdserver: key is not provided',
    });
    expect(member.asked).toEqual([]);
  });

  test('whose history is compacted on the way ends with that error', async () => {
    holds(2500);
    const read = member.onRange;
    member.onRange = async (range) =>
      member.asked.length === 2 ? Promise.reject(new KvError('COMPACTED')) : read(range);

    await expect(streamOf(all)).rejects.toMatchObject({
      code: status.OUT_OF_RANGE,
      details: 'etcdserver: mvcc: required revision has been compacted',
    });
  });

  test('is refused without a leader if the client asks for one', async () => {
    member.leader = 0;
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');

    await expect(streamOf(all, metadata)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: 'etcdserver: no leader',
    });
  });

  test('reads no further once the client has cancelled', async () => {
    holds(5000);
    const read = member.onRange;
    const call = serving.kv.RangeStream(all);
    call.on('data', () => undefined);
    call.on('error', () => undefined);
    member.onRange = async (range) => {
      if (member.asked.length === 2) {
        call.cancel();
        // Another call on the same connection arrives after the cancellation.
        await answerTo((done) => serving.kv.Range({ key }, done));
      }
      return read(range);
    };

    await vi.waitFor(async () => {
      expect(await serving.metrics.render()).toContain(
        'holdfast_requests_total{method="RangeStream",code="CANCELLED"} 1',
      );
    });

    expect(member.asked).toMatchObject([
      { range: { key: Buffer.from('k') } },
      { range: { key: new Uint8Array(Buffer.from('k00999\0')) } },
      { range: { key } },
    ]);
  });

  test('reads no further than the client takes', async () => {
    holds(60_000, Buffer.alloc(400));
    const call = serving.kv.RangeStream(all);
    call.pause();
    let asked = 0;
    for (let unchangedTurns = 0; unchangedTurns < 200; unchangedTurns++) {
      await new Promise(setImmediate);
      unchangedTurns = member.asked.length === asked ? unchangedTurns : 0;
      asked = member.asked.length;
    }

    expect(asked).toBeLessThan(45);
    expect(await partsOf(call)).toHaveLength(60);
  });

  test.each([{}, { sort_order: 'DESCEND' as const }])(
    'tells what is left of the times of its keys when it is asked to, with %j',
    async (options) => {
      const kvs = [stored('k1'), { ...stored('k2'), ttlMs: 5000 }];
      member.onRange = async () =>
        Promise.resolve({ revision: 8, result: { type: 'range', kvs, more: false, count: 2 } });
      member.onRemainingTtls = async () => Promise.resolve([undefined, 1234]);

      const [part] = await streamOf({ ...all, ...options, remaining_ttl: true });

      expect(part?.kvs.map((kv) => kv.ttl_remaining_ms)).toEqual(['0', '1234']);
    },
  );

  test('asks for parts of bounded bytes, and makes room for what they grow to', async () => {
    const large = await serve(member, { limits: { ...farLimits, bulkBytes: 64 * mebibyte } });
    onTestFinished(async () => large.close());
    const refused: unknown[] = [];
    member.onRange = async (_range, options) => {
      try {
        options?.charge?.(30 * mebibyte);
      } catch (error) {
        refused.push(error);
        throw error;
      }
      await first;
      return { revision: 7, result: { type: 'range', kvs: [], more: false, count: 0 } };
    };
    let letGo: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      letGo = resolve;
    });

    const alone = partsOf(large.kv.RangeStream(all));
    await vi.waitFor(() => expect(member.asked).toHaveLength(1));
    const sorted = { ...all, sort_order: 'DESCEND' } as const;
    for (const request of [all, sorted]) {
      await expect(partsOf(large.kv.RangeStream(request))).rejects.toMatchObject({
        code: status.RESOURCE_EXHAUSTED,
      });
    }
    letGo();

    expect(await alone).toHaveLength(1);
    expect(refused).toHaveLength(2);
    expect(member.asked.map(({ options }) => options)).toMatchObject([
      { bytesMax: mebibyte },
      { bytesMax: mebibyte },
      {},
    ]);
    // All of it has been given back.
    expect(await partsOf(large.kv.RangeStream(all))).toHaveLength(1);
  });

  test('is counted among the requests', async () => {
    holds(1);

    await streamOf(all);
    await streamOf({}).catch(() => undefined);

    const metrics = await serving.metrics.render();
    expect(metrics).toContain('holdfast_requests_total{method="RangeStream",code="OK"} 1');
    expect(metrics).toContain('holdfast_requests_total{method="RangeStream",code="EMPTY_KEY"} 1');
  });
});

async function emptyRange(): Promise<RangeAnswer> {
  return Promise.resolve({
    revision: 8,
    result: { type: 'range', kvs: [], more: false, count: 0 },
  });
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `k${String(i).padStart(5, '0')}`);
}

function namesIn(part: { readonly kvs: readonly { readonly key: Buffer }[] }): string[] {
  return part.kvs.map((each) => each.key.toString());
}

/** Lets the member hold `count` keys k00000, k00001, … */
function holds(count: number, value: Buffer = Buffer.alloc(0)): void {
  const keys = names(count);
  member.onRange = async ({ key: from, limit }: RangeOperation) => {
    const start = Buffer.from(from).toString();
    const rest = keys.filter((name) => name >= start);
    const page = limit > 0 ? rest.slice(0, limit) : rest;
    return Promise.resolve({
      revision: member.revision,
      result: {
        type: 'range',
        kvs: page.map((name) => ({ ...stored(name), value })),
        more: page.length < rest.length,
        count: rest.length,
      },
    });
  };
}

type Part = NonNullable<RangeStreamResponse['range_response']>;

/** All parts of a streamed range. */
async function streamOf(request: RangeRequest__Input, metadata = new Metadata()): Promise<Part[]> {
  return partsOf(serving.kv.RangeStream(request, metadata));
}

async function partsOf(responses: AsyncIterable<unknown>): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const response of responses) {
    parts.push((response as RangeStreamResponse).range_response as Part);
  }
  return parts;
}
