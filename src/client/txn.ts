/**
 * Transactions: conditions, what happens if they hold, and what otherwise; decided and done at
 * once.
 *
 * Conditions and operations are plain values, made by the `Kv` whose namespace and codec they are
 * in.
 */
import type { CompareMessage, KvAnswer, KvMessage } from '../wire/index.ts';
import { type Check, checkFields, checkValue, count, lease, optionChecks } from './arguments.ts';
import { type Codec, encodeValue } from './codec.ts';
import type { Key, KeyRange, Namespace } from './keys.ts';
import type { Entry, PutOptions } from './kv-types.ts';

/** A condition on a key, or on every key of a range; see {@link Conditions}. */
export interface Condition {
  /** @internal */
  readonly compare: CompareMessage;
}

/** Something to do in a transaction; see {@link TxnOperations}. */
export interface TxnOperation {
  /** @internal */
  readonly message: KvMessage;
}

/** A transaction. */
export interface Txn {
  /** All have to hold; without any they do. */
  readonly if?: readonly Condition[] | undefined;
  readonly then?: readonly TxnOperation[] | undefined;
  readonly else?: readonly TxnOperation[] | undefined;
}

/** What an operation of a transaction came to, by its kind. */
export type TxnOperationResult<V> =
  | { readonly type: 'put' }
  | { readonly type: 'get'; readonly entries: readonly Entry<V>[]; readonly count: number }
  | { readonly type: 'delete'; readonly deleted: number; readonly previous: readonly Entry<V>[] }
  | ({ readonly type: 'txn' } & Omit<TxnResult<V>, 'revision'>);

/** What a transaction came to. */
export interface TxnResult<V> {
  /** Whether the conditions held. */
  readonly succeeded: boolean;
  readonly revision: number;
  /** Of the branch that was taken, in its order. */
  readonly results: readonly TxnOperationResult<V>[];
}

interface Place {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array;
}

/** Conditions on one place: a key, or every key of a range. */
export class Conditions<V> {
  readonly #place: Place;
  readonly #codec: Codec<V>;

  /** @internal */
  constructor(place: Place, codec: Codec<V>) {
    this.#place = place;
    this.#codec = codec;
  }

  exists(): Condition {
    return this.#number('create', 'greater', 0);
  }

  isMissing(): Condition {
    return this.#number('create', 'equal', 0);
  }

  /** It has this value, byte by byte as the codec writes it. */
  valueIs(value: V): Condition {
    return this.#value('equal', value);
  }

  valueIsNot(value: V): Condition {
    return this.#value('notEqual', value);
  }

  /** It was changed at this revision and not since; 0: it is missing. */
  modRevisionIs(revision: number): Condition {
    return this.#number('mod', 'equal', revision);
  }

  /** It has not been changed after this revision; that it was deleted is not noticed. */
  isUnchangedSince(revision: number): Condition {
    return this.#number('mod', 'less', revision + 1);
  }

  createRevisionIs(revision: number): Condition {
    return this.#number('create', 'equal', revision);
  }

  /** It has been changed so many times since its creation; 0: it is missing. */
  versionIs(version: number): Condition {
    return this.#number('version', 'equal', version);
  }

