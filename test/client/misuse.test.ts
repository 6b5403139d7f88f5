/**
 * What plain JavaScript may hand to the patterns of the library: unknown options, values of a wrong
 * kind, and what is missing. Each is refused in words, before anything is asked of a member.
 */
import { describe, expect, test } from 'vitest';
import { Holdfast, HoldfastError, type Reconciler } from '../../src/client/index.ts';
import { FakeMembers, virtualEnvironment } from './fake-members.ts';

/** The library without its types. */
type Untyped = Partial<Record<Name, (...args: readonly unknown[]) => unknown>>;
type Name =
  | keyof Holdfast
  | keyof Holdfast['kv']
  | keyof Holdfast['kv']['ops']
  | keyof ReturnType<Holdfast['semaphore']>
  | keyof ReturnType<Holdfast['election']>
  | keyof ReturnType<Holdfast['kv']['changeFeed']>
  | keyof ReturnType<Holdfast['kv']['when']>
  | keyof ReturnType<Holdfast['kv']['watch']>;

function setUp() {
  const members = new FakeMembers();
  const client = new Holdfast(
    { endpoints: '127.0.0.1:1' },
    { transport: members, environment: virtualEnvironment() },
  );
  const untyped = (value: object): Untyped => value;
  return { members, client: untyped(client), kv: untyped(client.kv), ops: untyped(client.kv.ops) };
}

type Api = ReturnType<typeof setUp>;

/** What a call is refused with, thrown or rejected. */
async function refusalOf(call: () => unknown): Promise<HoldfastError> {
  try {
    await call();
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError);
    return error as HoldfastError;
  }
  throw new Error('it was taken');
}

const range = { prefix: '' };
const reconcile = (): void => undefined;

