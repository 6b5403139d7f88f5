/**
 * A worker of which one works at a time: the leader takes jobs from a queue in the store; the
 * others stand by, and one goes on within seconds of its death.
 *
 * A job's result is written, and the job removed, in one transaction that holds only while this
 * worker leads. So a worker that was too slow to notice that it leads no longer writes nothing, and
 * each job has one result.
 */
import type { Entry, Holdfast, Kv, Leadership } from 'holdfast/client';

/** Does a job; may be called again for the same one when a leader has died. */
export type Work = (job: string, context: { readonly signal: AbortSignal }) => Promise<string>;

/** How a worker takes part. */
export interface WorkerOptions {
  readonly name: string;
  readonly work: Work;
  readonly signal: AbortSignal;
  /** Seconds until another one leads after a leader's process has died. */
  readonly ttlSeconds?: number;
}

/** Queues a job. */
export async function addJob(client: Pick<Holdfast, 'kv'>, id: string, job: string): Promise<void> {
  await client.kv.put(`jobs/${id}`, job);
}

/** Works while it leads, and stands by otherwise, until the signal fires. */
export async function runWorker(client: Holdfast, options: WorkerOptions): Promise<void> {
  const { name, signal, ttlSeconds = 5 } = options;
  const election = client.election('worker');
  try {
    while (!signal.aborted) {
      const leadership = await election.campaign(name, { signal, ttlSeconds });
      try {
        await lead(client.kv, leadership, options);
      } finally {
        await leadership.resign();
      }
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}

/** Until leadership is lost, or the worker is to end. */
async function lead(
  kv: Kv<string>,
  leadership: Leadership<string>,
  { work, signal }: WorkerOptions,
): Promise<void> {
  const end = AbortSignal.any([signal, leadership.signal]);
  try {
    while (!end.aborted) {
      const job = await nextJob(kv, end);
      const result = await work(job.value, { signal: end });
      await kv.txn({
        if: [
          kv.when(leadership.key).createRevisionIs(leadership.token),
          kv.when(job.key).modRevisionIs(job.modRevision),
        ],
        then: [kv.ops.delete(job.key), kv.ops.put(job.key.replace('jobs/', 'results/'), result)],
      });
    }
  } catch (error) {
    if (!end.aborted) {
      throw error;
    }
  }
}

/** The first job of the queue, as soon as there is one. */
async function nextJob(kv: Kv<string>, signal: AbortSignal): Promise<Entry<string>> {
  const { entries, revision } = await kv.getRange({ prefix: 'jobs/' }, { limit: 1, signal });
  const [job] = entries;
  if (job !== undefined) {
    return job;
  }
  const changes = kv.watch(
    { prefix: 'jobs/' },
    { startRevision: revision + 1, only: 'put', signal },
  );
  for await (const event of changes) {
    if (event.type === 'put') {
      return event.entry;
    }
  }
  throw new Error('a watch ends with an error only');
}
