/**
 * Leases and keys with a time to live never end early, and end in time (G5).
 *
 * "Early" is by true time from the moment when the grant, renewal or put was committed, and the
 * clocks of the members are the only excuse: no more of the cluster's time may have passed than the
 * fastest of them has counted meanwhile. "Late" is judged once faults have ended and clocks are
 * right.
 */
import type { LeaseId } from '../../../src/kv/index.ts';
import { holds } from '../failure.ts';
import type { LedgerModel, TrueEntry } from '../ledger-model.ts';
import type { SimMember } from '../member.ts';
import type { Observer } from '../observer.ts';
import type { SimParameters } from '../parameters.ts';
import type { Model } from '../../kv/model.ts';

/** Stamps are cut to whole milliseconds, on both ends. */
const slackUs = 2_000;
/** What may pass besides the time itself: two stamps to wait for, one under way, one more. */
const stamps = 4;
const stampIntervalUs = 250_000;

/** When the time of something began: by true time, and by the fastest clock. */
interface Start {
  readonly ttlMs: number;
  readonly atUs: number;
  readonly fastUs: number;
}

/** What runs. */
export interface TimedCluster {
  readonly members: ReadonlyMap<number, SimMember>;
  readonly parameters: SimParameters;
  readonly clock: { readonly nowUs: number };
  /** When there was a settled leader after the faults; undefined before. */
  readonly settledUs: number | undefined;
}

/** See the module comment. */
export class LeaseBounds implements Observer {
  readonly name = 'lease-bounds';
  readonly #cluster: TimedCluster;
  readonly #leases = new Map<LeaseId, Start>();
  readonly #keys = new Map<string, Start>();
  /** What the model had when a key's time began. */
  readonly #seen = new WeakSet<object>();
  /** What the fastest clock has counted, and up to when. */
  #fastUs = 0;
  #atUs = 0;
  #rate = 0;

  constructor(cluster: TimedCluster, ledger: LedgerModel) {
    this.#cluster = cluster;
    ledger.listen((entry, model) => {
      this.#note(entry, model);
    });
  }

  stepped(): void {
    this.#count();
  }

  #count(): void {
    const { clock, members } = this.#cluster;
    let rate = 0;
    for (const { clockRate } of members.values()) {
      rate = Math.max(rate, clockRate);
    }
    // A rate may have changed since: the higher one counts for all of it.
    this.#fastUs += ((clock.nowUs - this.#atUs) * Math.max(rate, this.#rate)) / 1000;
    this.#atUs = clock.nowUs;
    this.#rate = rate;
  }

  #note({ command: outer, result }: TrueEntry, model: Model): void {
    this.#count();
    if (result.kind !== 'ok' || result.isRepeated === true) {
      return;
    }
    const command = outer.type === 'once' ? outer.command : outer;
    if (command.type === 'leaseGrant') {
      this.#leases.set(command.id, this.#start(command.ttlMs));
    } else if (command.type === 'leaseKeepAlive') {
      for (const id of command.ids) {
        const lease = model.leases.get(id);
        if (lease !== undefined) {
          this.#leases.set(id, this.#start(lease.ttlMs));
        }
      }
    } else if (command.type !== 'advanceTime') {
      this.#noteKeys(model);
    }
    this.#lookForEnds(command.type === 'advanceTime', model);
  }

  /** A put begins a key's time: the model has another object for it then. */
  #noteKeys(model: Model): void {
    for (const [key, ttl] of model.ttls) {
      const known = this.#keys.get(key);
      if (known === undefined || !this.#seen.has(ttl)) {
        this.#seen.add(ttl);
        this.#keys.set(key, this.#start(ttl.ttlMs));
      }
    }
  }

  #lookForEnds(isByTime: boolean, model: Model): void {
    for (const [id, start] of this.#leases) {
      if (!model.leases.has(id)) {
        this.#leases.delete(id);
        this.#check(`lease ${id}`, start, isByTime);
      }
    }
    for (const [key, start] of this.#keys) {
      if (!model.ttls.has(key)) {
        this.#keys.delete(key);
        // A key may also go with its lease.
        this.#check(`key ${key}`, start, isByTime && !key.startsWith('t'));
      }
    }
  }

  #check(what: string, start: Start, isByTime: boolean): void {
    if (!isByTime) {
      return;
    }
    const passedUs = this.#fastUs - start.fastUs;
    holds(passedUs + slackUs >= start.ttlMs * 1000, this.name, () => {
      return `${what} of ${start.ttlMs} ms ends ${passedUs / 1000} ms after it was committed`;
    });
    const { settledUs, clock } = this.#cluster;
    if (settledUs !== undefined && start.atUs > settledUs) {
      const lateUs = clock.nowUs - start.atUs - start.ttlMs * 1000;
      holds(lateUs <= this.#lateMaxUs, this.name, () => {
        return `${what} of ${start.ttlMs} ms ends ${lateUs / 1000} ms too late`;
      });
    }
  }

  /** A second, when the cluster is quick; each stamp is committed before the next one is made. */
  get #lateMaxUs(): number {
    const { network, disk, member, raft } = this.#cluster.parameters;
    const commitUs =
      4 * (network.latencyMaxUs + disk.syncMaxUs + disk.engineUs + disk.readUs) +
      4 * (member.turnDelayUs + raft.heartbeatTicks * member.tickUs) +
      10 * network.spikeMaxUs * (network.spikes + network.loss > 0 ? 1 : 0);
    return stamps * (stampIntervalUs + commitUs) + 2 * member.tickUs * raft.electionTimeoutTicks;
  }

  #start(ttlMs: number): Start {
    return { ttlMs, atUs: this.#cluster.clock.nowUs, fastUs: this.#fastUs };
  }
}