  leaseIs(id: bigint): Condition {
    checkValue('leaseIs: the lease', id, lease);
    const operand = String(id);
    return { compare: { target: 'lease', result: 'equal', operand, ...this.#place } };
  }

  #number(
    target: 'version' | 'create' | 'mod',
    result: CompareMessage['result'],
    operand: number,
  ): Condition {
    checkValue(`a condition: its ${target === 'version' ? target : 'revision'}`, operand, count);
    return { compare: { target, result, operand, ...this.#place } };
  }

  #value(result: CompareMessage['result'], value: V): Condition {
    const operand = encodeValue(this.#codec, value);
    return { compare: { target: 'value', result, operand, ...this.#place } };
  }
}

/** Operations for transactions. */
export class TxnOperations<V> {
  readonly #namespace: Namespace;
  readonly #codec: Codec<V>;

  /** @internal */
  constructor(namespace: Namespace, codec: Codec<V>) {
    this.#namespace = namespace;
    this.#codec = codec;
  }

  put(key: Key, value: V, options: Pick<PutOptions, 'lease' | 'ttlMs'> = {}): TxnOperation {
    checkFields('put', options, optionChecks.leased);
    const { lease, ttlMs } = options;
    const put = {
      key: this.#namespace.outer(key),
      value: encodeValue(this.#codec, value),
      lease: leaseText(lease),
      ttlMs,
    };
    return { message: { type: 'put', put } };
  }

  get(key: Key): TxnOperation {
    return { message: { type: 'range', range: { key: this.#namespace.outer(key) } } };
  }

  getRange(range: KeyRange, options: { readonly limit?: number } = {}): TxnOperation {
    checkFields('getRange', options, { limit: count });
    const { limit } = options;
    return { message: { type: 'range', range: { limit, ...this.#namespace.bounds(range) } } };
  }

  delete(key: Key): TxnOperation {
    const deleteRange = { key: this.#namespace.outer(key), prevKv: true };
    return { message: { type: 'deleteRange', deleteRange } };
  }

  deleteRange(range: KeyRange): TxnOperation {
    const deleteRange = { prevKv: true, ...this.#namespace.bounds(range) };
    return { message: { type: 'deleteRange', deleteRange } };
  }

  /** A transaction within the transaction. */
  txn(txn: Txn): TxnOperation {
    return { message: txnMessage(txn) };
  }
}

/** A lease's id as members take it. */
export function leaseText(lease: PutOptions['lease']): string | undefined {
  return lease === undefined ? undefined : String(typeof lease === 'bigint' ? lease : lease.id);
}

/** A list of what a `Kv` has made, which is told by the field that it is wrapped in. */
function listOf(field: 'compare' | 'message', wanted: string): Check {
  const isOne = (each: unknown): boolean =>
    typeof each === 'object' && each !== null && Object.hasOwn(each, field);
  return { fits: (value) => Array.isArray(value) && value.every(isOne), wanted };
}

const conditions = listOf('compare', "an array of conditions, as kv.when('key').exists()");
const operations = listOf('message', "an array of operations, as kv.ops.get('key')");
const txnChecks = { if: conditions, then: operations, else: operations };

/**
 * A transaction as members take it.
 *
 * @throws {HoldfastError} INVALID_ARGUMENT — it has other fields, or something else in them.
 */
export function txnMessage(txn: Txn): Extract<KvMessage, { readonly type: 'txn' }> {
  checkFields('a transaction', txn, txnChecks);
  const messages = (operations: readonly TxnOperation[] = []): readonly KvMessage[] =>
    operations.map(({ message }) => message);
  return {
    type: 'txn',
    txn: {
      compare: (txn.if ?? []).map(({ compare }) => compare),
      success: messages(txn.then),
      failure: messages(txn.else),
    },
  };
}

/** What an operation of a transaction came to, as its user sees it. */
export function txnOperationResult<V>(
  answer: KvAnswer,
  entryOf: (kv: Extract<KvAnswer, { readonly type: 'range' }>['kvs'][number]) => Entry<V>,
): TxnOperationResult<V> {
  switch (answer.type) {
    case 'put':
      return { type: 'put' };
    case 'range':
      return { type: 'get', entries: answer.kvs.map(entryOf), count: answer.count };
    case 'deleteRange':
      return {
        type: 'delete',
        deleted: answer.deleted,
        previous: answer.prevKvs.map(entryOf),
      };
    case 'txn':
      return {
        type: 'txn',
        succeeded: answer.succeeded,
        results: answer.responses.map((each) => txnOperationResult(each, entryOf)),
      };
  }
}
