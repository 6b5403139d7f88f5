/**
 * Asks every member, again and again, what it takes itself to be: over connections that no fault
 * touches.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Recorder, SampleRecord } from './history.ts';
import type { Cluster } from './topology/cluster.ts';
import type { MemberControl } from './topology/member.ts';

const periodMs = 100;
/** One that takes longer to say what it is, is silent. */
const patienceMs = 400;

/** See the module comment. */
export class Observer {
  readonly #cluster: Cluster;
  readonly #recorder: Recorder;
  readonly #asking: Promise<void>[] = [];
  #isStopped = false;

  constructor(cluster: Cluster, recorder: Recorder) {
    this.#cluster = cluster;
    this.#recorder = recorder;
    for (const member of cluster.members) {
      this.#asking.push(this.#ask(member));
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#asking);
  }

  async #ask(member: MemberControl): Promise<void> {
    while (!this.#isStopped) {
      this.#recorder.add(await this.#sample(member));
      await sleep(periodMs);
    }
  }

  async #sample({ name, isRunning }: MemberControl): Promise<SampleRecord> {
    const base = { kind: 'sample', member: name } as const;
    if (!isRunning) {
      return { ...base, atMs: this.#recorder.nowMs(), state: 'down' };
    }
    try {
      const status = await this.#cluster.operator(name).status(patienceMs);
      const node = status.header?.member_id ?? '';
      const leads = status.leader !== '0' && status.leader === node;
      return {
        ...base,
        atMs: this.#recorder.nowMs(),
        state: leads ? 'leader' : status.isLearner ? 'learner' : 'follower',
        node,
        term: Number(status.raftTerm),
        leader: status.leader,
        commitIndex: Number(status.raftIndex),
        revision: Number(status.header?.revision ?? 0),
      };
    } catch {
      // That it does not answer is what there is to say.
      return { ...base, atMs: this.#recorder.nowMs(), state: 'silent' };
    }
  }
}
