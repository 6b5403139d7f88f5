/**
 * Random calls over few keys and small numbers, so that everything meets everything: overwrites,
 * deletions, overlapping ranges, nested transactions, revisions that are compacted or not there
 * yet.
 */
import type { Prng } from '../../src/base/index.ts';
import type { Compare__Input as Compare } from '../../src/wire/generated/etcdserverpb/Compare.ts';
import type { PutRequest__Input as PutRequest } from '../../src/wire/generated/etcdserverpb/PutRequest.ts';
import type { RangeRequest__Input as RangeRequest } from '../../src/wire/generated/etcdserverpb/RangeRequest.ts';
import type { RequestOp__Input as RequestOp } from '../../src/wire/generated/etcdserverpb/RequestOp.ts';
import type { TxnRequest__Input as TxnRequest } from '../../src/wire/generated/etcdserverpb/TxnRequest.ts';
import { bytes, type RawCall } from './raw-client.ts';

const keys = ['\0', 'a', 'a\0', 'aa', 'ab', 'b', 'c', 'd', '\xff', '\xff\xff'];
const ends = ['', '', '', '\0', '\0\0', 'a', 'ab', 'b', 'd', 'z', '\xff', '\xff\xff\xff'];
const values = ['', '1', '2', '22', '\xff\0'];
const depthMax = 3;

/** Makes calls from one seed. */
export class RandomCalls {
  readonly #prng: Prng;
  /** The store's revision at about the time of the call; chosen numbers lie around it. */
  #revision = 1;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Returns the next call, on a store at `revision`. */
  next(revision: number): RawCall {
    this.#revision = revision;
    const dice = this.#prng.nextInt(0, 100);
    if (dice < 30) {
      return { method: 'Put', request: this.#put(true) };
    }
    if (dice < 55) {
      return { method: 'Range', request: this.#range() };
    }
    if (dice < 65) {
      return { method: 'DeleteRange', request: this.#deletion() };
    }
    if (dice < 97) {
      return { method: 'Txn', request: this.#txn(1, this.#chance(50)) };
    }
    const physical = this.#chance(50);
    return { method: 'Compact', request: { revision: this.#someRevision(), physical } };
  }

  #chance(percent: number): boolean {
    return this.#prng.nextInt(0, 100) < percent;
  }

  #choose<T>(choices: readonly T[]): T {
    return choices[this.#prng.nextInt(0, choices.length)] as T;
  }

  #times<T>(max: number, make: () => T): T[] {
    return Array.from({ length: this.#prng.nextInt(0, max + 1) }, make);
  }

  #someRevision(): number {
    return this.#revision + this.#prng.nextInt(-12, 3);
  }

  #selector(): { readonly key: Buffer; readonly range_end?: Buffer } {
    const key = this.#chance(2) ? '' : this.#choose(keys);
    const end = this.#choose(ends);
    // An empty end that is on the wire is no end to etcd, but "from the key on".
    return end === '' ? { key: bytes(key) } : { key: bytes(key), range_end: bytes(end) };
  }

  #put(mayIgnore: boolean): PutRequest {
    const ignoreValue = mayIgnore && this.#chance(10);
    const value = ignoreValue && this.#chance(90) ? '' : this.#choose(values);
    return {
      key: bytes(this.#chance(2) ? '' : this.#choose(keys)),
      value: bytes(value),
      lease: this.#chance(3) ? this.#choose([7, -1]) : 0,
      prev_kv: this.#chance(40),
      ignore_value: ignoreValue,
      ignore_lease: mayIgnore && this.#chance(10),
    };
  }

  #deletion() {
    return { ...this.#selector(), prev_kv: this.#chance(50) };
  }

  #range(): RangeRequest {
    const isBounded = this.#chance(30);
    const bound = (): number => (isBounded && this.#chance(50) ? this.#someRevision() : 0);
    return {
      ...this.#selector(),
      limit: this.#chance(50) ? this.#prng.nextInt(-1, 6) : 0,
      revision: this.#chance(40) ? this.#someRevision() : 0,
      sort_order: this.#choose(['NONE', 'NONE', 'ASCEND', 'DESCEND'] as const),
      sort_target: this.#choose(['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'] as const),
      keys_only: this.#chance(20),
      count_only: this.#chance(15),
      min_mod_revision: bound(),
      max_mod_revision: bound(),
      min_create_revision: bound(),
      max_create_revision: bound(),
    };
  }

  /**
   * etcd 3.4 ends its process when a put ignores the value of a key that the same transaction has
   * deleted, so a transaction either deletes or ignores.
   */
  #txn(depth: number, mayDelete: boolean): TxnRequest {
    const operations = (): RequestOp[] => this.#times(4, () => this.#operation(depth, mayDelete));
    return {
      compare: this.#times(2, () => this.#compare()),
      success: operations(),
      failure: operations(),
    };
  }

  #operation(depth: number, mayDelete: boolean): RequestOp {
    const dice = this.#prng.nextInt(0, 100);
    if (dice < 40) {
      return { request_put: this.#put(!mayDelete) };
    }
    if (dice < 60 && mayDelete) {
      return { request_delete_range: this.#deletion() };
    }
    if (dice < 75 && depth < depthMax) {
      return { request_txn: this.#txn(depth + 1, mayDelete) };
    }
    return { request_range: this.#range() };
  }

  #compare(): Compare {
    const number = this.#prng.nextInt(0, 4);
    const operand = this.#choose([
      { target: 'VERSION', version: number },
      { target: 'CREATE', create_revision: this.#someRevision() },
      { target: 'MOD', mod_revision: this.#someRevision() },
      { target: 'VALUE', value: bytes(this.#choose(values)) },
      { target: 'LEASE', lease: number - 1 },
      { target: 'VERSION' },
    ] as const);
    const result = this.#choose(['EQUAL', 'NOT_EQUAL', 'GREATER', 'LESS'] as const);
    return { ...this.#selector(), ...operand, result };
  }
}
