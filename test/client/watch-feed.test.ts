/** One watch between stream and reader: whole revisions, each once, and the bound of what waits. */
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../src/client/index.ts';
import { type FeedSource, WatchFeed } from '../../src/client/watch-feed.ts';
import { answer, put, told } from './fake-watches.ts';

function setUp(startRevision = 5, feedBytesMax = 1000) {
  const log: string[] = [];
  const source: FeedSource = {
    feedBytesMax,
    pause: ({ nextRevision }) => log.push(`pause before ${nextRevision}`),
    resume: ({ nextRevision }) => log.push(`resume at ${nextRevision}`),
    remove: () => log.push('remove'),
  };
  const feed = new WatchFeed(source, { key: Buffer.from('a') }, startRevision);
  const next = async (): Promise<unknown> => {
    const batch = await feed.take();
    return (
      batch && [
        batch.revision,
        ...batch.events.map(({ kv }) => `${kv.key.toString()} ${kv.modRevision}`),
      ]
    );
  };
  return { feed, log, next };
}

test('a feed that is closed before it has begun does not say that it has', async () => {
  const { feed } = setUp();
  const begun = feed.begun().catch((error: unknown) => error);

  feed.close();

  expect(await begun).toMatchObject({ code: 'ABORTED' });
});

describe('a feed', () => {
  test('gives parts of an answer as soon as their revisions are whole', async () => {
    const { feed, next } = setUp();

    feed.received(told([put('a', 5), put('a', 6)], { isFragment: true }));
    expect(feed.nextRevision).toBe(6);
    feed.received(told([put('b', 6)], { isFragment: true }));
    expect(feed.nextRevision).toBe(6);
    feed.received(told([put('c', 6)]));

    expect(await next()).toEqual([5, 'a 5']);
    expect(await next()).toEqual([6, 'a 6', 'b 6', 'c 6']);
  });

  test('forgets the part of a revision that a stream has told, when another begins', async () => {
    const { feed, next } = setUp();

    feed.received(told([put('a', 5), put('a', 6)], { isFragment: true }));
    feed.onBegun(9);
    feed.received(told([put('a', 6), put('b', 6)]));

    expect(await next()).toEqual([5, 'a 5']);
    expect(await next()).toEqual([6, 'a 6', 'b 6']);
  });

  test('passes over what it has had', async () => {
    const { feed, next } = setUp();

    feed.received(told([put('a', 4), put('a', 5)]));
    feed.received(told([put('a', 5)]));
    feed.progressed(4);
    feed.received(told([put('a', 5), put('a', 7)]));

    expect(await next()).toEqual([5, 'a 5']);
    expect(await next()).toEqual([7, 'a 7']);
  });

  test('goes on after the newest revision when it has been told nothing yet', async () => {
    const { feed } = setUp(0);

    feed.onBegun(9);
    feed.onBegun(12);

    expect(await feed.begun()).toBe(10);
  });

  test('keeps the last word of progress only', async () => {
    const { feed, next } = setUp();

    feed.progressed(6);
    feed.progressed(7);
    feed.received(told([put('a', 8)]));
    feed.progressed(9);

    expect([await next(), await next(), await next()]).toEqual([[7], [8, 'a 8'], [9]]);
  });

  test('pauses beyond its bound, and goes on once half of that has been read', async () => {
    const { feed, log, next } = setUp(5, 1000);
    const large = 'x'.repeat(390);

    for (const revision of [5, 6, 7]) {
      feed.received(told([put('a', revision, large)]));
    }
    expect(feed.isWanted).toBe(false);
    await next();
    expect(log).toEqual(['pause before 8']);
    await next();

    expect(log).toEqual(['pause before 8', 'resume at 8']);
    expect(feed.isWanted).toBe(true);
  });

  test('is read to its end when it fails, and not when it is closed', async () => {
    const { feed, next, log } = setUp();
    const other = setUp();
    feed.received(told([put('a', 5)]));
    other.feed.received(told([put('a', 5)]));

    feed.fail(new HoldfastError('COMPACTED', 'over'));
    other.feed.close();

    expect(await next()).toEqual([5, 'a 5']);
    await expect(next()).rejects.toThrow('over');
    expect(await other.next()).toBeUndefined();
    expect(log).toEqual(['remove']);
  });

  test('that has ended while it was paused is not asked for again by reading it', async () => {
    const { feed, log, next } = setUp(5, 1000);
    for (const revision of [5, 6, 7]) {
      feed.received(told([put('a', revision, 'x'.repeat(390))]));
    }

    feed.fail(new HoldfastError('PERMISSION_DENIED', 'over'));
    await Promise.all([next(), next(), next()]);

    expect(log).toEqual(['pause before 8', 'remove']);
    await expect(next()).rejects.toThrow('over');
  });

  test('wakes its reader', async () => {
    const { feed, next } = setUp();
    const reading = next();

    feed.received(answer({ events: [put('a', 5)] }));

    expect(await reading).toEqual([5, 'a 5']);
  });
});
