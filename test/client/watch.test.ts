/** Watches as users have them: what they are told, and how a watch ends. */
import { describe, expect, test } from 'vitest';
import {
  codecs,
  CompactedError,
  type HoldfastError,
  type WatchEvent,
} from '../../src/client/index.ts';
import { callbackWarnings } from './callback-warnings.ts';
import { answer, deletion, kvOf, put, setUpWatches, told } from './fake-watches.ts';

/** The next `count` of what is iterated over. */
async function take<T>(from: AsyncIterator<T, unknown>, count: number): Promise<readonly T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { done, value } = await from.next();
    if (done === true) {
      break;
    }
    taken.push(value);
  }
  return taken;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const seen = ({ type, key, revision }: WatchEvent<unknown>): string => `${type} ${key} ${revision}`;

describe('a watch', () => {
  test('asks for a key, a prefix or a range within its namespace', async () => {
    const { client, created, settle } = setUpWatches({ namespace: 'ns/' });
    const kv = client.kv.namespace('a/');

    kv.watch('k');
    kv.watch({ prefix: 'p/' }, { startRevision: 7, previous: true });
    kv.watch({ from: 'b', to: 'd' }, { only: 'put' });
    kv.watch({ from: 'b' }, { only: 'delete' });
    await settle();

    const texts = created().map(({ key, rangeEnd, ...rest }) => ({
      range: `${text(key)} ${rangeEnd === undefined ? '' : text(rangeEnd)}`,
      ...rest,
    }));
    const always = { progressNotify: true, fragment: true };
    expect(texts).toEqual([
      { range: 'ns/a/k ', startRevision: 0, prevKv: false, ...always },
      { range: 'ns/a/p/ ns/a/p0', startRevision: 7, prevKv: true, ...always },
      { range: 'ns/a/b ns/a/d', startRevision: 0, without: 'delete', prevKv: false, ...always },
      { range: 'ns/a/b ns/a0', startRevision: 0, without: 'put', prevKv: false, ...always },
    ]);
    await client.close();
  });

  test('tells changes one by one, values by the codec and keys without prefix', async () => {
    const { client, current, settle } = setUpWatches();
    const watch = client.kv.namespace('n/').as(codecs.json<number>()).watch({ prefix: '' });
    await settle();

    current().answer(
      told([{ ...put('n/a', 11, '1'), prevKv: kvOf('n/a', 9, '0') }, deletion('n/b', 12, true)]),
    );

    expect(await take(watch[Symbol.asyncIterator](), 2)).toMatchObject([
      { type: 'put', key: 'a', revision: 11, entry: { value: 1 }, previous: { value: 0 } },
      { type: 'delete', key: 'b', revision: 12, previous: undefined, isExpiry: true },
    ]);
    await client.close();
  });

  test('tells changes in whole revisions, and progress where nothing changes', async () => {
    const { client, current, settle } = setUpWatches();
    const watch = client.kv.watch({ prefix: '' });
    await settle();

    current().answer(told([put('a', 11), put('b', 11), put('a', 13)]));
    current().answer(answer({ watchId: '-1', revision: 15, isComplete: true }));
    const batches = await take(watch.batches(), 2);

    expect(batches.map(({ revision, events }) => [revision, ...events.map(seen)])).toEqual([
      [13, 'put a 11', 'put b 11', 'put a 13'],
      [15],
    ]);
    expect(watch.revision).toBe(15);
    await client.close();
  });

  test('knows what has been read of it, whole revisions only', async () => {
    const { client, current, settle } = setUpWatches();
    const watch = client.kv.watch({ prefix: '' });
    await settle();
    current().answer(told([put('a', 11), put('b', 11), put('a', 13)]));

    const revisions: number[] = [];
    for await (const { revision } of watch) {
      revisions.push(watch.revision);
      if (revision === 13) {
        break;
      }
    }

    expect(revisions).toEqual([10, 10, 13]);
    await client.close();
  });

  test('that is listened to has been read as far as its listener has come', async () => {
    const { client, current, settle } = setUpWatches();
    const watch = client.kv.watch({ prefix: '' });
    await settle();
    const revisions: number[] = [];
    const ends: unknown[] = [];
    watch.listen({
      onEvent: ({ revision }) => {
        revisions.push(watch.revision);
        if (revision === 12) {
          throw new Error('out of order');
        }
      },
      onEnd: (error) => ends.push(error),
    });

    current().answer(told([put('a', 11), put('b', 12), put('c', 13)]));
    await settle();

    expect(revisions).toEqual([10, 11]);
    expect(watch.revision).toBe(11);
    expect(ends).toMatchObject([{ message: 'out of order' }]);
    await client.close();
  });

  test('tells nothing more once it is closed or aborted, though more has come', async () => {
    const { client, current, settle } = setUpWatches();
    const controller = new AbortController();
    const { signal } = controller;
    const heard: unknown[] = [];
    const closed = client.kv.watch({ prefix: '' });
    closed.listen({
      onEvent: (event) => {
        heard.push(seen(event));
        closed.close();
      },
      onProgress: (revision) => void heard.push(revision),
      onEnd: (error) => heard.push(error),
    });
    const read = (async () => {
      for await (const { revision } of client.kv.watch({ prefix: '' }, { signal })) {
        heard.push(revision);
        controller.abort();
      }
    })().catch((error: unknown) => heard.push((error as HoldfastError).code));
    await settle();

    const news = [put('a', 11), put('b', 12), put('c', 13)];
    current().answer(told(news, { watchId: '0' }));
    await settle();
    current().answer(told(news, { watchId: '1' }));
    await read;

    expect(heard).toEqual(['put a 11', undefined, 11, 'ABORTED']);
    await client.close();
  });

  test('tells when it has begun, and from which revision on', async () => {
    const { client } = setUpWatches();

    expect(await client.kv.watch('a').begun()).toBe(11);
    expect(await client.kv.watch('a', { startRevision: 5 }).begun()).toBe(5);
    await client.close();
  });

  test('tells a listener, one thing after the other', async () => {
    const { client, current, settle } = setUpWatches();
    const log: unknown[] = [];
    const watch = client.kv.watch({ prefix: '' });
    watch.listen({
      onEvent: async (event) => {
        log.push(seen(event));
        await Promise.resolve();
        log.push('done');
      },
      onProgress: (revision) => void log.push(revision),
      onEnd: (error) => void log.push(error),
    });
    await settle();

    current().answer(told([put('a', 11), put('b', 12)]));
    await settle();
    watch.close();
    await settle();

    expect(log).toEqual(['put a 11', 'done', 'put b 12', 'done', 12, undefined]);
    await client.close();
  });

  test('ends with what its listener throws', async () => {
    const { client, current, settle } = setUpWatches();
    const ends: unknown[] = [];
    client.kv.watch({ prefix: '' }).listen({
      onEvent: () => {
        throw new Error('no');
      },
      onEnd: (error) => void ends.push(error),
    });
    await settle();

    current().answer(told([put('a', 11)]));
    await settle();

    expect(ends).toEqual([new Error('no')]);
    expect(current().received.at(-1)).toEqual({ type: 'cancel', watchId: '0' });
    await client.close();
  });

  test('has nothing more to end when its listener throws at the end', async () => {
    const warnings = callbackWarnings();
    const { client, settle } = setUpWatches();
    const watch = client.kv.watch({ prefix: '' });
    watch.listen({
      onEvent: () => undefined,
      onEnd: () => {
        throw new Error('no');
      },
    });
    await settle();

    watch.close();
    await settle();

    expect(warnings()).toMatchObject([{ message: 'onEnd of a watch has thrown: no' }]);
    await client.close();
  });

  test('that its reader leaves is cancelled at the member', async () => {
    const { client, current, settle } = setUpWatches();
    const watch = client.kv.watch({ prefix: '' });
    await settle();
    current().answer(told([put('a', 11), put('b', 12)]));

    for await (const event of watch) {
      expect(event.key).toBe('a');
      break;
    }

    expect(current().received.at(-1)).toEqual({ type: 'cancel', watchId: '0' });
    await client.close();
  });

  test('has one reader', async () => {
    const { client } = setUpWatches();
    const watch = client.kv.watch({ prefix: '' });
    const first = watch.batches().next();

    await expect(watch.batches().next()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    watch.close();
    expect(await first).toMatchObject({ done: true });
    await client.close();
  });
});

describe('a watch ends', () => {
  test('when history is gone, after what has come, and names the revision', async () => {
    const { client, current, settle } = setUpWatches();
    const watch = client.kv.watch({ prefix: '' }, { startRevision: 3 });
    await settle();

    current().answer(told([put('a', 3)]));
    current().answer(answer({ isCanceled: true, compactRevision: 8 }));
    const reader = watch[Symbol.asyncIterator]();

    expect(await take(reader, 1)).toHaveLength(1);
    const error: unknown = await reader.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CompactedError);
    expect(error).toMatchObject({ code: 'COMPACTED', compactRevision: 8 });
    expect(String(error)).toContain('revision 4 is compacted, history begins at 8');
    await client.close();
  });

  test('when its signal is fired, at once', async () => {
    const { client, current, settle } = setUpWatches();
    const controller = new AbortController();
    const watch = client.kv.watch({ prefix: '' }, { signal: controller.signal });
    await settle();
    current().answer(told([put('a', 11)]));

    controller.abort(new Error('enough'));

    await expect(watch.batches().next()).rejects.toMatchObject({
      ...{ code: 'ABORTED', cause: new Error('enough') },
    });
    expect(() => client.kv.watch({ prefix: '' }, { signal: controller.signal })).toThrow(
      'watch was aborted',
    );
    await client.close();
  });

  test('with its client', async () => {
    const { client, streams, settle } = setUpWatches();
    const next = client.kv.watch({ prefix: '' }).batches().next();
    await settle();

    await client.close();

    await expect(next).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(() => client.kv.watch({ prefix: '' })).toThrow('the client is closed');
    expect(streams()[0]?.isCancelled).toBe(true);
  });

  test('when it is closed: a loop over it is over', async () => {
    const { client, current, settle } = setUpWatches();
    const watch = client.kv.watch({ prefix: '' });
    await settle();
    current().answer(told([put('a', 11)]));

    await watch[Symbol.asyncDispose]();
    watch.close();

    expect(await take(watch.batches(), 1)).toEqual([]);
    await client.close();
  });

  test('when a value cannot be read, whose key is named', async () => {
    const { client, current, settle } = setUpWatches();
    const watch = client.kv.as(codecs.json()).watch({ prefix: '' });
    await settle();

    current().answer(told([put('a', 11, '{')]));

    await expect(watch.batches().next()).rejects.toMatchObject({ code: 'BAD_VALUE' });
    await client.close();
  });

  test('before it begins, when it asks for what cannot be', async () => {
    const { client } = setUpWatches();

    expect(() => client.kv.watch('')).toThrow('the key is empty');
    expect(() => client.kv.watch({ from: 'b', to: 'a' })).toThrow('ends where it begins');
    expect(() => client.kv.watch('a', { startRevision: 0 })).toThrow('startRevision is 0');
    expect(() => client.kv.watch('a', { startRevision: Number.NaN })).toThrow('give 1 or more');
    await client.close();
  });
});
