/**
 * The real driver under virtual time on slow disks, while members crash and come back at random:
 * each of them answers reads again, of everything that was acknowledged.
 */
import { describe, expect, test } from 'vitest';
import { createPrng, KvError, must, type Prng } from '../../src/base/index.ts';
import type { Engine, LogStore, StagedState, StateStore } from '../../src/storage/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import type { VirtualLoop } from '../harness/virtual-loop.ts';
import { get, put } from './commands.ts';

const logCompaction = { entriesMax: 40, bytesMax: 1024 * 1024, marginEntries: 5 };
const keysPerWriter = 5;
/** Milliseconds, of virtual time, after which a member that is back has answered for all keys. */
const recoveryMsMax = 10_000;

/** How long each call to a disk takes. */
interface Slowness {
  readonly loop: VirtualLoop;
  readonly prng: Prng;
  readonly delayMsMax: number;
}

async function pause({ loop, prng, delayMsMax }: Slowness): Promise<void> {
  const ms = prng.nextInt(0, 4) === 0 ? prng.nextInt(0, delayMsMax) : 0;
  if (ms > 0) {
    await new Promise<void>((resolve) => {
      loop.after(ms, resolve);
    });
  }
}

/** The same, each of whose calls named here takes a while. */
function slowed<T extends object>(target: T, names: readonly (keyof T)[], slowness: Slowness): T {
  return new Proxy(target, {
    get: (inner, name) => {
      const value = Reflect.get(inner, name, inner) as unknown;
      if (typeof value !== 'function') {
        return value;
      }
      const call = value.bind(inner) as (...args: readonly unknown[]) => unknown;
      return names.includes(name as keyof T)
        ? async (...args: readonly unknown[]) => {
            await pause(slowness);
            const result = await call(...args);
            await pause(slowness);
            return result;
          }
        : call;
    },
  });
}

const engineCalls = ['write', 'getMany', 'scan', 'flush', 'sizeBytes'] as const;

function slowState(store: StateStore, slowness: Slowness): StateStore {
  let seen: Engine | undefined;
  let slow: Engine | undefined;
  const engine = (): Engine => {
    if (slow === undefined || seen !== store.engine) {
      seen = store.engine;
      slow = slowed(seen, engineCalls, slowness);
    }
    return slow;
  };
  const stage = async (): Promise<StagedState> => {
    await pause(slowness);
    const staged = await store.stage();
    return {
      engine: slowed(staged.engine, engineCalls, slowness),
      activate: async (position) => {
        await pause(slowness);
        await staged.activate(position);
        await pause(slowness);
      },
      discard: async () => staged.discard(),
    };
  };
  return new Proxy(store, {
    get: (inner, name) => {
      if (name === 'engine') {
        return engine();
      }
      if (name === 'stage') {
        return stage;
      }
      const value = Reflect.get(inner, name, inner) as unknown;
      return typeof value === 'function' ? (value.bind(inner) as unknown) : value;
    },
  });
}

/** Three members, their writers, and what these were promised. */
class Story {
  readonly cluster: VirtualCluster;
  readonly #prng: Prng;
  /** The newest acknowledged number under each key. */
  readonly #acknowledged = new Map<string, number>();
  #isOver = false;
  #count = 0;

  constructor(seed: number) {
    this.#prng = createPrng(seed);
    this.cluster = new VirtualCluster(3, seed, { logCompaction });
  }

  async start(id: number): Promise<void> {
    const { cluster } = this;
    const { loop } = cluster;
    const slowness = { loop, prng: this.#prng, delayMsMax: this.#prng.nextInt(1, 120) };
    const state = slowState(cluster.state(id).open(), slowness);
    await loop.settle(
      cluster.start(id, {
        state,
        log: slowed<LogStore>(cluster.newLog(id), ['append', 'read', 'compact', 'reset'], slowness),
      }),
    );
  }

  /** One writer: the next number to one of its keys, by a member that runs. */
  async write(writer: number): Promise<void> {
    const { cluster } = this;
    while (!this.#isOver) {
      const key = `${writer}/${this.#prng.nextInt(0, keysPerWriter)}`;
      const value = ++this.#count;
      const { members } = cluster;
      const member = members[this.#prng.nextInt(0, members.length)];
      try {
        await must(member, 'a member that runs').propose(put(key, `${value}`), {
          deadlineMs: 2000,
        });
        this.#acknowledged.set(key, value);
      } catch (error) {
        // It may have happened or not; nobody was promised anything.
        expect(error).toBeInstanceOf(KvError);
        await this.#rest(50);
      }
      await this.#rest(this.#prng.nextInt(0, 10));
    }
  }

  end(): void {
    this.#isOver = true;
  }

  /** Member `id` answers soon; what it has of each key was acknowledged last, or came later. */
  async check(id: number): Promise<void> {
    const { cluster } = this;
    const promised = [...this.#acknowledged];
    const startMs = cluster.loop.nowMs();
    for (const [key, value] of promised) {
      expect(await cluster.loop.settle(this.#read(id, key))).toBeGreaterThanOrEqual(value);
    }
    expect(cluster.loop.nowMs() - startMs).toBeLessThan(recoveryMsMax);
  }

  /** One member crashes, and comes back. */
  async round(): Promise<void> {
    const { cluster } = this;
    const id = this.#prng.nextInt(1, 4);
    await cluster.loop.run(this.#prng.nextInt(0, 1500));
    await cluster.loop.settle(cluster.crash(id));
    await cluster.loop.run(this.#prng.nextInt(0, 2500));
    await this.start(id);
    await this.check(id);
  }

  async #rest(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.cluster.loop.after(ms, resolve);
    });
  }

  /** The number under `key`, once member `id` gives it. */
  async #read(id: number, key: string): Promise<number> {
    for (;;) {
      try {
        const { result } = await this.cluster.member(id).range(get(key), { deadlineMs: 1000 });
        return Number(Buffer.from(must(result.kvs[0], 'a key that was put').value).toString());
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/TIMEOUT|LEADER/) as string });
        await this.#rest(20);
      }
    }
  }
}

/** `DRIVER_SEEDS=FROM..TO` runs others. */
const [first = 1, last = 12] = (process.env['DRIVER_SEEDS'] ?? '1..12').split('..').map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('members that crash and come back', () => {
  test.each(seeds)('answer reads again, of all that was acknowledged: seed %i', async (seed) => {
    const story = new Story(seed);
    for (const id of [1, 2, 3]) {
      await story.start(id);
    }
    await story.cluster.leader();
    const writers = [1, 2, 3, 4].map(async (writer) => story.write(writer));

    for (let round = 0; round < 8; round++) {
      await story.round();
    }

    story.end();
    await story.cluster.loop.settle(Promise.all(writers));
    expect(story.cluster.fatals).toEqual([]);
  });
});
