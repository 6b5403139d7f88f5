/**
 * A distributed cron: each process looks at the clock; a job is run once for each time it is due,
 * by one of them. If that one dies in the middle, another one runs it again; times that passed
 * while no process was there are made up for by one run.
 */
import type { Holdfast } from 'holdfast/client';

/** Something to do from time to time. */
export interface CronJob {
  readonly name: string;
  readonly everyMs: number;
  /** `id` is the same when it is run again for the same time. */
  readonly run: (due: { readonly id: string; readonly signal: AbortSignal }) => Promise<void>;
}

/** See the module comment. */
export class Cron {
  readonly #client: Holdfast;
  readonly #nowMs: () => number;

  constructor(client: Holdfast, nowMs = (): number => Date.now()) {
    this.#client = client;
    this.#nowMs = nowMs;
  }

  /** To be called every second or so, by every process; whether this one has run the job. */
  async maybeRun(job: CronJob): Promise<boolean> {
    const { kv } = this.#client;
    const dueMs = Math.floor(this.#nowMs() / job.everyMs) * job.everyMs;
    if ((await this.#doneMs(job)) >= dueMs) {
      return false;
    }
    const lock = await this.#client.tryLock(`cron/running/${job.name}`);
    if (lock === undefined) {
      return false;
    }
    try {
      // Whoever had the lock before may have done it.
      if ((await this.#doneMs(job)) >= dueMs) {
        return false;
      }
      await job.run({ id: `${job.name}/${dueMs}`, signal: lock.signal });
      const { succeeded } = await kv.txn({
        if: [kv.when(lock.key).createRevisionIs(lock.token)],
        then: [kv.ops.put(`cron/done/${job.name}`, String(dueMs))],
      });
      return succeeded;
    } finally {
      await lock.release();
    }
  }

  async #doneMs(job: CronJob): Promise<number> {
    return Number((await this.#client.kv.get(`cron/done/${job.name}`))?.value ?? 0);
  }
}
