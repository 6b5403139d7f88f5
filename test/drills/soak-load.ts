/**
 * Mixed load for the soak drill: puts, deletes, transactions of several keys, and leases that are
 * renewed, revoked or left to end, at a given rate. Every value is written once, so that an event
 * tells which write it is of.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../../src/base/index.ts';
import type { KvClient } from '../harness/kv-client.ts';
import type { LeaseClient } from '../harness/lease-client.ts';
import type { EventLedger, HeardEvent } from './event-ledger.ts';
import { LeaseLife } from './lease-life.ts';
import { longestGapMs, stalledMs } from './load.ts';

const callTimeoutMs = 3000;
const writers = 12;
const leaseholders = 8;
const keys = 50;
const renewalMs = 400;

/** What the load works with. */
export interface SoakLoadOptions {
  readonly prng: Prng;
  /** Of the members that take writes. */
  readonly clients: readonly KvClient[];
  readonly leaseClients: readonly LeaseClient[];
  readonly prefixes: readonly string[];
  /** Aim; more than the cluster can take is not asked of it. */
  readonly writesPerSecond: number;
}

type Outcome = 'ok' | 'rejected' | 'unknown';

/** A value, and what became of its write. */
interface Written {
  readonly key: string;
  readonly outcome: Outcome;
  /** Of the store after it. */
  readonly revision: number;
}

/** See the module comment. */
export class SoakLoad {
  /** By value. */
  readonly #puts = new Map<string, Written>();
  /** Deletions of something that was there, by key and revision. */
  readonly #deletes = new Set<string>();
  /** How many deletions of a key may have happened besides. */
  readonly #maybeDeletes = new Map<string, number>();
  readonly #livesByKey = new Map<string, LeaseLife>();
  /** Those whose key was surely attached. */
  readonly lives: LeaseLife[] = [];
  /** Monotonic instants (ms) of acknowledged writes. */
  readonly #returns: number[] = [];
  readonly #options: SoakLoadOptions;
  #running: readonly Promise<void>[] = [];
  #isStopped = false;
  #values = 0;
  /** The newest revision that a write was told. */
  revision = 0;

  constructor(options: SoakLoadOptions) {
    this.#options = options;
  }

