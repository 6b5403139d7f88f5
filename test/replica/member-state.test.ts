/** A state that another one replaces while it is read. */
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { MemberState } from '../../src/replica/member-state.ts';
import { StateDisk } from '../harness/memory-state.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { entriesOf, get, put } from './commands.ts';

/** A state on a disk, into which commands can be put, as one batch. */
async function open(disk: StateDisk, loop = new VirtualLoop()) {
  const state = await MemberState.open(disk.open(), {
    cacheBytesMax: 0,
    handler: {
      onApplied: ignore,
      onReadable: ignore,
      onFatal: fail,
      onDamaged: fail,
      onRemoved: ignore,
      hasListeners: () => true,
      hasReaders: () => false,
      eventLoop: loop,
    },
  });
  const apply = async (...commands: Parameters<typeof entriesOf>[0]): Promise<void> => {
    const entries = entriesOf(commands, state.machine.lastApplied.index + 1);
    state.lane.push({ entries, proposalIds: entries.map(() => 0) });
    await loop.run(1);
  };
  return { state, apply, loop };
}

function ignore(): void {
  // Of no interest.
}

function fail(error: unknown): void {
  throw error;
}

/** Another state, with these values of `a`, staged beside that of `disk`. */
async function stagedWith(disk: StateDisk, ...values: readonly string[]) {
  const source = new StateDisk();
  const { apply } = await open(source);
  for (const value of values) {
    await apply(put('a', value));
  }
  const staged = await disk.open().stage();
  const all = { gte: new Uint8Array(0), lt: new Uint8Array([255, 255]), limit: 1000 };
  const records = await source.engine.scan(all);
  await staged.engine.write(records.map(({ key, value }) => ({ type: 'put', key, value })));
  return staged;
}

function hold(disk: StateDisk): () => void {
  let release: () => void = () => undefined;
  disk.switchGate = new Promise((resolve) => {
    release = resolve;
  });
  return () => {
    release();
  };
}

function valueOf(answer: { readonly result: { readonly kvs: readonly { value: Uint8Array }[] } }) {
  return new TextDecoder().decode(answer.result.kvs[0]?.value);
}

describe('A read while the state is replaced', () => {
  test('waits for the newer state, and sees that', async () => {
    const disk = new StateDisk();
    const { state, apply, loop } = await open(disk);
    await apply(put('a', 'old'));
    const staged = await stagedWith(disk, 'x', 'newer');
    const release = hold(disk);
    const installing = state.install(staged, { index: 2, term: 1 });
    let isRead = false;
    const reading = state.readRange(get('a')).finally(() => {
      isRead = true;
    });
    await loop.run(10);
    expect(isRead).toBe(false);

    release();
    await loop.settle(installing);

    expect(valueOf(await loop.settle(reading))).toBe('newer');
  });

  test('fails where the other state is older, and may lack what it is to see', async () => {
    const disk = new StateDisk();
    const { state, apply, loop } = await open(disk);
    await apply(put('a', 'old'));
    await apply(put('a', 'new'));
    const staged = await stagedWith(disk, 'old');
    const release = hold(disk);
    const installing = state.install(staged, { index: 1, term: 1 });
    const reading = state.readRange(get('a')).catch((error: unknown) => error);
    await loop.run(10);

    release();
    await loop.settle(installing);

    expect(await loop.settle(reading)).toMatchObject({ code: 'STOPPED' });
    expect(valueOf(await loop.settle(state.readRange(get('a'))))).toBe('old');
  });

  test('fails when no other state comes', async () => {
    const disk = new StateDisk();
    const { state, apply, loop } = await open(disk);
    await apply(put('a', 'old'));
    const broken = new KvError('STORAGE_FAILED');
    const installing = state
      .install(
        { engine: disk.engine, activate: async () => Promise.reject(broken), discard },
        { index: 2, term: 1 },
      )
      .catch((error: unknown) => error);
    const reading = state.readRange(get('a')).catch((error: unknown) => error);

    expect(await loop.settle(installing)).toBe(broken);

    expect(await loop.settle(reading)).toMatchObject({ code: 'STOPPED' });
  });
});

async function discard(): Promise<void> {
  return Promise.resolve();
}

describe('A hash of the keyspace', () => {
  test('is given up between two trips to the engine once its client has gone', async () => {
    const disk = new StateDisk();
    const { state, apply, loop } = await open(disk);
    await apply(put('a', 'x'));
    const gone = new AbortController();

    const hashing = state.hashKv(0, gone.signal).catch((error: unknown) => error);
    gone.abort(new KvError('CANCELLED'));

    expect(await loop.settle(hashing)).toMatchObject({ code: 'CANCELLED' });
    expect(await loop.settle(state.hashKv(0))).toMatchObject({ hashRevision: 2 });
  });
});