test.each<readonly [string, (api: Api) => unknown, string]>([
  ['a lease', ({ client }) => client.lease?.(), 'lease: give an object, not undefined'],
  ['a lease', ({ client }) => client.lease?.({}), 'lease: ttlSeconds is undefined: give 1 or'],
  ['a lease', ({ client }) => client.lease?.({ ttlSeconds: 0 }), 'ttlSeconds is 0: give 1 or'],
  ['a lease', ({ client }) => client.lease?.({ ttlSeconds: '9' }), 'ttlSeconds is a string'],
  ['a lease', ({ client }) => client.lease?.({ ttl: 5 }), 'lease: unknown field "ttl"; known:'],
  ['a lock', ({ client }) => client.lock?.('a', { wait: 5 }), 'lock: unknown field "wait"; kno'],
  ['a lock', ({ client }) => client.lock?.('a', { waitMs: -1 }), 'waitMs is -1: give millisec'],
  ['a lock', ({ client }) => client.lock?.('a', { waitMs: 2 ** 31 }), 'lock: waitMs is 214748'],
  ['a lock', ({ client }) => client.lock?.('a', { ttlSeconds: 0.5 }), 'ttlSeconds is 0.5: giv'],
  ['a lock', ({ client }) => client.lock?.('a', { signal: {} }), 'signal is an object: give an'],
  ['a lock', ({ client }) => client.lock?.('a', 5), 'lock: give an object, not a number'],
  ['a lock', ({ client }) => client.lock?.(), 'a key is text or bytes (a Uint8Array), not unde'],
  ['a lock', ({ client }) => client.lock?.(''), 'the name is empty'],
  ['a lock', ({ client }) => client.lock?.('a\uD83D'), 'a key has a lone surrogate'],
  ['an election', ({ client }) => client.election?.('\uDE00'), 'a key has a lone surrogate'],
  ['a put', ({ kv }) => kv.put?.('\uDE00', 'a'), 'a key has a lone surrogate'],
  ['a put', ({ kv }) => kv.put?.('a', '\uDE00'), 'the codec cannot write the value'],
  ['a watch', ({ kv }) => kv.watch?.('\uDE00'), 'a key has a lone surrogate'],
  ['a cache', ({ kv }) => kv.cache?.({ prefix: '\uDE00' }), 'prefix is a string: give text withou'],
  ['a try', ({ client }) => client.tryLock?.('a', { waitMs: 5 }), 'unknown field "waitMs"; kn'],
  ['places', ({ client }) => client.semaphore?.('a'), 'its places is undefined: give a whole'],
  ['places', ({ client }) => client.semaphore?.('a', '3'), 'its places is a string: give a whol'],
  ['places', ({ client }) => client.semaphore?.('a', 1001), 'is 1001: give a whole number from'],
  ['a place', ({ client }) => semaphore(client).acquire?.({ wait: 1 }), 'semaphore: unknown field'],
  ['a place', ({ client }) => semaphore(client).tryAcquire?.({ wait: 1 }), 'unknown field "wait"'],
  [
    'a campaign',
    ({ client }) => election(client).campaign?.('me', { ttl: 1 }),
    'campaign: unknown',
  ],
  ['an election', ({ client }) => election(client).leader?.({ wait: 1 }), 'leader: unknown field'],
  [
    'an election',
    ({ client }) => first(election(client).observe?.({ a: 1 })),
    'observe: unknown fi',
  ],
  ['a cache', ({ kv }) => kv.cache?.(range, { keyMax: 5 }), 'cache: unknown field "keyMax"; kn'],
  ['a cache', ({ kv }) => kv.cache?.(range, { keysMax: '5' }), 'keysMax is a string: give 1 or'],
  ['a cache', ({ kv }) => kv.cache?.(range, { bytesMax: 0 }), 'cache: bytesMax is 0: give 1 or'],
  ['a cache', ({ kv }) => kv.cache?.(range, { maxAgeMs: NaN }), 'maxAgeMs is NaN: give more th'],
  ['a feed', ({ kv }) => kv.changeFeed?.(), 'changeFeed: its name is undefined: give text o'],
  ['a feed', ({ kv }) => kv.changeFeed?.('', range), 'its name is empty: give text of on'],
  ['a feed', ({ kv }) => kv.changeFeed?.('f', range, { form: 1 }), 'unknown field "form"; known'],
  ['a feed', ({ kv }) => kv.changeFeed?.('f', range, { from: 'x' }), "'everything' or 'now'"],
  ['a feed', ({ kv }) => kv.changeFeed?.('f', range, { lock: 'mail' }), 'lock is a string: give'],
  ['a feed', ({ kv }) => kv.changeFeed?.('f', range, { cursorKey: 5 }), 'cursorKey is 5: give'],
  ['a feed', ({ kv }) => kv.changeFeed?.('\uD83D', range), 'without lone surrogates'],
  ['a feed', ({ kv }) => kv.changeFeed?.('f', range, { cursorKey: '\uD83D' }), 'lone surrogat'],
  ['a feed', ({ kv }) => feed(kv).run?.(), 'run: its handler is undefined: give a function'],
  ['a feed', ({ kv }) => feed(kv).run?.({}), 'run: its handler is an object: give a function'],
  ['a feed', ({ kv }) => feed(kv).run?.(reconcile, { sginal: 1 }), 'run: unknown field "sginal"'],
  ['a reconciler', ({ kv }) => kv.reconciler?.(range), 'reconciler: give an object, not undefi'],
  ['a reconciler', reconciler({ reconcile: undefined }), 'reconcile is missing: give a function'],
  ['a reconciler', reconciler({ actual: [] }), 'reconciler: actual is an array: give a function'],
  ['a reconciler', reconciler({ resync: 5 }), 'reconciler: unknown field "resync"; known: reconci'],
  ['a reconciler', reconciler({ resyncMs: 2 ** 40 }), 'resyncMs is 1099511627776: give milliseco'],
  ['a reconciler', reconciler({ concurrency: 0 }), 'concurrency is 0: give 1 or more, a whole num'],
  ['a reconciler', reconciler({ burst: '5' }), 'reconciler: burst is a string: give 1 or more'],
  [
    'a reconciler',
    reconciler({ backoffMinMs: 9, backoffMaxMs: 8 }),
    'backoffMaxMs is below backoffMinMs, 9',
  ],
  ['a reconciler', reconcilerRun({ signal: 5 }), 'run: signal is 5: give an AbortSignal'],
  ['a txn', ({ kv }) => kv.txn?.(), 'a transaction: give an object, not undefined'],
  ['a txn', ({ kv }) => kv.txn?.({ when: [] }), 'unknown field "when"; known: if, then, else'],
  ['a txn', ({ kv, ops }) => kv.txn?.({ then: ops.get?.('a') }), 'then is an object: give an'],
  ['a txn', ({ kv }) => kv.txn?.({ then: [kv.count] }), 'then is an array: give an array of'],
  ['a txn', ({ kv, ops }) => kv.txn?.({ if: [ops.get?.('a')] }), 'array of conditions, as kv'],
  ['a nested txn', ({ ops }) => ops.txn?.({ els: [] }), 'a transaction: unknown field "els"'],
  ['an operation', ({ ops }) => ops.getRange?.(range, { limt: 5 }), 'unknown field "limt"; know'],
  ['an operation', ({ ops }) => ops.getRange?.(range, { limit: '5' }), 'limit is a string: give'],
  ['a condition', ({ kv }) => when(kv).modRevisionIs?.('5'), 'its revision is a string: give 0'],
  ['a condition', ({ kv }) => when(kv).versionIs?.(-1), 'a condition: its version is -1: give 0'],
  ['a condition', ({ kv }) => when(kv).leaseIs?.(5), 'the lease is 5: give a lease, or its id as'],
  ['a program', ({ kv }) => kv.transact?.(), 'transact: its program is undefined: give a funct'],
  ['a codec', ({ kv }) => kv.as?.('json'), 'as: the codec is a string: give a codec, as codecs'],
  [
    'a listener',
    ({ kv }) => listen(kv, undefined),
    'listen: onEvent is undefined: give a function',
  ],
  ['a listener', ({ kv }) => listen(kv, { onEvent: 5 }), 'listen: onEvent is 5: give a function'],
  [
    'a listener',
    ({ kv }) => listen(kv, { onEvent: reconcile }),
    'onEnd is undefined: give a funct',
  ],
])('%s of the wrong kind is refused: case %#', async (_, call, text) => {
  const api = setUp();

  const { code, message, outcome } = await refusalOf(() => call(api));

  expect(message).toContain(text);
  expect(['INVALID_ARGUMENT', 'EMPTY_KEY']).toContain(code);
  expect(outcome).toBe('rejected');
  expect(api.members.calls).toEqual([]);
});

