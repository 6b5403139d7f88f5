import { beforeEach, describe, expect, test } from 'vitest';
import * as kv from '../../src/kv/index.ts';
import { encodeConfiguration } from '../../src/raft/index.ts';
import { type SnapshotFormat, Snapshots } from '../../src/replica/snapshots.ts';
import { createMemoryEngine, type Engine } from '../../src/storage/index.ts';
import { StateDisk } from '../harness/memory-state.ts';
import { plainSnapshots } from '../harness/plain-snapshots.ts';
import { put } from '../kv/commands.ts';
import { Member } from '../kv/properties.ts';

let moving: boolean[];

let failed: unknown[];

function snapshots(format: SnapshotFormat = plainSnapshots): Snapshots {
  return new Snapshots({
    clusterId: 1,
    format,
    version: 'test',
    epochMs: () => 0,
    term: () => 1,
    onMoving: (isMoving) => {
      moving.push(isMoving);
    },
    onReadFailed: (error) => {
      failed.push(error);
    },
  });
}

/** An engine with the state of entry 2. */
async function state(): Promise<Engine> {
  const member = new Member(kv);
  const nobody = { votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const confState = { voters: [1], ...nobody };
  const membership = encodeConfiguration({ confState, context: new Uint8Array(0) });
  const command = kv.encodeCommand(put('a', '1'));
  member.apply([
    { index: 1, term: 1, command: new Uint8Array(0), membership },
    { index: 2, term: 1, command },
  ]);
  const engine = createMemoryEngine();
  await engine.write(member.store.records().map((record) => ({ type: 'put', ...record })));
  return engine;
}

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    expect(chunk.length).toBeGreaterThan(0);
  }
}

/** A member that fetches. */
const member = { minIndex: 1, formatVersionMax: 0 };

function ticks(subject: Snapshots, count: number): void {
  for (let i = 0; i < count; i++) {
    subject.tick();
  }
}

beforeEach(() => {
  moving = [];
  failed = [];
});

describe('Snapshots', () => {
  test('say when a first one begins to be read, and when the last one has ended', async () => {
    const engine = await state();
    const subject = snapshots();

    const first = await subject.open(engine);
    const second = await subject.open(engine, member);
    await drained(first.chunks);
    expect(moving).toEqual([true]);

    await second.chunks[Symbol.asyncIterator]().return?.();
    expect(moving).toEqual([true, false]);
  });

  test('are written for what their reader knows, and for files without a word', async () => {
    const asked: (number | undefined)[] = [];
    const subject = snapshots({
      ...plainSnapshots,
      versionMax: 5,
      createEncoder: (header, versionMax) => {
        asked.push(versionMax);
        return plainSnapshots.createEncoder(header);
      },
    });

    await drained((await subject.open(await state(), { ...member, formatVersionMax: 5 })).chunks);
    await drained((await subject.open(await state())).chunks);

    expect(asked).toEqual([5, 0]);
  });

  test('a state that cannot be read is told of, whatever is read of it', async () => {
    const engine = await state();
    const broken = new Error('damaged');
    const isBroken = { getMany: true };
    const pinned = engine.snapshot();
    const damaged: Engine = Object.assign(Object.create(engine) as Engine, {
      sizeBytes: async () => Promise.resolve(1),
      snapshot: () => ({
        getMany: async (keys: readonly Uint8Array[]) =>
          isBroken.getMany ? Promise.reject(broken) : pinned.getMany(keys),
        scan: async () => Promise.reject(broken),
        close: () => undefined,
      }),
    });
    const subject = snapshots();

    await expect(subject.open(damaged)).rejects.toBe(broken);
    expect(failed).toEqual([broken]);
    isBroken.getMany = false;
    const { chunks } = await subject.open(damaged);
    await expect(drained(chunks)).rejects.toBe(broken);
    expect(failed).toEqual([broken, broken]);
    expect(subject.serving).toBe(0);
  });

  test('one that is not to be had moves no more', async () => {
    const subject = snapshots();

    await expect(subject.open(await state(), { ...member, minIndex: 99 })).rejects.toMatchObject({
      code: 'UNHEALTHY',
    });

    expect(moving).toEqual([true, false]);
  });

  test('keep the log for a member, and a while after it has read; not for a backup', async () => {
    const engine = await state();
    const subject = snapshots();
    const backup = await subject.open(engine);
    expect(subject.retainIndex).toBe(Number.POSITIVE_INFINITY);
    await drained(backup.chunks);
    expect(subject.retainIndex).toBe(Number.POSITIVE_INFINITY);

    const fetched = await subject.open(engine, member);
    expect(subject.retainIndex).toBe(2);
    await drained(fetched.chunks);
    expect(subject.retainIndex).toBe(2);
    ticks(subject, 300);
    expect(subject.retainIndex).toBe(Number.POSITIVE_INFINITY);
  });

  test('as backups leave room for members', async () => {
    const engine = await state();
    const subject = snapshots();
    await subject.open(engine);
    await subject.open(engine);

    await expect(subject.open(engine)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await subject.open(engine, member);
    await subject.open(engine, member);
    await expect(subject.open(engine, member)).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
    });
  });

  test('that nobody reads on are given up, and say so; those that are read go on', async () => {
    const engine = await state();
    const subject = snapshots();
    const hanging = (await subject.open(engine, member)).chunks[Symbol.asyncIterator]();
    await hanging.next();
    ticks(subject, 599);
    const slow = (await subject.open(engine)).chunks[Symbol.asyncIterator]();
    expect(subject.serving).toBe(2);

    ticks(subject, 1);
    expect(subject.serving).toBe(1);
    await expect(hanging.next()).rejects.toMatchObject({ code: 'TIMEOUT' });
    ticks(subject, 598);
    expect((await slow.next()).done).toBe(false);
    ticks(subject, 599);
    expect(subject.serving).toBe(1);
  });

  test('one that is fetched moves until it is staged, or has failed', async () => {
    const sender = snapshots();
    const { chunks } = await sender.open(await state(), member);
    moving = [];
    const subject = snapshots();

    const fetched = await subject.fetch(new StateDisk().open(), chunks);
    expect(fetched.position.index).toBe(2);
    expect(moving).toContain(true);
    expect(moving.at(-1)).toBe(false);

    moving = [];
    const broken = (async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.reject<Uint8Array>(new Error('cut off'));
    })();
    await expect(subject.fetch(new StateDisk().open(), broken)).rejects.toThrow('cut off');
    expect(moving).toEqual([true, false]);
  });
});
