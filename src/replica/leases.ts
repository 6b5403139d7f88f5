/**
 * Leases on one member: renewals gathered into commands, and looks at what is applied.
 *
 * One command of renewals is under way at a time; what comes meanwhile makes up the next one. So
 * the more leases there are, the more of them share an entry of the log.
 */
import { type EventLoop, KvError, type Prng } from '../base/index.ts';
import {
  type Command,
  type CommandResult,
  keepAliveLeasesMax,
  type KeyValue,
  type Lease,
  type LeaseId,
  type Reading,
  readExpiries,
  remainingMs,
  visitAttachedKeys,
} from '../kv/index.ts';
import type { CallOptions, Charge } from './api.ts';
import type { LeaseApi, LeaseContent, LeaseOptions, LeaseState } from './lease-api.ts';
import type { MemberState } from './member-state.ts';

/** What the member lends its leases. */
export interface LeasesOptions {
  readonly state: MemberState;
  readonly prng: Prng;
  readonly eventLoop: EventLoop;
  readonly propose: (command: Command) => Promise<CommandResult>;
  readonly confirmRead: (options: CallOptions) => Promise<void>;
  /** The cluster's time. */
  readonly timeMs: () => number;
}

/** Limit: renewals that wait for their turn. */
const waitingMax = 65_536;

interface Renewal {
  readonly id: LeaseId;
  readonly resolve: (ttlMs: number | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** See the module comment. */
export class Leases implements LeaseApi {
  readonly #options: LeasesOptions;
  readonly #waiting: Renewal[] = [];
  #isBusy = false;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#options.state.machine.leases.size;
  }

  nextLeaseId(): LeaseId {
    const { prng } = this.#options;
    const high = BigInt(prng.nextInt(0, 2 ** 31));
    return (high << 32n) | BigInt(prng.nextInt(1, 2 ** 32));
  }

  async keepAlive(id: LeaseId, { caller }: CallOptions = {}): Promise<number | undefined> {
    this.#checkOwner(id, caller?.user);
    if (this.#waiting.length >= waitingMax) {
      throw new KvError('TOO_MANY_REQUESTS');
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, resolve, reject });
      this.#schedule();
    });
  }

  async lease(
    id: LeaseId,
    withKeys: boolean,
    options: LeaseOptions = {},
  ): Promise<LeaseContent | undefined> {
    const { state, confirmRead } = this.#options;
    await confirmRead(options);
    const lease = state.machine.leases.get(id);
    if (lease === undefined) {
      return undefined;
    }
    const reads = withKeys && lease.mayHoldKeys;
    const keys = reads
      ? await state.read(async ({ lane }) => lane.read(chargedKeys(id, options.charge)))
      : [];
    return { ...this.#stateOf(lease), keys };
  }

  async allLeases(options: CallOptions = {}): Promise<readonly LeaseState[]> {
    const { state, confirmRead } = this.#options;
    await confirmRead(options);
    return Array.from(state.machine.leases.all(), (lease) => this.#stateOf(lease)).sort(
      (a, b) => a.remainingMs - b.remainingMs,
    );
  }

  async remainingTtls(kvs: readonly KeyValue[]): Promise<readonly (number | undefined)[]> {
    const timed = kvs.filter(({ ttlMs }) => ttlMs > 0);
    const { state, timeMs } = this.#options;
    const keys = timed.map(({ key }) => key);
    const expiries = await state.read(async ({ lane }) => lane.read(readExpiries(keys)));
    const remaining = new Map<KeyValue, number>();
    for (const [at, kv] of timed.entries()) {
      const expiry = expiries[at];
      if (expiry?.modRevision === kv.modRevision) {
        const { deadlineMs } = expiry;
        remaining.set(kv, remainingMs({ ttlMs: kv.ttlMs, deadlineMs }, timeMs()));
      }
    }
    return kvs.map((kv) => remaining.get(kv));
  }

  /**
   * Renewals are gathered from many and have no caller where they are applied, so whose a session
   * is is asked here, by what this member has applied. An owner stays the owner, so a refusal is
   * right; a member that does not know the session yet lets a stranger prolong it, and no more.
   */
  #checkOwner(id: LeaseId, user: string | undefined): void {
    const { machine } = this.#options.state;
    const owner = machine.auth.isEnabled ? machine.sessionOwner(id) : undefined;
    if (owner !== undefined && owner !== user) {
      throw new KvError('SESSION_OF_ANOTHER');
    }
  }

  #stateOf(lease: Lease): LeaseState {
    const { id, ttlMs } = lease;
    return { id, ttlMs, remainingMs: remainingMs(lease, this.#options.timeMs()) };
  }

  #schedule(): void {
    if (!this.#isBusy && this.#waiting.length > 0) {
      this.#isBusy = true;
      this.#options.eventLoop.endOfTurn(() => {
        void this.#renew();
      });
    }
  }

  /** Renews what waits; never rejects. */
  async #renew(): Promise<void> {
    const renewals = this.#waiting.splice(0, keepAliveLeasesMax);
    const ids = renewals.map(({ id }) => id);
    try {
      const answer = await this.#options.propose({ type: 'leaseKeepAlive', ids });
      if (answer.kind === 'refused') {
        throw new KvError(answer.code);
      }
      const { result } = answer;
      const ttlsMs = result.type === 'leaseKeepAlive' ? result.ttlsMs : [];
      for (const [at, { resolve }] of renewals.entries()) {
        const ttlMs = ttlsMs[at] ?? 0;
        resolve(ttlMs === 0 ? undefined : ttlMs);
      }
    } catch (error) {
      for (const { reject } of renewals) {
        reject(error);
      }
    }
    this.#isBusy = false;
    this.#schedule();
  }
}

/** What a key of an answer takes besides its bytes: a view, and its place in lists. An estimate. */
const keyOverheadBytes = 100;

/** Reads the keys that are attached to a lease, in byte order, and tells what they come to. */
function* chargedKeys(id: LeaseId, charge: Charge = () => undefined): Reading<Uint8Array[]> {
  const keys: Uint8Array[] = [];
  let bytes = 0;
  yield* visitAttachedKeys(id, (key) => {
    bytes += key.length + keyOverheadBytes;
    charge(bytes);
    return keys.push(key) > 0;
  });
  return keys;
}
