/**
 * One cluster with clients, watchers and an observer, and the steps that whatever tests it takes:
 * start, load, inject, observe, heal, verify. A run of a suite goes through them by itself; a
 * scenario led by a person can take the same steps one by one.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPrng, type Prng } from '../src/base/index.ts';
import { type HistoryView, viewHistory } from './checkers/history-view.ts';
import { judge, type Verdict } from './checks.ts';
import { type FaultRecord, Recorder } from './history.ts';
import type { Fault, FaultContext, Injected, Setting } from './nemesis/fault.ts';
import { Observer } from './observer.ts';
import { Cluster, type ReadMode } from './topology/cluster.ts';
import { attachContainers } from './topology/containers.ts';
import { prefixOf } from './topology/links.ts';
import { Watcher } from './watcher.ts';
import { Session } from './workloads/session.ts';
import type { Workload } from './workloads/workload.ts';

/** What a scenario is made of. */
export interface ScenarioOptions {
  readonly workload: Workload;
  /** Every fault that will be injected: some prepare what members start with. */
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly size: number;
  /** History, logs and data go here. */
  readonly directory: string;
  readonly toxiproxyUrl: string;
  /** The cluster of containers that runs, instead of processes of one's own. */
  readonly isAttached?: boolean | undefined;
  /** What members run; this project's own when left out. */
  readonly command?: string | undefined;
  /** How members confirm reads, instead of what faults ask for. */
  readonly readMode?: ReadMode | undefined;
}

const clientsPerMember = 2;
const roamingClients = 2;
const restMsDefault = 15;
const callTimeoutMs = 1500;
const startLimitMs = 30_000;
const healLimitMs = 20_000;
/** How long a member is asked for its final read: it has had time to heal. */
const finalReadLimitMs = 30_000;
/** How long watchers of the watch workload stay, milliseconds. */
const watcherStayMs: readonly [number, number] = [300, 3000];

/** What is there before a scenario is. */
interface Parts {
  readonly cluster: Cluster;
  readonly recorder: Recorder;
  /** As faults have left it. */
  readonly setting: Setting;
  /** Ends what faults have laid out. */
  readonly clearAway: readonly (() => Promise<void>)[];
}

/** A fault that is on, and since when. */
export interface RunningFault {
  readonly fault: Fault;
  readonly injected: Injected;
  readonly fromMs: number;
}

/** See the module comment. */
export class Scenario {
  readonly cluster: Cluster;
  readonly recorder: Recorder;
  readonly prng: Prng;
  readonly #options: ScenarioOptions;
  readonly #readMode: ReadMode;
  readonly #members: readonly string[];
  readonly #clearAway: readonly (() => Promise<void>)[];
  readonly #observer: Observer;
  readonly #watchers: Watcher[] = [];
  readonly #sessions: Session[] = [];
  readonly #working: Promise<void>[] = [];
  #isWorking = false;

  private constructor(options: ScenarioOptions, { cluster, recorder, setting, clearAway }: Parts) {
    this.#options = options;
    this.cluster = cluster;
    this.recorder = recorder;
    this.prng = setting.prng;
    this.#readMode = setting.readMode ?? 'read-index';
    this.#members = cluster.names.slice();
    this.#clearAway = clearAway;
    this.#observer = new Observer(cluster, recorder);
  }

