/**
 * What every StateStore must do. The factory gives a harness around one store: `open` opens it, and
 * opening again after `close` must find what was flushed and switched to.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Engine, EngineReader, StateStore } from '../../src/storage/index.ts';

/** One store that can be opened again and again. */
export interface StateStoreHarness {
  open(): Promise<StateStore>;
  dispose(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Writes one record. */
export async function putText(engine: Engine, key: string, value: string): Promise<void> {
  await engine.write([{ type: 'put', key: bytes(key), value: bytes(value) }]);
}

/** All records, as `key=value`. */
export async function textsOf(reader: EngineReader): Promise<string[]> {
  const range = { gte: bytes('a'), lt: bytes('zzz'), limit: 1000 };
  const decoder = new TextDecoder();
  return (await reader.scan(range)).map(
    ({ key, value }) => `${decoder.decode(key)}=${decoder.decode(value)}`,
  );
}

/** Runs the suite; `create` makes an empty store. */
export function describeStateStore(name: string, create: () => Promise<StateStoreHarness>): void {
  describe(`${name} as a StateStore`, { timeout: 60_000 }, () => {
    let harness: StateStoreHarness;
    let store: StateStore;
    beforeEach(async () => {
      harness = await create();
      store = await harness.open();
    });
    afterEach(async () => {
      await store.close();
      await harness.dispose();
    });
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await harness.open();
    };

    test('begins empty, and keeps what is written', async () => {
      expect(await textsOf(store.engine)).toEqual([]);
      expect(store.installed).toBeUndefined();
      await putText(store.engine, 'a', '1');
      await reopen();

      expect(await textsOf(store.engine)).toEqual(['a=1']);
      expect(store.installed).toBeUndefined();
    });

    test('a staged generation is empty, and apart from the current one', async () => {
      await putText(store.engine, 'a', 'old');
      const staged = await store.stage();
      await putText(staged.engine, 'b', 'new');

      expect(await textsOf(staged.engine)).toEqual(['b=new']);
      expect(await textsOf(store.engine)).toEqual(['a=old']);
    });

    test('an activated generation is the current one, also after a reopen', async () => {
      await putText(store.engine, 'a', 'old');
      const staged = await store.stage();
      await putText(staged.engine, 'b', 'new');
      await staged.activate({ index: 12, term: 3 });

      expect(await textsOf(store.engine)).toEqual(['b=new']);
      expect(store.installed).toEqual({ index: 12, term: 3 });
      await putText(store.engine, 'c', 'later');
      await reopen();
      expect(await textsOf(store.engine)).toEqual(['b=new', 'c=later']);
      expect(store.installed).toEqual({ index: 12, term: 3 });
    });

    test('a staged generation that is not activated leaves nothing behind', async () => {
      await putText(store.engine, 'a', 'old');
      const staged = await store.stage();
      await putText(staged.engine, 'b', 'new');
      await reopen();

      expect(await textsOf(store.engine)).toEqual(['a=old']);
      expect(await textsOf((await store.stage()).engine)).toEqual([]);
    });

    test('discarding changes nothing of the current one, and may be done twice', async () => {
      await putText(store.engine, 'a', 'old');
      const staged = await store.stage();
      await putText(staged.engine, 'b', 'new');
      await staged.discard();
      await staged.discard();

      expect(await textsOf(store.engine)).toEqual(['a=old']);
      expect(await textsOf((await store.stage()).engine)).toEqual([]);
    });

    test('staging another one discards the first', async () => {
      const first = await store.stage();
      await putText(first.engine, 'a', 'first');
      const second = await store.stage();
      await putText(second.engine, 'b', 'second');
      await first.discard();
      await second.activate({ index: 5, term: 1 });

      expect(await textsOf(store.engine)).toEqual(['b=second']);
    });

    test('a snapshot of the old generation is readable until it is closed', async () => {
      await putText(store.engine, 'a', 'old');
      const snapshot = store.engine.snapshot();
      const staged = await store.stage();
      await staged.activate({ index: 5, term: 1 });
      await putText(store.engine, 'a', 'new');

      expect(await textsOf(snapshot)).toEqual(['a=old']);
      snapshot.close();
      expect(await textsOf(store.engine)).toEqual(['a=new']);
    });

    test('a read under way outlives the switch', async () => {
      await putText(store.engine, 'a', 'old');
      const staged = await store.stage();
      const reading = textsOf(store.engine);
      await staged.activate({ index: 5, term: 1 });

      expect(await reading).toEqual(['a=old']);
    });

    test('generation follows generation', async () => {
      for (let round = 1; round < 5; round++) {
        const staged = await store.stage();
        await putText(staged.engine, 'a', String(round));
        await staged.activate({ index: round * 10, term: round });
      }
      await reopen();

      expect(await textsOf(store.engine)).toEqual(['a=4']);
      expect(store.installed).toEqual({ index: 40, term: 4 });
    });

    test('closes twice, with a snapshot of an old generation still open', async () => {
      await putText(store.engine, 'a', 'old');
      const snapshot = store.engine.snapshot();
      const staged = await store.stage();
      await staged.activate({ index: 5, term: 1 });
      await store.close();
      await store.close();

      snapshot.close();
    });
  });
}
