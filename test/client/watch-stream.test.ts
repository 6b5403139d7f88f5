/** One stream of watches to one member: which answer is of which watch. */
import { expect, test } from 'vitest';
import { WatchFeed } from '../../src/client/watch-feed.ts';
import { WatchStream } from '../../src/client/watch-stream.ts';
import type { WatchMessage } from '../../src/wire/index.ts';
import { answer, put, told } from './fake-watches.ts';

function setUp() {
  const log: unknown[] = [];
  const sent: WatchMessage[] = [];
  const nothing = (): undefined => undefined;
  const stream = new WatchStream(
    {
      onBegun: () => log.push('begun'),
      onRejected: (_, reason) => log.push(`rejected: ${reason}`),
      onEnd: (_, failure) => log.push(failure?.status ?? 'end'),
    },
    () => 0,
  );
  const call = {
    ...{ address: '127.0.0.1:1', end: nothing, cancel: nothing, pause: nothing, resume: nothing },
    write: (message: WatchMessage) => sent.push(message) > 0,
    forgetCredentials: () => false,
  };
  const source = { feedBytesMax: 1000, pause: nothing, resume: nothing, remove: nothing };
  const feeds = ['a', 'b', 'c'].map(
    (key) => new WatchFeed(source, { key: Buffer.from(key) }, 5),
  ) as [WatchFeed, WatchFeed, WatchFeed];
  return { stream, call, feeds, log, sent };
}

test('ids are told in the order in which watches were asked for', async () => {
  const { stream, call, feeds, log } = setUp();
  const [a, b, c] = feeds;
  stream.opened(call);
  feeds.forEach((feed) => stream.begin(feed));

  stream.onAnswer(answer({ watchId: '4', isCreated: true }));
  stream.onAnswer(answer({ watchId: '-1', isCreated: true, isCanceled: true, cancelReason: 'no' }));
  stream.onAnswer(answer({ watchId: '2', isCreated: true }));
  stream.onAnswer(told([put('c', 6)], { watchId: '2' }));
  stream.onAnswer(told([put('a', 7)], { watchId: '4' }));
  stream.onAnswer(told([put('x', 7)], { watchId: '3' }));

  expect(log).toEqual(['begun', 'rejected: no', 'begun']);
  expect([a, b, c].map(({ nextRevision }) => nextRevision)).toEqual([8, 5, 7]);
});

test('what still comes of a watch that has been stopped is for nobody', () => {
  const { stream, call, feeds, log, sent } = setUp();
  const [a] = feeds;
  stream.opened(call);
  stream.begin(a);
  stream.onAnswer(answer({ watchId: '0', isCreated: true }));

  stream.stop(a);
  stream.begin(a);
  stream.onAnswer(told([put('a', 6)], { watchId: '0' }));
  stream.onAnswer(answer({ watchId: '0', isCanceled: true }));

  expect(a.nextRevision).toBe(5);
  expect(log).toEqual(['begun']);
  expect(sent.map(({ type }) => type)).toEqual(['create', 'cancel', 'create']);
});

test('it ends once, and not after it was cancelled', () => {
  const [first, second] = [setUp(), setUp()];
  first.stream.opened(first.call);
  first.stream.onEnd(undefined);
  first.stream.onEnd(undefined);
  second.stream.cancel();
  second.stream.opened(second.call);
  second.stream.onEnd(undefined);

  expect(first.log).toEqual(['end']);
  expect(second.log).toEqual([]);
});