  start(): void {
    const { prefixes } = this.#options;
    this.#running = [
      ...Array.from({ length: writers }, async (_, i) => this.#write(i)),
      ...Array.from({ length: leaseholders }, async (_, i) =>
        this.#holdLeases(i, prefixes[i % prefixes.length] ?? ''),
      ),
    ];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  /** Leases that have not been seen to end. */
  get livesGoing(): number {
    return this.lives.filter(({ endedMs }) => endedMs === undefined).length;
  }

  /** The longest time, ms, without an acknowledged write. */
  get longestGapMs(): number {
    return longestGapMs(this.#returns);
  }

  /** How long nothing was acknowledged between two moments, ms. */
  stalledMs(fromMs: number, toMs: number): number {
    return stalledMs(this.#returns, fromMs, toMs);
  }

  get acknowledged(): number {
    return this.#returns.length;
  }

  get unknown(): number {
    return [...this.#puts.values()].filter(({ outcome }) => outcome === 'unknown').length;
  }

  /** A watcher was the first to hear of an event. */
  heard({ key, type, heardMs }: HeardEvent): void {
    const life = this.#livesByKey.get(key);
    if (life !== undefined && type === 'delete') {
      life.endedMs ??= heardMs;
    }
  }

  /** Each event must be of a write that may have happened; each acknowledged one is among them. */
  compare(ledgers: readonly EventLedger[]): void {
    const events = ledgers.flatMap(({ events: each }) => each);
    const [ledger] = ledgers;
    const note = (problem: string): void => ledger?.note(problem);
    const seen = new Map<string, number>();
    const deletes = new Set<string>();
    const maybeDeletes = new Map(this.#maybeDeletes);
    for (const { type, key, value, revision, isExpiry } of events) {
      if (type === 'put') {
        const written = this.#puts.get(value);
        if (written?.key !== key || written.outcome === 'rejected' || seen.has(value)) {
          note(`an event of ${revision} puts ${value} to ${key}: ${written?.outcome ?? 'nobody'}`);
        }
        seen.set(value, revision);
      } else if (!this.#livesByKey.has(key)) {
        deletes.add(`${key} ${revision}`);
        const left = maybeDeletes.get(key) ?? 0;
        const isAcknowledged = this.#deletes.has(`${key} ${revision}`);
        if (isExpiry || (!isAcknowledged && left === 0)) {
          note(`an event of ${revision} deletes ${key}, nobody did`);
        }
        maybeDeletes.set(key, isAcknowledged ? left : left - 1);
      }
    }
    for (const [value, { outcome, revision, key }] of this.#puts) {
      if (outcome === 'ok' && seen.get(value) !== revision) {
        note(`${value} was put to ${key} at ${revision}, heard at ${seen.get(value) ?? 'no time'}`);
      }
    }
    for (const each of this.#deletes) {
      if (!deletes.has(each)) {
        note(`nobody hears of the deletion of ${each}`);
      }
    }
  }

  async #write(writer: number): Promise<void> {
    const { clients, prng, prefixes, writesPerSecond } = this.#options;
    const periodMs = (1000 * writers) / writesPerSecond;
    let dueMs = performance.now() + (periodMs * writer) / writers;
    for (let at = writer; !this.#isStopped; ) {
      await sleep(Math.max(1, dueMs - performance.now()));
      // What was not possible meanwhile is not made up for.
      dueMs = Math.max(dueMs + periodMs, performance.now() - periodMs);
      const prefix = prefixes[prng.nextInt(0, prefixes.length)] ?? '';
      const client = clients[at % clients.length] as KvClient;
      const outcome = await this.#writeOnce(client, prefix);
      if (outcome !== 'ok') {
        at++;
        await sleep(20);
      }
    }
  }

  async #writeOnce(client: KvClient, prefix: string): Promise<Outcome> {
    const { prng } = this.#options;
    const first = prng.nextInt(0, keys);
    const key = `${prefix}${first}`;
    const dice = prng.nextInt(0, 10);
    if (dice < 6) {
      const value = this.#nextValue();
      const answer = await client.put(key, value, callTimeoutMs);
      return this.#notePuts([[key, value]], answer);
    }
    if (dice < 8) {
      const answer = await client.change({ deletes: [key] }, callTimeoutMs);
      return this.#noteDelete(key, answer);
    }
    const puts = [1, 2, 3].map(
      (i) => [`${prefix}${(first + i) % keys}`, this.#nextValue()] as const,
    );
    return this.#notePuts(puts, await client.change({ puts }, callTimeoutMs));
  }

  #notePuts(
    puts: readonly (readonly [key: string, value: string])[],
    answer: Awaited<ReturnType<KvClient['put']>>,
  ): Outcome {
    const outcome = answer.kind === 'ok' ? 'ok' : answer.outcome;
    const revision = answer.kind === 'ok' ? answer.revision : 0;
    for (const [key, value] of puts) {
      this.#puts.set(value, { key, outcome, revision });
    }
    this.#noteAnswer(outcome, revision);
    return outcome;
  }

  #noteDelete(key: string, answer: Awaited<ReturnType<KvClient['change']>>): Outcome {
    if (answer.kind === 'ok') {
      if (answer.deleted > 0) {
        this.#deletes.add(`${key} ${answer.revision}`);
      }
      this.#noteAnswer('ok', answer.revision);
      return 'ok';
    }
    if (answer.outcome === 'unknown') {
      this.#maybeDeletes.set(key, (this.#maybeDeletes.get(key) ?? 0) + 1);
    }
    return answer.outcome;
  }

  #noteAnswer(outcome: Outcome, revision: number): void {
    if (outcome === 'ok') {
      this.#returns.push(performance.now());
      this.revision = Math.max(this.revision, revision);
    }
  }

  #nextValue(): string {
    return `v${++this.#values}`;
  }

  /** Grants a lease, attaches a key, renews it for a while, and revokes it or leaves it. */
  async #holdLeases(holder: number, prefix: string): Promise<void> {
    const { prng, clients, leaseClients } = this.#options;
    for (let count = 1; !this.#isStopped; count++) {
      const at = prng.nextInt(0, clients.length);
      const id = String(1_000_000 * (holder + 1) + count);
      const life = new LeaseLife(id, `${prefix}lease-${id}`, 1000 * prng.nextInt(1, 4));
      const client = leaseClients[at] as LeaseClient;
      if ((await life.grant(client)) !== 'ok') {
        await sleep(50);
        continue;
      }
      const value = this.#nextValue();
      const puts = [[life.key, value]] as const;
      this.#livesByKey.set(life.key, life);
      const answer = await (clients[at] as KvClient).change({ puts, lease: id }, callTimeoutMs);
      if (this.#notePuts(puts, answer) !== 'ok') {
        continue;
      }
      this.lives.push(life);
      await this.#renew(life, prng.nextInt(0, 5));
      if (prng.nextInt(0, 3) === 0) {
        await life.revoke(leaseClients[prng.nextInt(0, leaseClients.length)] as LeaseClient);
      }
      await sleep(100);
    }
  }

  async #renew(life: LeaseLife, times: number): Promise<void> {
    const { prng, leaseClients } = this.#options;
    let at = prng.nextInt(0, leaseClients.length);
    for (let renewal = 0; renewal < times && !this.#isStopped; ) {
      await sleep(renewalMs);
      const answer = await life.renew(leaseClients[at % leaseClients.length] as LeaseClient);
      if (answer === 'gone') {
        return;
      }
      renewal += answer === 'ok' ? 1 : 0;
      at += answer === 'ok' ? 0 : 1;
    }
  }
}