function semaphore(client: Untyped): Untyped {
  return client.semaphore?.('a', 2) as Untyped;
}

function election(client: Untyped): Untyped {
  return client.election?.('a') as Untyped;
}

function feed(kv: Untyped): Untyped {
  return kv.changeFeed?.('f', range) as Untyped;
}

function when(kv: Untyped): Untyped {
  return kv.when?.('a') as Untyped;
}

function listen(kv: Untyped, listener: unknown): unknown {
  return (kv.watch?.('a') as Untyped).listen?.(listener);
}

async function first(iterable: unknown): Promise<unknown> {
  return (iterable as AsyncGenerator).next();
}

function reconciler(options: object): (api: Api) => unknown {
  return ({ kv }) => kv.reconciler?.(range, { reconcile, ...options });
}

function reconcilerRun(options: object): (api: Api) => unknown {
  return async ({ kv }) => {
    const made = kv.reconciler?.(range, { reconcile }) as Reconciler<string>;
    return made.run(options);
  };
}

describe('what is right', () => {
  test('is taken: options that are undefined, and a lease instead of its id', async () => {
    const { kv, ops, client } = setUp();
    const unset = {
      from: undefined,
      onCompacted: undefined,
      lock: undefined,
      cursorKey: undefined,
    };

    expect(() => kv.changeFeed?.('f', range, unset)).not.toThrow();
    expect(() => kv.reconciler?.(range, { reconcile, burst: undefined })).not.toThrow();
    expect(() => ops.getRange?.(range, { limit: undefined })).not.toThrow();
    expect(() => ops.getRange?.(range)).not.toThrow();
    expect(() => ops.txn?.({})).not.toThrow();
    expect(() => client.semaphore?.('a', 1000)).not.toThrow();
  });
});
