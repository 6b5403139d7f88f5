/** Readers and writers whose every call is kept as a history for the checkers of `chaos/`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../../chaos/checkers/history.ts';
import type { StoreAnswer, StoreRequest } from '../../chaos/checkers/store.ts';
import type { KvClient } from '../harness/kv-client.ts';

/** How the load behaves. */
export interface RecordedLoadOptions {
  /** What every key begins with. */
  readonly prefix: string;
  readonly keys: number;
  /** Per member. */
  readonly readers: number;
  readonly writers: number;
  /** As long as a member may be away, so that what it answers afterwards is heard. */
  readonly timeoutMs: number;
  /** Between two calls of one process. */
  readonly pauseMs: number;
}

type Call = Pick<Operation<StoreRequest, StoreAnswer>, 'process' | 'call' | 'input'>;

/**
 * Each process keeps to its own member and has one call under way. Readers read all keys, every
 * third time a state that may be old.
 */
export class RecordedLoad {
  /** Reads that failed, and writes that surely had no effect, are not in it. */
  readonly history: Operation<StoreRequest, StoreAnswer>[] = [];
  readonly #options: RecordedLoadOptions;
  readonly #running: Promise<void>[] = [];
  #isStopped = false;
  #lastValue = 0;

  constructor(options: RecordedLoadOptions) {
    this.#options = options;
  }

  start(clients: readonly KvClient[]): void {
    for (const client of clients) {
      for (let i = 0; i < this.#options.readers; i++) {
        this.#running.push(this.#read(client, this.#running.length));
      }
      for (let i = 0; i < this.#options.writers; i++) {
        this.#running.push(this.#write(client, this.#running.length));
      }
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  async #read(client: KvClient, process: number): Promise<void> {
    const { prefix, timeoutMs, pauseMs } = this.#options;
    const rangeEnd = `${prefix}\u007f`;
    for (let i = 0; !this.#isStopped; i++) {
      const serializable = i % 3 === 2;
      const input: StoreRequest = { type: 'range', key: prefix, rangeEnd, serializable };
      const begun = { process, call: performance.now(), input };
      const answer = await client.maybeRange(prefix, { isSerializable: serializable, timeoutMs });
      if (answer !== undefined) {
        const { revision, kvs } = answer;
        this.#keep(begun, { revision, result: { type: 'range', kvs, count: kvs.length } });
      }
      await sleep(pauseMs);
    }
  }

  async #write(client: KvClient, process: number): Promise<void> {
    const { prefix, keys, timeoutMs, pauseMs } = this.#options;
    while (!this.#isStopped) {
      const value = String(++this.#lastValue);
      const key = `${prefix}${this.#lastValue % keys}`;
      const begun: Call = { process, call: performance.now(), input: { type: 'put', key, value } };
      const answer = await client.put(key, value, timeoutMs);
      if (answer.kind === 'ok') {
        this.#keep(begun, { revision: answer.revision, result: { type: 'put' } });
      } else if (answer.outcome === 'unknown') {
        this.#keep(begun, undefined);
      }
      await sleep(pauseMs);
    }
  }

  #keep(begun: Call, output: StoreAnswer | undefined): void {
    const returned = output === undefined ? undefined : performance.now();
    this.history.push({ ...begun, return: returned, output });
  }
}
