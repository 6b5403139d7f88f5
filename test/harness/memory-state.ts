/** State stores in memory whose content survives the runs of a member. */
import { assert } from '../../src/base/index.ts';
import {
  createMemoryEngine,
  type Engine,
  type EngineSnapshot,
  type LogPosition,
  type StagedState,
  type StateStore,
} from '../../src/storage/index.ts';

/** The part that survives. */
export class StateDisk {
  engine: Engine = createMemoryEngine();
  installed: LogPosition | undefined;
  /** When set, reads fail with it until the state has been replaced. */
  readFailure: Error | undefined;
  /** The same for writes. */
  writeFailure: Error | undefined;
  /** When set, writes wait for it: a slow disk. */
  writeGate: Promise<void> | undefined;
  /** When set, a state takes the place of another one only after it. */
  switchGate: Promise<void> | undefined;
  #staged: Engine | undefined;

  /** Its content is gone, as when a damaged folder was moved away. */
  lose(): void {
    this.engine = createMemoryEngine();
    this.installed = undefined;
    this.readFailure = undefined;
    this.writeFailure = undefined;
  }

  /** What a crash leaves at this moment; a state that was staged is gone. */
  async copy(): Promise<StateDisk> {
    const { installed } = this;
    const pinned = this.engine.snapshot();
    const copy = new StateDisk();
    copy.installed = installed;
    await copyAll(pinned, copy.engine);
    pinned.close();
    return copy;
  }

  /** What one run of a member sees: closing it ends the run, not the data. */
  open(): StateStore {
    const close = async (): Promise<void> => this.#discard(this.#staged);
    const current = (): Engine => surviving(this.engine, this);
    const installed = (): LogPosition | undefined => this.installed;
    return {
      get engine() {
        return current();
      },
      get installed() {
        return installed();
      },
      stage: async () => this.#stage(),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async #stage(): Promise<StagedState> {
    await this.#discard(this.#staged);
    const engine = createMemoryEngine();
    this.#staged = engine;
    return {
      engine,
      activate: async (position) => {
        await this.switchGate;
        assert(this.#staged === engine, 'what is activated is what was staged last');
        void this.engine.retire();
        this.engine = engine;
        this.installed = position;
        this.readFailure = undefined;
        this.writeFailure = undefined;
        this.#staged = undefined;
      },
      discard: async () => this.#discard(engine),
    };
  }

  async #discard(staged: Engine | undefined): Promise<void> {
    if (staged !== undefined && this.#staged === staged) {
      this.#staged = undefined;
      await staged.close();
    }
  }
}

async function copyAll(from: EngineSnapshot, to: Engine): Promise<void> {
  const everything = { gte: new Uint8Array(), lt: new Uint8Array([0xff]) };
  const limits = { limit: Number.MAX_SAFE_INTEGER, bytesMax: Number.MAX_SAFE_INTEGER };
  const records = await from.scan({ ...everything, ...limits });
  await to.write(records.map(({ key, value }) => ({ type: 'put', key, value })));
}

function surviving(engine: Engine, disk: StateDisk): Engine {
  const close = async (): Promise<void> => engine.flush();
  const write: Engine['write'] = async (batch) => {
    await disk.writeGate;
    if (disk.writeFailure !== undefined) {
      throw disk.writeFailure;
    }
    await engine.write(batch);
  };
  return new Proxy(engine, {
    get: (target, name) => {
      if (name === 'close' || name === Symbol.asyncDispose) {
        return close;
      }
      if (name === 'write') {
        return write;
      }
      const failure = disk.readFailure;
      if (failure !== undefined && (name === 'getMany' || name === 'scan')) {
        return async () => Promise.reject(failure);
      }
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
