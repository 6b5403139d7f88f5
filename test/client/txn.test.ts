/** Transactions, built and optimistic, against a store in memory that knows revisions. */
import { describe, expect, test } from 'vitest';
import { codecs, Holdfast } from '../../src/client/index.ts';
import type { CompareMessage, KeyValueAnswer, KvAnswer, KvMessage } from '../../src/wire/index.ts';
import { FakeMembers, virtualEnvironment } from './fake-members.ts';

/** Just enough of a store: keys with their mod revisions, and the past of each. */
class Store {
  revision = 1;
  readonly history = new Map<string, { readonly revision: number; readonly value?: string }[]>();

  at(key: string, revision: number): KeyValueAnswer | undefined {
    const change = this.history.get(key)?.findLast((each) => each.revision <= revision);
    return change?.value === undefined
      ? undefined
      : {
          ...{ key: Buffer.from(key), value: Buffer.from(change.value), lease: '0', ttlMs: 0 },
          ...{ createRevision: 1, modRevision: change.revision, version: 1 },
        };
  }

  set(key: string, value: string | undefined): void {
    this.revision++;
    const change = { revision: this.revision, ...(value === undefined ? {} : { value }) };
    this.history.set(key, [...(this.history.get(key) ?? []), change]);
  }

  /** Called after each answer. */
  onAnswer: (() => void) | undefined;

  run(message: KvMessage): KvAnswer {
    const { revision } = this;
    switch (message.type) {
      case 'range': {
        const kvs = this.#select(message.range, message.range.revision ?? revision);
        return { type: 'range', revision, kvs, more: false, count: kvs.length };
      }
      case 'put':
        this.set(text(message.put.key), text(message.put.value));
        return { type: 'put', revision: this.revision, prevKv: undefined };
      case 'deleteRange':
        this.set(text(message.deleteRange.key), undefined);
        return { type: 'deleteRange', revision: this.revision, deleted: 1, prevKvs: [] };
      case 'txn': {
        const succeeded = message.txn.compare.every((compare) => this.#holds(compare));
        const branch = succeeded ? message.txn.success : message.txn.failure;
        const responses = branch.map((each) => this.run(each));
        return { type: 'txn', revision: this.revision, succeeded, responses };
      }
    }
  }

  #select(
    { key, rangeEnd }: { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array | undefined },
    at: number,
  ): readonly KeyValueAnswer[] {
    const keys = [...this.history.keys()].sort().filter((each) => {
      const end = rangeEnd === undefined ? undefined : text(rangeEnd);
      return end === undefined
        ? each === text(key)
        : each >= text(key) && (end === '\0' || each < end);
    });
    return keys.flatMap((each) => this.at(each, at === 0 ? this.revision : at) ?? []);
  }

