import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WatchSink } from '../../src/kv/index.ts';
import { type Queued, QueuedEvents, QueuedNotice, Watch } from '../../src/replica/queued-watch.ts';
import { WatchLine } from '../../src/replica/watch-line.ts';

const sink: WatchSink = {
  room: 1,
  offer: () => undefined,
  compacted: () => undefined,
  caughtUp: () => undefined,
};

function watch(id: number): Watch {
  const request = {
    ...{ ranges: [], startRevision: 0, prevKv: false, keysOnly: false, progressNotify: false },
    ...{ wantsPuts: true, wantsDeletes: true },
  };
  return new Watch(id, sink, request, 1);
}

/** What waits of a watch, as its links tell it from the one end; checked from the other. */
function waitingOf({ oldest, newest }: Watch): readonly Queued[] {
  const all: Queued[] = [];
  for (let each = oldest; each !== undefined; each = each.later) {
    all.push(each);
  }
  const back: Queued[] = [];
  for (let each = newest; each !== undefined; each = each.earlier) {
    back.unshift(each);
  }
  expect(back).toEqual(all);
  return all;
}

const operations = ['add', 'add', 'add', 'take', 'take and put back', 'remove'] as const;

test('a line keeps the order, in all and of each watch, whatever is taken out of it', () => {
  const step = fc.record({
    operation: fc.constantFrom(...operations),
    of: fc.nat(4),
    at: fc.nat(100),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const watches = [0, 1, 2].map(watch);
      const line = new WatchLine();
      let model: Queued[] = [];
      for (const { operation, of, at } of steps) {
        if (operation === 'add') {
          const owner = watches[of];
          const queued =
            owner === undefined
              ? new QueuedNotice({ type: 'progress', revision: at })
              : of === 0
                ? new QueuedNotice({ type: 'progress', watchId: 0, revision: at }, owner)
                : new QueuedEvents(owner, at);
          line.add(queued);
          model.push(queued);
        } else if (operation === 'remove') {
          const queued = model[at % Math.max(1, model.length)];
          if (queued !== undefined) {
            line.remove(queued);
            model = model.filter((each) => each !== queued);
          }
        } else {
          const taken = line.take();
          expect(taken).toBe(model[0]);
          if (taken !== undefined && operation === 'take and put back') {
            line.putBack(taken);
          } else {
            model.shift();
          }
        }
        expect(line.count).toBe(model.length);
        for (const each of watches) {
          expect(waitingOf(each)).toEqual(model.filter((queued) => queued.watch === each));
        }
      }
      expect(model.map(() => line.take())).toEqual(model);
      expect(line.take()).toBeUndefined();
    }),
  );
});
