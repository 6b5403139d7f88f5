/**
 * The client against real clusters: three Holdfast members as processes and, where it is installed,
 * etcd. What both can do is asked of both.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codecs, CompactedError, Holdfast, HoldfastError } from '../../src/client/index.ts';
import { services } from '../../src/wire/index.ts';
import { freePorts } from '../harness/processes.ts';
import { errorOf, type Side, sides } from './sides.ts';

describe.each(sides)('with $name, the client', ({ start }) => {
  let side: Side;
  let client: Holdfast;

  beforeAll(async () => {
    side = await start();
    client = new Holdfast({ endpoints: side.endpoints });
    await client.kv.put('ready', 'yes');
  });

  afterAll(async () => {
    await client.close();
    await side.stop();
  });

  test('puts, gets, swaps and deletes', async () => {
    const kv = client.kv.namespace('crud/');

    const put = await kv.put('a', 'één');
    const entry = await kv.get('a');
    const swapped = await kv.swap('a', 'twee');
    const deleted = await kv.delete('a');

    expect(entry).toMatchObject({
      ...{ key: 'a', value: 'één', createRevision: put.revision, version: 1 },
    });
    expect(swapped.previous).toMatchObject({ value: 'één' });
    expect(deleted).toMatchObject({ deleted: 1, previous: [{ value: 'twee', version: 2 }] });
    expect(await kv.get('a')).toBeUndefined();
    expect((await kv.get('a', { atRevision: put.revision }))?.value).toBe('één');
  });

  test('reads ranges at once, in pages and in reverse', async () => {
    const kv = client.kv.namespace('ranges/').as(codecs.json<number>());
    await Promise.all([1, 2, 3, 4, 5].map(async (i) => kv.put(`k${i}`, i)));

    const all = await kv.getRange({ prefix: '' });
    const part = await kv.getRange({ from: 'k2', to: 'k4' });
    const last = await kv.getRange({ prefix: 'k' }, { limit: 1, order: 'descending' });
    const scanned: number[] = [];
    for await (const { value } of kv.scan({ prefix: '' }, { pageEntries: 2 })) {
      scanned.push(value);
    }

    expect(all.entries.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5]);
    expect(part.entries.map(({ key }) => key)).toEqual(['k2', 'k3']);
    expect(last).toMatchObject({ entries: [{ value: 5 }], count: 5 });
    expect(scanned).toEqual([1, 2, 3, 4, 5]);
    expect(await kv.count({ prefix: '' })).toBe(5);
    expect((await kv.deleteRange({ prefix: 'k' })).deleted).toBe(5);
  });

  test('reads no older than what it has seen', async () => {
    const kv = client.kv.namespace('tokens/');
    for (let i = 0; i < 10; i++) {
      const { revision } = await kv.put('a', String(i));

      expect((await kv.get('a', { noOlderThan: revision }))?.value).toBe(String(i));
    }
  });

  test('decides a transaction at once', async () => {
    const kv = client.kv.namespace('txn/');
    const claim = async (owner: string) =>
      kv.txn({
        if: [kv.when('owner').isMissing()],
        then: [kv.ops.put('owner', owner)],
        else: [kv.ops.get('owner')],
      });

    const claims = await Promise.all(['ann', 'bob', 'cem'].map(claim));

    const won = claims.filter(({ succeeded }) => succeeded);
    expect(won).toHaveLength(1);
    const owner = (await kv.get('owner'))?.value;
    for (const { succeeded, results } of claims) {
      const seen = succeeded ? { type: 'put' } : { type: 'get', entries: [{ value: owner }] };
      expect(results).toMatchObject([seen]);
    }
  });

  test('counts right in optimistic transactions, however many do it', async () => {
    const kv = client.kv.namespace('transact/').as(codecs.json<number>());
    const increment = async (): Promise<void> =>
      kv.transact(async (tx) => tx.put('counter', ((await tx.get('counter')) ?? 0) + 1));

    await Promise.all([1, 2, 3, 4].map(increment));
    await Promise.all([1, 2, 3].map(increment));

    expect((await kv.get('counter'))?.value).toBe(7);
  });

  test('is told what is wrong with a request', async () => {
    const huge = 'x'.repeat(3 * 1024 * 1024);

    expect(await errorOf(client.kv.put('', 'x'))).toMatchObject({
      ...{ code: 'EMPTY_KEY', outcome: 'rejected', retryable: false },
    });
    expect(await errorOf(client.kv.put('huge', huge))).toMatchObject({
      ...{ code: 'REQUEST_TOO_LARGE', outcome: 'rejected' },
    });
    expect(await errorOf(client.kv.get('a', { atRevision: 1_000_000 }))).toMatchObject({
      ...{ code: 'FUTURE_REVISION' },
    });
    expect(await errorOf(client.kv.put('a', 'x', { lease: 12345n }))).toMatchObject({
      ...{ code: 'LEASE_NOT_FOUND', outcome: 'rejected' },
    });
  });

  test('works when an endpoint is wrong, as long as another is right', async () => {
    const [free] = await freePorts(1);
    const endpoints = [`127.0.0.1:${free}`, ...side.endpoints];
    await using other = new Holdfast({ endpoints });

    const writes = Array.from({ length: 10 }, async (_, i) => other.kv.put(`some/${i}`, 'x'));

    expect(await Promise.all(writes)).toHaveLength(10);
  });

  test('in TLS to members without says so, and that nothing has happened', async () => {
    await using other = new Holdfast({ endpoints: side.endpoints, tls: true, timeoutMs: 500 });

    const error = await errorOf(other.kv.put('a', 'x'));

    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'rejected' });
    expect(error.message).toMatch(/put has not succeeded within 500 ms.*(SSL|TLS|version)/i);
  });

  test('watches every change of a range once, in order, from where it is asked to', async () => {
    const kv = client.kv.namespace('watched/').as(codecs.json<number>());
    const first = await kv.put('a', 1);
    await using past = kv.watch({ prefix: '' }, { startRevision: first.revision });
    await using deletions = kv.watch({ prefix: 'a' }, { only: 'delete', previous: true });
    await deletions.begun();
    await Promise.all(Array.from({ length: 200 }, async (_, i) => kv.put(`k${i % 7}`, i)));
    const last = await kv.delete('a');

    const seen = [];
    for await (const event of past) {
      seen.push(event);
      if (event.revision === last.revision) {
        break;
      }
    }
    for await (const event of deletions) {
      expect(event).toMatchObject({ type: 'delete', key: 'a', previous: { value: 1 } });
      break;
    }

    expect(seen).toHaveLength(202);
    expect(seen.map(({ revision }) => revision - first.revision)).toEqual(
      Array.from({ length: 202 }, (_, i) => i),
    );
    const puts = seen.flatMap((event) => (event.type === 'put' ? [event.entry.value] : []));
    expect(puts.slice(1).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  test('watches with a slow reader in bounded memory, and misses nothing', async () => {
    const kv = client.kv.namespace('slow/');
    const value = 'x'.repeat(1_000_000);
    await using slow = kv.watch({ prefix: '' });
    await slow.begun();
    await using quick = kv.watch({ prefix: 'end' });
    await quick.begun();
    for (let i = 0; i < 12; i++) {
      await kv.put(`k${i}`, value);
    }
    await kv.put('end', '');
    for await (const { key } of quick) {
      expect(key).toBe('end');
      break;
    }

    const keys: string[] = [];
    for await (const { key } of slow) {
      keys.push(key);
      if (key === 'end') {
        break;
      }
    }

    expect(keys).toEqual([...Array.from({ length: 12 }, (_, i) => `k${i}`), 'end']);
  });

  test('is told that what it wants to watch has been compacted', async () => {
    const { revision } = await client.kv.put('compacted', '1');
    const last = await client.kv.put('compacted', '2');
    await client.caller.call({
      ...{ what: 'compact', method: services['etcdserverpb.KV'].Compact, purpose: 'idempotent' },
      request: { revision: last.revision },
    });
    // A member that has not compacted yet still has it.
    const failure = async (): Promise<unknown> => {
      await using watch = client.kv.watch('compacted', { startRevision: revision });
      const read = watch.batches().next();
      return await read.then(
        () => undefined,
        (error: unknown) => error,
      );
    };

    await expect.poll(failure).toBeInstanceOf(CompactedError);
    expect(await failure()).toMatchObject({ compactRevision: last.revision, retryable: false });
  });

  test('ends a call, and a wait, whose signal is fired, and says so', async () => {
    const signal = AbortSignal.abort(new Error('enough'));

    for (const failure of [
      client.kv.put('a', 'x', { signal }),
      client.kv.getRange({ prefix: '' }, { signal }),
      client.kv.transact(async (tx) => tx.get('a'), { signal }),
      client.lock('a', { signal }),
      client.lease({ ttlSeconds: 5, signal }),
    ].map(errorOf)) {
      expect(await failure).toMatchObject({
        ...{ code: 'ABORTED', outcome: 'rejected', cause: new Error('enough') },
        hint: 'the caller has given it up',
      });
    }
  });

  test('that is closed fails every call', async () => {
    const other = new Holdfast({ endpoints: side.endpoints });
    await other.kv.put('a', 'x');

    await other.close();
    await other.close();

    for (const failure of [other.kv.get('a'), other.lock('a'), other.lease({ ttlSeconds: 5 })].map(
      errorOf,
    )) {
      expect(await failure).toMatchObject({
        ...{ code: 'CLIENT_CLOSED', hint: 'this client has been closed: make a new one' },
      });
    }
    expect(() => other.kv.watch('a')).toThrow('the client is closed');
  });
});

test('where nobody listens a call ends with its deadline, and says where', async () => {
  const [free] = await freePorts(1);
  await using client = new Holdfast({ endpoints: `127.0.0.1:${free}`, timeoutMs: 300 });

  const error = await errorOf(client.kv.put('a', 'x'));

  expect(error).toBeInstanceOf(HoldfastError);
  expect(error).toMatchObject({
    ...{ code: 'DEADLINE_EXCEEDED', outcome: 'rejected', endpoint: `127.0.0.1:${free}` },
  });
  expect(error.message).toContain('ECONNREFUSED');
});