  #holds(compare: CompareMessage): boolean {
    const found = this.#select(compare, this.revision);
    const subjects = compare.rangeEnd === undefined && found.length === 0 ? [undefined] : found;
    return subjects.every((kv) => {
      if (compare.target === 'value') {
        const isSame = kv?.value.equals(compare.operand) === true;
        return isSame === (compare.result === 'equal');
      }
      const actual = compare.target === 'mod' ? (kv?.modRevision ?? 0) : (kv?.createRevision ?? 0);
      const operand = Number(compare.operand);
      const { result } = compare;
      return result === 'equal'
        ? actual === operand
        : result === 'less'
          ? actual < operand
          : actual > operand;
    });
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function setUp() {
  const store = new Store();
  const members = new FakeMembers();
  const environment = virtualEnvironment();
  members.onCall = (call) => {
    call.answer(store.run(call.request as KvMessage));
    store.onAnswer?.();
  };
  const client = new Holdfast(
    { endpoints: '127.0.0.1:1', namespace: 'n/' },
    { transport: members, environment },
  );
  return { store, members, kv: client.kv, loop: environment.loop };
}

describe('a transaction', () => {
  test('does one thing if its conditions hold, else the other', async () => {
    const { kv, store } = setUp();
    const claim = {
      if: [kv.when('owner').isMissing()],
      then: [kv.ops.put('owner', 'ann')],
      else: [kv.ops.get('owner')],
    };

    expect(await kv.txn(claim)).toMatchObject({ succeeded: true, results: [{ type: 'put' }] });
    expect(await kv.txn(claim)).toMatchObject({
      ...{ succeeded: false, results: [{ type: 'get', entries: [{ value: 'ann' }] }] },
    });
    expect(store.at('n/owner', 99)?.value.toString()).toBe('ann');
  });

  test('has every kind of condition and operation', async () => {
    const { kv, members } = setUp();
    const when = kv.when('a');
    members.onCall = (call) =>
      call.answer({ type: 'txn', revision: 1, succeeded: true, responses: [] });
    await kv.txn({
      if: [
        ...[when.exists(), when.valueIs('x'), when.valueIsNot('y'), when.modRevisionIs(1)],
        ...[when.createRevisionIs(2), when.versionIs(3), when.leaseIs(-4n)],
        kv.whenAll({ prefix: 'b' }).isUnchangedSince(5),
      ],
      then: [
        ...[kv.ops.put('a', 'x', { ttlMs: 5 }), kv.ops.getRange({ prefix: 'b' }, { limit: 1 })],
        ...[
          kv.ops.delete('a'),
          kv.ops.deleteRange({ prefix: '' }),
          kv.ops.txn({ then: [kv.ops.get('c')] }),
        ],
      ],
    });

    const { txn } = members.callsOf('Txn')[0]?.request as Extract<KvMessage, { type: 'txn' }>;
    expect(txn.compare.map(({ target, result }) => `${target} ${result}`)).toEqual([
      ...['create greater', 'value equal', 'value notEqual', 'mod equal', 'create equal'],
      ...['version equal', 'lease equal', 'mod less'],
    ]);
    const last = txn.compare.at(-1);
    expect(last?.operand).toBe(6);
    expect(text(last?.rangeEnd ?? Buffer.alloc(0))).toBe('n/c');
    expect(txn.success.map(({ type }) => type)).toEqual([
      ...['put', 'range', 'deleteRange', 'deleteRange', 'txn'],
    ]);
  });
});

describe('an optimistic transaction', () => {
  test('commits what it read and wrote', async () => {
    const { kv, store } = setUp();
    const numbers = kv.as(codecs.json<number>());
    await numbers.put('a', 1);

    const result = await numbers.transact(async (tx) => {
      const value = (await tx.get('a')) ?? 0;
      tx.put('a', value + 1);
      tx.delete('b');
      return value;
    });

    expect(result).toBe(1);
    expect(store.at('n/a', 99)?.value.toString()).toBe('2');
  });

  test('runs again when what it read has changed meanwhile', async () => {
    const { kv, store, loop } = setUp();
    await kv.put('a', '1');
    let runs = 0;

    const result = await loop.settle(
      kv.transact(async (tx) => {
        const value = Number(await tx.get('a'));
        if (++runs <= 2) {
          store.set('n/a', String(value + 10));
        }
        tx.put('a', String(value + 1));
        return value + 1;
      }),
    );

    expect([runs, result]).toEqual([3, 22]);
    expect(store.at('n/a', 99)?.value.toString()).toBe('22');
  });

  test.each([
    ['a key has come', (store: Store) => store.set('n/x3', 'new')],
    ['a key has changed', (store: Store) => store.set('n/x1', 'new')],
    ['a key has gone', (store: Store) => store.set('n/x1', undefined)],
    ['a key that was missing has come', (store: Store) => store.set('n/missing', 'new')],
  ])('notices that %s', async (_, change) => {
    const { kv, store, loop } = setUp();
    await kv.put('x1', '1');
    await kv.put('x2', '2');
    let runs = 0;

    await loop.settle(
      kv.transact(async (tx) => {
        await tx.getRange({ prefix: 'x' });
        await tx.get('missing');
        if (++runs === 1) {
          change(store);
        }
        tx.put('result', 'x');
      }),
    );

    expect(runs).toBe(2);
  });

  test('does not mind changes of what it has not read', async () => {
    const { kv, store, loop } = setUp();
    let runs = 0;

    await loop.settle(
      kv.transact(async (tx) => {
        await tx.get('a');
        runs++;
        store.set('n/other', 'x');
        tx.put('b', 'x');
      }),
    );

    expect(runs).toBe(1);
  });

  test('sees one revision, and what it has written itself', async () => {
    const { kv, store } = setUp();
    await kv.put('k1', 'one');
    await kv.put('k2', 'two');

    const seen = await kv.transact(async (tx) => {
      const first = await tx.get('k1');
      store.set('n/k2', 'later');
      const second = await tx.get('k2');
      return [first, second];
    });
    const own = await kv.transact(async (tx) => {
      tx.put('k3', 'three');
      tx.delete('k1');
      return [await tx.get('k1'), await tx.get('k3'), await tx.getRange({ prefix: 'k' })];
    });

    expect(seen).toEqual(['one', 'two']);
    expect(own).toEqual([
      ...[undefined, 'three'],
      [
        { key: 'k2', value: 'later' },
        { key: 'k3', value: 'three' },
      ],
    ]);
  });

  test('sees one revision, also when it reads several keys at once', async () => {
    const { kv, store, loop } = setUp();
    await kv.put('k1', 'old');
    await kv.put('k2', 'old');
    store.onAnswer = () => {
      store.set('n/k1', 'new');
      store.set('n/k2', 'new');
    };

    const seen = await loop.settle(
      kv.transact(async (tx) => {
        const [first, second, all] = await Promise.all([
          tx.get('k1'),
          tx.get('k2'),
          tx.getRange({ prefix: 'k' }),
        ]);
        return [first, second, ...all.map(({ value }) => value)];
      }),
    );

    expect(seen).toEqual(['old', 'old', 'old', 'old']);
  });

  test('refuses the empty key, which would be read as a range', async () => {
    const { kv, members } = setUp();

    await expect(kv.transact(async (tx) => tx.get(''))).rejects.toMatchObject({
      code: 'EMPTY_KEY',
    });
    expect(members.calls).toHaveLength(0);
  });

  test('that fails by itself writes nothing', async () => {
    const { kv, store } = setUp();

    const ended = kv.transact(async (tx) => {
      tx.put('a', 'x');
      return Promise.reject(new Error('changed my mind'));
    });

    await expect(ended).rejects.toThrow('changed my mind');
    expect(store.revision).toBe(1);
  });

  test('fails whole when its first read does, on which others wait', async () => {
    const { kv, members, loop } = setUp();
    members.onCall = (call) => call.fail({ status: 'PERMISSION_DENIED', message: 'not you' });

    const failed = await loop.settle(
      kv.transact(async (tx) => Promise.allSettled([tx.get('k1'), tx.get('k2')])),
    );

    expect(failed).toMatchObject([
      { status: 'rejected', reason: { code: 'PERMISSION_DENIED' } },
      { status: 'rejected', reason: { code: 'PERMISSION_DENIED' } },
    ]);
    expect(members.calls).toHaveLength(1);
  });

  test('ends with its deadline, however long its reads take together', async () => {
    const { kv, members, loop, store } = setUp();
    members.onCall = (call) => {
      loop.after(300, () => call.answer(store.run(call.request as KvMessage)));
    };
    const started = loop.nowMs();

    const error = await loop.settle(
      kv
        .transact(
          async (tx) => {
            for (let i = 0; i < 10; i++) {
              await tx.get(`k${i}`);
            }
          },
          { timeoutMs: 1000 },
        )
        .catch((thrown: unknown) => thrown),
    );

    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'rejected' });
    expect(loop.nowMs() - started).toBeLessThanOrEqual(1000);
  });

  test('that always loses ends with its deadline', async () => {
    const { kv, store, loop } = setUp();
    const begunMs = loop.nowMs();
    const ended = kv
      .transact(
        async (tx) => {
          await tx.get('a');
          store.set('n/a', 'x');
          tx.put('a', 'y');
        },
        { timeoutMs: 2000 },
      )
      .catch((error: unknown) => error);

    expect(await loop.settle(ended)).toMatchObject({ code: 'TXN_CONFLICT', outcome: 'rejected' });
    expect(loop.nowMs() - begunMs).toBeLessThanOrEqual(2000);
  });
});