  /** Starts a cluster and waits until it has a leader. */
  static async start(options: ScenarioOptions): Promise<Scenario> {
    const { directory, size, faults, seed, toxiproxyUrl } = options;
    await mkdir(directory, { recursive: true });
    const recorder = new Recorder(join(directory, 'history.jsonl'));
    const { readMode } = options;
    const setting: Setting = { directory, size, prng: createPrng(seed), recorder, readMode };
    const clearAway: (() => Promise<void>)[] = [];
    for (const fault of faults) {
      if (fault.prepare !== undefined) {
        clearAway.push(await fault.prepare(setting));
      }
    }
    const cluster =
      options.isAttached === true
        ? await attachContainers(toxiproxyUrl)
        : await Cluster.start({
            ...{ size, directory, toxiproxyUrl, command: options.command },
            ...{ dataDirs: setting.dataDirs, envOf: setting.envOf, readMode: setting.readMode },
            prefix: prefixOf(`${seed}`),
            onCrash: (member, how) => {
              recorder.add({ kind: 'crash', member, atMs: recorder.nowMs(), how });
            },
          });
    const scenario = new Scenario(options, { cluster, recorder, setting, clearAway });
    try {
      await cluster.waitForLeader(startLimitMs);
      await scenario.recover();
    } catch (error) {
      await scenario.#observer.stop();
      await scenario.stop(true);
      throw error;
    }
    return scenario;
  }

  get nowMs(): number {
    return this.recorder.nowMs();
  }

