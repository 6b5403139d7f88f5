/** When the log is shortened; how far: `log-compaction.test.ts`. */
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { LogKeeper } from '../../src/replica/log-keeper.ts';

/** A log that may go up to 10, once; what happens is noted, and its compaction fails as told. */
function start({ readableIndex = 20 } = {}) {
  let mayGo: number | undefined = 10;
  const order: string[] = [];
  const failures: (Error | undefined)[] = [];
  const fatals: unknown[] = [];
  const note = (fields: object): void => {
    order.push(String((fields as { event: unknown }).event));
  };
  const keeper = new LogKeeper({
    log: {
      sizeBytes: () => 0,
      compact: async (index) => {
        order.push(`log ${index}`);
        const failure = failures.shift();
        await (failure === undefined ? Promise.resolve() : Promise.reject(failure));
      },
    },
    replica: {
      maybeCompact: ({ durableIndex }) => (durableIndex >= 20 ? mayGo : undefined),
      compacted: (index) => {
        mayGo = undefined;
        order.push(`raft ${index}`);
      },
    },
    state: {
      lane: {
        readableIndex,
        appliedIndex: 20,
        checkpoint: () => {
          order.push('checkpoint');
        },
      },
      engine: {
        flush: async () => {
          order.push('flush');
          return Promise.resolve();
        },
      },
    },
    snapshots: { retainIndex: Number.POSITIVE_INFINITY },
    logger: { info: note, warn: note, error: note },
    onFatal: (error) => {
      fatals.push(error);
    },
  });
  const compact = async (): Promise<void> => {
    keeper.maybeCompact();
    await keeper.idle();
  };
  return { order, failures, fatals, keeper, compact };
}

describe('LogKeeper', () => {
  test('the state is on disk, and Raft told, before anything of the log goes', async () => {
    const { order, compact } = start();

    await compact();

    expect(order).toEqual(['flush', 'raft 10', 'log 10', 'log-compacted']);
  });

  test('what only the engine lacks is written to it first', async () => {
    const { order, compact } = start({ readableIndex: 19 });

    await compact();

    expect(order).toEqual(['checkpoint']);
  });

  test('a disk without room is told of once and waited out', async () => {
    const { order, failures, fatals, compact } = start();
    failures.push(new KvError('DISK_FULL'), new KvError('DISK_FULL'));

    await compact();
    await compact();
    await compact();

    await compact();

    // Raft is told once: nothing more goes before that has.
    expect(order).toEqual([
      ...['flush', 'raft 10', 'log 10', 'log-compaction-delayed'],
      ...['log 10', 'log 10', 'log-compacted'],
    ]);
    expect(fatals).toEqual([]);
  });

  test('any other failure is final', async () => {
    const { failures, fatals, compact } = start();
    const broken = new KvError('STORAGE_FAILED');
    failures.push(broken);

    await compact();

    expect(fatals).toEqual([broken]);
  });

  test('once it is stopped nothing goes any more', async () => {
    const { order, keeper, compact } = start();

    keeper.maybeCompact();
    await keeper.stop();
    await compact();

    expect(order).toEqual(['flush']);
  });
});
