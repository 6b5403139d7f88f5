/**
 * Write load for drills: every key is written once, by one writer, and never retried under the same
 * name, so afterwards each acknowledged key must be there with version 1, and each other key with
 * version 1 or not at all.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { KvClient } from '../harness/kv-client.ts';

const readyTimeoutMs = 30_000;

/** What a load has seen so far. */
export interface LoadRecord {
  /** Keys whose write was acknowledged, with the revision it was given. */
  readonly acknowledged: Map<string, number>;
  /** Keys whose write failed with an outcome that is not known. */
  readonly unknown: Set<string>;
  /** Keys whose write surely had no effect. */
  readonly rejected: Set<string>;
  /** Monotonic instants (ms) of acknowledged writes: call and return. */
  readonly times: { readonly callMs: number; readonly returnMs: number }[];
}

/**
 * Writers that go on until they are stopped, each over its own client, turning to the next after an
 * error.
 */
export class WriteLoad {
  readonly record: LoadRecord = {
    acknowledged: new Map(),
    unknown: new Set(),
    rejected: new Set(),
    times: [],
  };
  readonly #clients: readonly KvClient[];
  readonly #callTimeoutMs: number;
  readonly #writers: Promise<void>[] = [];
  #isStopped = false;

  constructor(clients: readonly KvClient[], callTimeoutMs: number) {
    this.#clients = clients;
    this.#callTimeoutMs = callTimeoutMs;
  }

  /** Each writer rests for `pauseMs` after each acknowledged write. */
  start(writers: number, prefix: string, pauseMs = 0): void {
    for (let writer = 0; writer < writers; writer++) {
      this.#writers.push(this.#write(writer, `${prefix}/${writer}`, pauseMs));
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#writers);
  }

  /**
   * Waits for the first acknowledged write that was called after `sinceMs`, and returns its return
   * time.
   */
  async firstWriteAfter(sinceMs: number, timeoutMs: number): Promise<number | undefined> {
    const endMs = performance.now() + timeoutMs;
    let from = 0;
    while (performance.now() < endMs) {
      const { times } = this.record;
      for (; from < times.length; from++) {
        const time = times[from];
        if (time !== undefined && time.callMs >= sinceMs) {
          return time.returnMs;
        }
      }
      await sleep(2);
    }
    return undefined;
  }

  async #write(writer: number, prefix: string, pauseMs: number): Promise<void> {
    let client = writer % this.#clients.length;
    for (let i = 0; !this.#isStopped; i++) {
      const key = `${prefix}/${i}`;
      const callMs = performance.now();
      // Clients may come and go while the load runs.
      const at = client % Math.max(1, this.#clients.length);
      const answer = await this.#clients[at]?.put(key, `value of ${key}`, this.#callTimeoutMs);
      if (answer?.kind === 'ok') {
        this.record.acknowledged.set(key, answer.revision);
        this.record.times.push({ callMs, returnMs: performance.now() });
        if (pauseMs > 0) {
          await sleep(pauseMs);
        }
      } else {
        (answer?.outcome === 'rejected' ? this.record.rejected : this.record.unknown).add(key);
        client = at + 1;
        await sleep(5);
      }
    }
  }
}

/** When writes were acknowledged, ascending. */
export function returnsOf({ times }: LoadRecord): readonly number[] {
  return times.map(({ returnMs }) => returnMs).sort((a, b) => a - b);
}

/** The longest time, ms, in which no write was acknowledged, between the first and the last one. */
export function longestGapMs(returns: readonly number[]): number {
  return returns.reduce((gap, at, i) => Math.max(gap, at - (returns[i - 1] ?? at)), 0);
}

/** Shorter pauses are those of a machine that does other things too. */
const stallMsMin = 250;

/**
 * How long nothing was acknowledged between two moments, ms: all stalls together, as far as they
 * are between them. `returns` are those of acknowledged writes, ascending.
 */
export function stalledMs(returns: readonly number[], fromMs: number, toMs: number): number {
  let sum = 0;
  for (const [i, endMs] of returns.entries()) {
    const beginMs = returns[i - 1] ?? endMs;
    if (endMs - beginMs >= stallMsMin) {
      sum += Math.max(0, Math.min(endMs, toMs) - Math.max(beginMs, fromMs));
    }
  }
  return sum;
}

/** What a look at the store says about a load. */
export interface Verdict {
  readonly lost: string[];
  readonly doubled: string[];
  readonly moved: string[];
  readonly happenedThoughRejected: string[];
}

/**
 * Compares the store, as one member sees it linearizably, with what was acknowledged. The member
 * may still be starting: that the others have a leader does not say that it listens already.
 */
export async function verifyLoad(
  record: LoadRecord,
  client: KvClient,
  prefix: string,
): Promise<Verdict> {
  await client.waitUntilReady(readyTimeoutMs);
  const kvs = await client.getPrefix(prefix);
  const stored = new Map(kvs.map((kv) => [kv.key, kv]));
  const verdict: Verdict = { lost: [], doubled: [], moved: [], happenedThoughRejected: [] };
  for (const [key, revision] of record.acknowledged) {
    const kv = stored.get(key);
    if (kv?.value !== `value of ${key}`) {
      verdict.lost.push(key);
    } else if (kv.modRevision !== revision) {
      verdict.moved.push(key);
    }
  }
  for (const kv of kvs) {
    if (kv.version !== 1) {
      verdict.doubled.push(kv.key);
    }
    if (record.rejected.has(kv.key)) {
      verdict.happenedThoughRejected.push(kv.key);
    }
  }
  return verdict;
}

/** The p-th percentile (0 to 100) by nearest rank. */
function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((p / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Median, tails and maximum in one line. */
export function describeDistribution(values: readonly number[]): string {
  const ranks = [50, 90, 99, 100];
  return ranks.map((rank) => `p${rank} ${percentile(values, rank).toFixed(0)}`).join(', ');
}
