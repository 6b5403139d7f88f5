/**
 * Watches see each change once, in order and whole, whatever happens: streams that break in the
 * middle of an answer, members that are behind, fall silent or refuse, compaction, slow readers,
 * watches that come and go on the same stream. A store with history, members that tell it, chance.
 */
import { describe, expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/index.ts';
import { CompactedError, type Holdfast, type Watch } from '../../src/client/index.ts';
import type { WatchCreateMessage, WatchEventAnswer, WatchMessage } from '../../src/wire/index.ts';
import type { ReceivedStream } from './fake-members.ts';
import { answer, deletion, put, setUpWatches } from './fake-watches.ts';

const seeds = Number(process.env['CLIENT_WATCH_SEEDS'] ?? 15);
const keys = ['a', 'b', 'c'];
const steps = 400;

/** What all members have in common. */
class Store {
  revision = 10;
  /** History begins after it. */
  compacted = 0;
  readonly history: WatchEventAnswer[] = [];

  write(prng: Prng): void {
    this.revision++;
    for (const key of keys) {
      if (prng.nextInt(0, 2) === 0) {
        const value = 'x'.repeat(prng.nextInt(0, 100_000));
        const isGone = prng.nextInt(0, 4) === 0;
        this.history.push(isGone ? deletion(key, this.revision) : put(key, this.revision, value));
      }
    }
  }
}

/** A watch at a member: what it is of, and from which revision on it has to be told. */
interface Told {
  readonly id: string;
  readonly isOf: (key: string) => boolean;
  next: number;
}

/** One stream at one member. */
class ServedStream {
  readonly watches = new Map<string, Told>();
  isSilent = false;
  readonly #store: Store;
  readonly #stream: ReceivedStream;
  readonly #prng: Prng;
  /** How far this member is. */
  #applied: number;
  #nextId = 0;
  /** Watches that have been asked for. */
  readonly #wanted: WatchCreateMessage[] = [];

  constructor(store: Store, stream: ReceivedStream, prng: Prng) {
    this.#store = store;
    this.#stream = stream;
    this.#prng = prng;
    this.#applied = store.revision - prng.nextInt(0, 4);
  }

  receive(message: WatchMessage): void {
    if (this.isSilent) {
      return;
    }
    if (message.type === 'cancel') {
      if (this.watches.delete(message.watchId)) {
        this.#tell({ watchId: message.watchId, isCanceled: true });
      }
    } else if (message.type === 'create') {
      this.#wanted.push(message.create);
    } else if ([...this.watches.values()].every(({ next }) => next > this.#applied)) {
      this.#tell({ watchId: '-1', isComplete: true });
    }
  }

  #create({ key, rangeEnd, startRevision }: WatchCreateMessage): void {
    const one = Buffer.from(key).toString();
    if (this.#prng.nextInt(0, 30) === 0) {
      this.#tell({ watchId: '-1', isCreated: true, isCanceled: true });
      return;
    }
    const id = String(this.#nextId++);
    const isOf = (each: string): boolean => rangeEnd !== undefined || each === one;
    const next = startRevision === 0 ? this.#applied + 1 : startRevision;
    this.watches.set(id, { id, isOf, next });
    this.#tell({ watchId: id, isCreated: true });
  }

  /** Tells a watch or two what it lacks, as much as chance will. */
  goOn(): void {
    if (this.isSilent) {
      return;
    }
    for (const create of this.#wanted.splice(0)) {
      this.#create(create);
    }
    this.#applied = Math.min(this.#store.revision, this.#applied + this.#prng.nextInt(0, 3));
    for (const watch of this.watches.values()) {
      if (this.#prng.nextInt(0, 2) === 0) {
        this.#tellWatch(watch);
      }
    }
  }

  #tellWatch(watch: Told): void {
    if (watch.next <= this.#store.compacted) {
      this.watches.delete(watch.id);
      this.#tell({
        watchId: watch.id,
        isCanceled: true,
        compactRevision: this.#store.compacted + 1,
      });
      return;
    }
    const last = Math.min(this.#applied, watch.next + this.#prng.nextInt(0, 4));
    const events = this.#store.history.filter(
      ({ kv }) =>
        kv.modRevision >= watch.next && kv.modRevision <= last && watch.isOf(kv.key.toString()),
    );
    watch.next = Math.max(watch.next, last + 1);
    // In parts, of which the stream may break off the last ones.
    while (events.length > 0) {
      const part = events.splice(0, this.#prng.nextInt(1, 4));
      this.#tell({ watchId: watch.id, events: part, isFragment: events.length > 0 });
      if (events.length > 0 && this.#prng.nextInt(0, 25) === 0) {
        this.#stream.end({ status: 'UNAVAILABLE' });
        return;
      }
    }
  }

  #tell(fields: Parameters<typeof answer>[0]): void {
    this.#stream.answer(answer({ revision: this.#applied, ...fields }));
  }
}

