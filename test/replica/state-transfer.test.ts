/** Fetching snapshots; whole transfers between members are in `driver-membership.test.ts`. */
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { initialConfiguration } from '../../src/replica/membership.ts';
import type { FetchedSnapshot } from '../../src/replica/snapshots.ts';
import { StateTransfer } from '../../src/replica/state-transfer.ts';
import { createMemoryEngine } from '../../src/storage/index.ts';
import { StateDisk } from '../harness/memory-state.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

const request = { from: 2, minIndex: 7 };

/** Snapshots come at once, or as told; what becomes of them is noted. */
function start({ failure = undefined as Error | undefined } = {}) {
  const loop = new VirtualLoop();
  const events: string[] = [];
  const failures: unknown[] = [];
  const host = { isReplacing: false };
  const note = (fields: object): void => {
    events.push(String((fields as { event: unknown }).event));
  };
  const fetched: FetchedSnapshot = {
    position: { index: 7, term: 2, configuration: initialConfiguration([]) },
    ...{ senderTerm: 3, bytes: 100 },
    staged: {
      engine: createMemoryEngine(),
      activate: async () => Promise.resolve(),
      discard: async () => {
        events.push('discarded');
        return Promise.resolve();
      },
    },
  };
  const transfer = new StateTransfer({
    transport: { fetchSnapshot: () => nothing() },
    snapshots: {
      formatVersionMax: 1,
      fetch: async () =>
        failure === undefined ? Promise.resolve(fetched) : Promise.reject(failure),
    },
    store: new StateDisk().open(),
    eventLoop: loop,
    logger: { info: note, warn: note, error: note },
    isReplacing: () => host.isReplacing,
    onFailed: (error) => {
      failures.push(error);
    },
  });
  return { loop, events, failures, host, transfer };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // No chunk at all.
}

describe('StateTransfer', () => {
  test('gives what it has fetched to whoever wants it', async () => {
    const { loop, events, transfer } = start();
    const taken: number[] = [];

    const isBegun = transfer.maybeFetch(request, ({ position }) => {
      taken.push(position.index);
      return true;
    });
    await loop.run(0);

    expect(isBegun).toBe(true);
    expect(taken).toEqual([7]);
    expect(events).toEqual(['snapshot-fetching', 'snapshot-fetched']);
  });

  test('gives up what is of no use any more', async () => {
    const { loop, events, transfer } = start();

    transfer.maybeFetch(request, () => false);
    await loop.run(0);

    expect(events).toEqual(['snapshot-fetching', 'snapshot-fetched', 'discarded']);
  });

  test('one at a time: none is staged beside one that is fetched, or to be installed', async () => {
    const { loop, host, transfer } = start();

    expect(transfer.maybeFetch(request, () => true)).toBe(true);
    expect(transfer.maybeFetch(request, () => true)).toBe(false);
    await loop.run(1000);
    host.isReplacing = true;
    expect(transfer.maybeFetch(request, () => true)).toBe(false);
    host.isReplacing = false;

    expect(transfer.maybeFetch(request, () => true)).toBe(true);
  });

  test('a failure is logged and makes a pause, whoever asks next', async () => {
    const { loop, events, failures, transfer } = start({ failure: new KvError('UNHEALTHY') });

    transfer.maybeFetch(request, () => true);
    await loop.run(900);
    expect(transfer.maybeFetch(request, () => true)).toBe(false);
    await loop.run(100);

    expect(transfer.maybeFetch(request, () => true)).toBe(true);
    expect(events.slice(0, 2)).toEqual(['snapshot-fetching', 'snapshot-fetch-failed']);
    expect(failures).toEqual([]);
  });

  test('a full disk makes a long pause: what was sent is thrown away', async () => {
    const { loop, transfer } = start({ failure: new KvError('DISK_FULL') });

    transfer.maybeFetch(request, () => true);
    await loop.run(29_900);
    expect(transfer.maybeFetch(request, () => true)).toBe(false);
    await loop.run(100);

    expect(transfer.maybeFetch(request, () => true)).toBe(true);
  });

  test('a taker that fails is told of, unless it only lacks room', async () => {
    const { loop, failures, transfer } = start();
    const broken = new KvError('STORAGE_FAILED');

    transfer.maybeFetch(request, async () => Promise.reject(new KvError('DISK_FULL')));
    await loop.run(30_000);
    transfer.maybeFetch(request, async () => Promise.reject(broken));
    await loop.run(0);

    expect(failures).toEqual([broken]);
  });

  test('once it is stopped nothing is fetched or taken', async () => {
    const { events, transfer } = start();

    transfer.maybeFetch(request, () => true);
    await transfer.stop();

    expect(transfer.maybeFetch(request, () => true)).toBe(false);
    expect(events).toEqual(['snapshot-fetching', 'snapshot-fetched', 'discarded']);
  });
});
