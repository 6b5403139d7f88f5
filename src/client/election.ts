/**
 * Elections, as etcd has them: candidates wait in a queue, the first one leads, and its key holds
 * what it proclaims.
 */
import type { KeyValueAnswer } from '../wire/index.ts';
import { abortSignal, checkFields, optionChecks } from './arguments.ts';
import type { CallOptions } from './caller.ts';
import { type Codec, encodeValue } from './codec.ts';
import { CompactedError, HoldfastError } from './errors.ts';
import type { Key } from './keys.ts';
import type { Kv } from './kv.ts';
import {
  acquire,
  Ownership,
  ownershipChecks,
  type OwnershipOptions,
  type OwnershipParts,
} from './ownership.ts';
import { Queue } from './queue.ts';

/** Who leads, as others see it. */
export interface Leader<V> {
  readonly key: string;
  /** What it proclaims. */
  readonly value: V;
  /** Its fencing token. */
  readonly token: number;
  /** When it proclaimed that. */
  readonly revision: number;
}

/** What elections work with. */
export interface ElectionParts<V> extends OwnershipParts {
  readonly kv: Kv<V>;
  readonly codec: Codec<V>;
}

/** Being the leader; until it resigns or loses. */
export class Leadership<V> extends Ownership {
  readonly #kv: Kv<V>;

  /** @internal */
  constructor(kv: Kv<V>, ...rest: ConstructorParameters<typeof Ownership>) {
    super(...rest);
    this.#kv = kv;
  }

  /**
   * Says something else than before, to those who observe.
   *
   * @throws {HoldfastError} NOT_ELECTED — it does not lead any more.
   */
  async proclaim(value: V, options: CallOptions = {}): Promise<void> {
    checkFields('proclaim', options, optionChecks.call);
    const { key, keyBytes, token, leaseId } = this;
    const { succeeded } = await this.#kv.txn(
      {
        if: [this.#kv.when(keyBytes).createRevisionIs(token)],
        then: [this.#kv.ops.put(keyBytes, value, { lease: leaseId })],
      },
      options,
    );
    if (!succeeded) {
      throw new HoldfastError('NOT_ELECTED', `proclaiming: ${key} does not lead any more`);
    }
  }

  /** Lets the next candidate lead. @throws {HoldfastError} see {@link Ownership.release}. */
  async resign(options: CallOptions = {}): Promise<void> {
    await this.release(options);
  }
}

/** See the module comment. */
export class Election<V> {
  readonly #parts: ElectionParts<V>;
  readonly #queue: Queue;

  /** @internal */
  constructor(parts: ElectionParts<V>, name: Key) {
    this.#parts = parts;
    this.#queue = new Queue(parts, name, 1);
  }

  /**
   * Waits until this candidate leads, and proclaims `value` then.
   *
   * @throws {HoldfastError} LOCK_HELD — not within `waitMs`; ABORTED; LEASE_LOST — the members
   *   could not be reached for too long while it waited.
   */
  async campaign(value: V, options: OwnershipOptions = {}): Promise<Leadership<V>> {
    checkFields('campaign', options, ownershipChecks.wait);
    const { kv, codec } = this.#parts;
    const acquisition = { what: 'campaign', queue: this.#queue, value: encodeValue(codec, value) };
    return acquire(
      this.#parts,
      acquisition,
      options,
      (candidate) => new Leadership(kv, this.#parts, this.#queue, candidate),
    );
  }

  /** Who leads now; undefined when nobody does. @throws {HoldfastError} */
  async leader(options: CallOptions = {}): Promise<Leader<V> | undefined> {
    checkFields('leader', options, optionChecks.call);
    const { kvs } = await this.#queue.owners(options);
    return kvs.map((kv) => this.#leaderOf(kv))[0];
  }

  /**
   * Each leader from the present one on, and each of its proclamations; without an end.
   *
   * @throws {HoldfastError}
   */
  async *observe(options: Pick<CallOptions, 'signal'> = {}): AsyncGenerator<Leader<V>, void> {
    checkFields('observe', options, { signal: abortSignal });
    const { signal } = options;
    const { kv } = this.#parts;
    let told: Leader<V> | undefined;
    for (;;) {
      const { kvs, revision } = await this.#queue.owners({ signal });
      const [owner] = kvs;
      const leader = owner && this.#leaderOf(owner);
      // A leader's candidacy may be older than the last word of the one before.
      if (leader?.token !== told?.token || leader?.revision !== told?.revision) {
        told = leader;
        if (leader !== undefined) {
          yield leader;
        }
      }
      const what = owner === undefined ? this.#queue.range : kv.entry(owner).keyBytes;
      try {
        for await (const event of kv.watch(what, { startRevision: revision + 1, signal })) {
          if (event.type === 'delete' || owner === undefined) {
            break;
          }
          const { key, revision: at, entry } = event;
          told = { key, value: entry.value, token: entry.createRevision, revision: at };
          yield told;
        }
      } catch (error) {
        if (!(error instanceof CompactedError)) {
          throw error;
        }
      }
    }
  }

  #leaderOf(kv: KeyValueAnswer): Leader<V> {
    const { key, value, createRevision, modRevision } = this.#parts.kv.entry(kv);
    return { key, value, token: createRevision, revision: modRevision };
  }
}