/** A reader with its own pace, and what it has seen. */
interface Reader {
  readonly watch: Watch<string>;
  readonly isOf: (key: string) => boolean;
  readonly first: number;
  readonly seen: string[];
  isClosed: boolean;
  end: unknown;
}

type Pause = (maxMs: number) => Promise<void>;

function read(client: Holdfast, prng: Prng, store: Store, pause: Pause): Reader {
  const isOne = prng.nextInt(0, 2) === 0;
  const key = keys[prng.nextInt(0, keys.length)] ?? 'a';
  const first = store.compacted + 1 + prng.nextInt(0, 5);
  const watch = client.kv.watch(isOne ? key : { prefix: '' }, { startRevision: first });
  const isOf = (each: string): boolean => !isOne || each === key;
  const reader: Reader = { watch, isOf, first, seen: [], isClosed: false, end: undefined };
  const pauseMaxMs = prng.nextInt(0, 3) === 0 ? 6000 : 100;
  void (async () => {
    for await (const event of watch) {
      reader.seen.push(`${event.type} ${event.key} ${event.revision}`);
      if (prng.nextInt(0, 4) === 0) {
        await pause(pauseMaxMs);
      }
    }
  })().catch((error: unknown) => {
    reader.end = error;
  });
  return reader;
}

async function lostOrRepeated(seed: number): Promise<string[]> {
  const prng = createPrng(seed);
  const oneIn = (count: number): boolean => prng.nextInt(0, count) === 0;
  const { client, members, loop, state, current } = setUpWatches();
  state.isTaking = false;
  const store = new Store();
  const served = new Map<ReceivedStream, ServedStream>();
  const at = (stream: ReceivedStream): ServedStream => {
    const there = served.get(stream) ?? new ServedStream(store, stream, prng);
    served.set(stream, there);
    return there;
  };
  members.onMessage = (stream, message) => at(stream).receive(message as WatchMessage);
  members.onCall = (call) =>
    at(current()).isSilent ? call.fail({ status: 'UNAVAILABLE' }) : call.answer({});
  let isCalm = false;
  const pause: Pause = async (maxMs) =>
    new Promise((resolve) => void loop.after(isCalm ? 1 : prng.nextInt(1, maxMs), resolve));
  const readers: Reader[] = [];
  for (let step = 0; step < steps; step++) {
    store.write(prng);
    if (readers.length === 0 || (readers.length < 8 && oneIn(10))) {
      readers.push(read(client, prng, store, pause));
    }
    if (oneIn(60)) {
      close(readers[prng.nextInt(0, readers.length)]);
    }
    if (oneIn(80)) {
      store.compacted = Math.max(store.compacted, store.revision - prng.nextInt(5, 60));
    }
    if (members.streams.length > 0) {
      if (oneIn(40)) {
        current().end({ status: 'UNAVAILABLE' });
      }
      at(current()).isSilent ||= oneIn(80);
      at(current()).goOn();
    }
    await loop.run(prng.nextInt(0, 60));
    // For a while nothing is written: watches come to the end, and are told so.
    for (let left = oneIn(40) ? 20 : 0; left > 0; left--) {
      at(current()).goOn();
      await loop.run(100);
    }
  }
  // Nothing more happens: everybody comes to the end.
  isCalm = true;
  const mistakes = (): string[] => readers.flatMap((reader) => mistakeOf(reader, store));
  for (let i = 0; i < 600 && mistakes().length > 0; i++) {
    at(current()).goOn();
    await loop.run(50);
  }
  return mistakes();
}

function close(reader: Reader | undefined): void {
  if (reader !== undefined) {
    reader.isClosed = true;
    reader.watch.close();
  }
}

/** What is wrong with what a reader has seen; empty if nothing is. */
function mistakeOf({ watch, isOf, first, seen, isClosed, end }: Reader, store: Store): string[] {
  const all = store.history
    .filter(({ kv }) => kv.modRevision >= first && isOf(kv.key.toString()))
    .map(({ type, kv }) => `${type} ${kv.key.toString()} ${kv.modRevision}`);
  const isCut = end instanceof CompactedError;
  const wrong = seen.findIndex((event, i) => event !== all[i]);
  if (wrong >= 0) {
    return [`${String(seen[wrong])} in the place of ${String(all[wrong])}`];
  }
  if (isCut && end.compactRevision <= watch.revision) {
    return [`cut off at ${watch.revision}, though history begins at ${end.compactRevision}`];
  }
  const isWhole = seen.length === all.length || isCut || isClosed;
  return isWhole ? [] : [`${seen.length} of ${all.length} seen; ${String(end)}`];
}

describe('a watch', () => {
  test.each(Array.from({ length: seeds }, (_, i) => i + 1))(
    'sees each change once, in order, to its end: seed %i',
    async (seed) => {
      expect(await lostOrRepeated(seed)).toEqual([]);
    },
  );
});