  /** Sets the store up and lets clients and watchers work. */
  async work(): Promise<void> {
    const { workload } = this.#options;
    const first = this.#session([0]);
    await workload.setup?.(first);
    this.#isWorking = true;
    for (const [i, name] of this.#members.entries()) {
      this.#watchers.push(new Watcher(name, this.cluster.connect(i), this.recorder));
      for (let client = 0; client < clientsPerMember; client++) {
        this.#work(this.#session([i]));
      }
    }
    const all = Array.from(this.#members.keys());
    for (let client = 0; client < roamingClients; client++) {
      this.#work(this.#session([...all.slice(client), ...all.slice(0, client)]));
    }
    if (workload.name === 'watch') {
      this.#comeAndGo();
    }
  }

  /** Lets so many more clients work, without rest; returns how to send them away. */
  crowd(count: number): () => Promise<void> {
    const all = Array.from(this.#members.keys());
    const crowd = Array.from({ length: count }, (_, i) =>
      this.#session([...all.slice(i % all.length), ...all.slice(0, i % all.length)]),
    );
    const going = crowd.map(async (session) => this.#keepAtIt(session, 0));
    this.#working.push(...going);
    return async () => {
      for (const session of crowd) {
        session.stop();
      }
      await Promise.all(going);
    };
  }

  /** Injects a fault. */
  async inject(fault: Fault): Promise<RunningFault> {
    const injected = await fault.inject(this.#context());
    return { fault, injected, fromMs: this.nowMs };
  }

  /** Heals a fault, once there is evidence of it, and writes it down. */
  async heal({ fault, fromMs, injected }: RunningFault): Promise<FaultRecord> {
    const evidence = await injected.evidence();
    await injected.heal();
    const { what, members, keepsMajority } = injected;
    const record: FaultRecord = {
      kind: 'fault',
      name: fault.name,
      what,
      fromMs,
      toMs: this.nowMs,
      members,
      keepsMajority,
      evidence,
    };
    this.recorder.add(record);
    return record;
  }

  /** Waits until every member serves again. */
  async recover(): Promise<void> {
    const endMs = this.nowMs + healLimitMs;
    for (const name of this.#members) {
      const operator = this.cluster.operator(name);
      for (;;) {
        const { outcome } = await operator.call(
          { type: 'range', key: 'ready' },
          { timeoutMs: 500 },
        );
        if (outcome === 'ok' || this.nowMs > endMs) {
          break;
        }
        await sleep(50);
      }
    }
  }

  /** Lets the clients end what they are at, and waits for what ends by itself. */
  async rest(): Promise<void> {
    this.#isWorking = false;
    for (const session of this.#sessions) {
      session.stop();
    }
    await Promise.all(this.#working);
    await sleep(this.#options.workload.settleMs ?? 0);
  }

  /** Reads everything from every member, waits for the watchers, asks for hashes, and judges. */
  async verify(): Promise<{ readonly view: HistoryView; readonly verdict: Verdict }> {
    let revision = 0;
    for (const i of this.#members.keys()) {
      revision = Math.max(revision, await this.#readFinally(i));
    }
    for (const watcher of this.#watchers) {
      await watcher.hasCaughtUp(revision, healLimitMs);
      await watcher.stop();
    }
    await this.#observer.stop();
    await this.#hash(revision);
    await this.#readLogs();
    const view = viewHistory(this.recorder.lines, this.#members);
    return { view, verdict: judge(view, this.#options.workload) };
  }

  /** Ends everything; data stays if it is needed to find out what went wrong. */
  async stop(keepsData: boolean): Promise<void> {
    await this.cluster.stop(keepsData);
    await this.recorder.close();
    for (const clear of this.#clearAway) {
      await clear();
    }
    for (let i = 1; i <= this.#options.size; i++) {
      await rm(join(this.#options.directory, `disk${i}`), { recursive: true, force: true });
    }
  }

  #context(): FaultContext {
    const { cluster, prng, recorder } = this;
    const { directory } = this.#options;
    const readMode = this.#readMode;
    return { cluster, prng, recorder, members: this.#members, directory, readMode };
  }

  #session(members: readonly number[]): Session {
    const serial = this.#sessions.length;
    const session = new Session({
      connections: members.map((i) => this.cluster.connect(i)),
      recorder: this.recorder,
      prng: createPrng(this.#options.seed * 1000 + serial),
      callTimeoutMs,
    });
    this.#sessions.push(session);
    return session;
  }

  #work(session: Session): void {
    const { restMs = restMsDefault } = this.#options.workload;
    this.#working.push(this.#keepAtIt(session, restMs));
  }

  async #keepAtIt(session: Session, restMs: number): Promise<void> {
    const worker = this.#working.length;
    while (!session.isStopped) {
      await this.#options.workload.step(session, worker);
      await sleep(restMs * (session.prng.nextInt(50, 150) / 100));
    }
  }

  /** Watchers that leave and come back at random moments. */
  #comeAndGo(): void {
    const prng = createPrng(this.#options.seed + 1);
    for (const i of this.#members.keys()) {
      const name = `${this.#members[i] ?? ''} coming and going`;
      const watcher = new Watcher(name, this.cluster.connect(i), this.recorder);
      this.#watchers.push(watcher);
      const going = async () => {
        while (this.#isWorking) {
          await sleep(prng.nextInt(...watcherStayMs));
          watcher.interrupt();
        }
      };
      this.#working.push(going());
    }
  }

  async #readFinally(i: number): Promise<number> {
    const session = new Session({
      connections: [this.cluster.connect(i)],
      recorder: this.recorder,
      prng: this.prng,
      callTimeoutMs: 5000,
      isFinal: true,
    });
    const endMs = this.nowMs + finalReadLimitMs;
    while (this.nowMs < endMs) {
      const { outcome, revision } = await session.call({
        type: 'range',
        key: '\0',
        rangeEnd: '\0',
      });
      if (outcome === 'ok') {
        return revision ?? 0;
      }
      await sleep(100);
    }
    return 0;
  }

  async #hash(revision: number): Promise<void> {
    for (const member of this.#members) {
      try {
        const answer = await this.cluster.operator(member).hashKv(revision, 10_000);
        this.recorder.add({
          kind: 'hash',
          member,
          revision,
          compactRevision: Number(answer.compact_revision),
          hash: answer.hash,
        });
      } catch (error) {
        // The check of convergence reports a member without a hash.
        console.error(`${member} told no hash: ${String(error)}`);
      }
    }
  }

  async #readLogs(): Promise<void> {
    for (const member of this.cluster.members) {
      for (const { event, role, term } of await member.events()) {
        if (event === 'role-changed' && role === 'leader') {
          this.recorder.add({ kind: 'leadership', member: member.name, term: Number(term) });
        }
      }
    }
  }
}
