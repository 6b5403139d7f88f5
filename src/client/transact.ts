/**
 * Optimistic transactions: reads and writes as in a program, made one transaction at the end.
 *
 * All reads are of one revision. The commit takes effect only if nothing that was read has changed
 * since; otherwise the program runs again. So what it did is what it would have done alone
 * (serializable), and a read-only program needs no commit: it has seen one revision.
 */
import { compareBytes } from '../base/index.ts';
import type { CallOptions } from './caller.ts';
import { HoldfastError } from './errors.ts';
import type { Key, KeyRange, Namespace } from './keys.ts';
import type { Entry, PutOptions, RangeOptions, RangeResult } from './kv-types.ts';
import type { Condition, Conditions, Txn, TxnOperation, TxnOperations } from './txn.ts';

/** A key and a value, as a transaction sees them. */
export interface TransactEntry<V> {
  readonly key: string;
  readonly value: V;
}

type Write<V> =
  | { readonly key: Uint8Array; readonly value: V; readonly operation: TxnOperation }
  | { readonly key: Uint8Array; readonly value: undefined; readonly operation: TxnOperation };

/** What a transaction needs of the keys that it is on. */
export interface TransactKv<V> {
  readonly ops: TxnOperations<V>;
  when(key: Key): Conditions<V>;
  whenAll(range: KeyRange): Conditions<V>;
  getRange(range: KeyRange, options: RangeOptions): Promise<RangeResult<V>>;
  commit(txn: Txn, options: CallOptions): Promise<{ readonly succeeded: boolean }>;
}

/** What a program in a transaction reads and writes with. */
export class Transaction<V> {
  readonly #kv: TransactKv<V>;
  readonly #namespace: Namespace;
  /** Bounds of the next call. @throws {HoldfastError} there is no time left for it. */
  readonly #call: () => CallOptions;
  /** What was read, and the condition that it has not changed; by place. */
  readonly #conditions = new Map<string, Condition>();
  /** The last write of each key; by key. */
  readonly #writes = new Map<string, Write<V>>();
  /** That of the first read, once it is there. */
  #revision: Promise<number> | undefined;

  /** @internal */
  constructor(kv: TransactKv<V>, namespace: Namespace, call: () => CallOptions) {
    this.#kv = kv;
    this.#namespace = namespace;
    this.#call = call;
  }

  /** @internal */
  get conditions(): readonly Condition[] {
    return [...this.#conditions.values()];
  }

  /** @internal */
  get operations(): readonly TxnOperation[] {
    return [...this.#writes.values()].map(({ operation }) => operation);
  }

  /** The value of a key, with what this transaction has written to it; undefined if missing. */
  async get(key: Key): Promise<V | undefined> {
    const written = this.#writes.get(nameOf(this.#namespace.outer(key)));
    if (written !== undefined) {
      return written.value;
    }
    if (key.length === 0) {
      throw new HoldfastError('EMPTY_KEY', 'get: the key is empty');
    }
    const { entries } = await this.#read({ from: key, to: after(key) });
    const [entry] = entries;
    this.#expect(key, entry?.modRevision ?? 0);
    return entry?.value;
  }

  /** The keys of a range in their order, with what this transaction has written. */
  async getRange(range: KeyRange): Promise<readonly TransactEntry<V>[]> {
    const { entries, revision } = await this.#read(range);
    const bounds = this.#namespace.bounds(range);
    // New and changed keys show in the range; that one of these is gone shows in itself.
    const unchanged = this.#kv.whenAll(range).isUnchangedSince(revision);
    this.#conditions.set(`${nameOf(bounds.key)}\n${nameOf(bounds.rangeEnd)}`, unchanged);
    const found = new Map<string, { readonly key: Uint8Array; readonly value: V }>();
    for (const { keyBytes, value, modRevision } of entries) {
      this.#expect(keyBytes, modRevision);
      const key = this.#namespace.outer(keyBytes);
      found.set(nameOf(key), { key, value });
    }
    for (const [name, { key, value }] of this.#writes) {
      if (compareBytes(key, bounds.key) >= 0 && isBelow(key, bounds.rangeEnd)) {
        if (value === undefined) {
          found.delete(name);
        } else {
          found.set(name, { key, value });
        }
      }
    }
    return [...found.values()]
      .sort((a, b) => compareBytes(a.key, b.key))
      .map(({ key, value }) => ({
        key: this.#namespace.inner(Buffer.from(key)).toString('utf8'),
        value,
      }));
  }

  put(key: Key, value: V, options: Pick<PutOptions, 'lease' | 'ttlMs'> = {}): void {
    const outer = this.#namespace.outer(key);
    const operation = this.#kv.ops.put(key, value, options);
    this.#writes.set(nameOf(outer), { key: outer, value, operation });
  }

  delete(key: Key): void {
    const outer = this.#namespace.outer(key);
    const operation = this.#kv.ops.delete(key);
    this.#writes.set(nameOf(outer), { key: outer, value: undefined, operation });
  }

  /** At the revision of the first read, which the others wait for. */
  async #read(
    range: KeyRange,
  ): Promise<{ readonly entries: readonly Entry<V>[]; readonly revision: number }> {
    if (this.#revision === undefined) {
      const first = this.#kv.getRange(range, this.#call());
      this.#revision = first.then(({ revision }) => revision);
      // Its reader is told, and whoever waits for it.
      this.#revision.catch(() => undefined);
      return first;
    }
    const atRevision = await this.#revision;
    const { entries } = await this.#kv.getRange(range, { ...this.#call(), atRevision });
    return { entries, revision: atRevision };
  }

  #expect(key: Key, modRevision: number): void {
    const name = nameOf(this.#namespace.outer(key));
    this.#conditions.set(name, this.#kv.when(key).modRevisionIs(modRevision));
  }
}

/** What {@link transact} works with. */
export interface TransactParts<V> {
  readonly kv: TransactKv<V>;
  readonly namespace: Namespace;
  /** Waits before a repetition; ends when the signal fires. */
  readonly pause: (attempt: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Milliseconds that are left; throws when there are none. */
  readonly leftMs: (conflicts: number) => number;
  readonly signal: AbortSignal | undefined;
}

/** Runs a program until it has been committed; see the module comment. */
export async function transact<V, Result>(
  program: (tx: Transaction<V>) => Promise<Result>,
  { kv, namespace, pause, leftMs, signal }: TransactParts<V>,
): Promise<Result> {
  for (let conflicts = 0; ; conflicts++) {
    if (conflicts > 0) {
      await pause(conflicts, signal);
    }
    const call = (): CallOptions => ({ timeoutMs: leftMs(conflicts), signal });
    const tx = new Transaction(kv, namespace, call);
    const result = await attempt(program, tx);
    if (result !== undefined) {
      const { operations, conditions } = tx;
      const commit = { if: conditions, then: operations };
      if (operations.length === 0 || (await kv.commit(commit, call())).succeeded) {
        return result.value;
      }
    }
  }
}

/** Undefined when the revision of its reads has been compacted meanwhile. */
async function attempt<V, Result>(
  program: (tx: Transaction<V>) => Promise<Result>,
  tx: Transaction<V>,
): Promise<{ readonly value: Result } | undefined> {
  try {
    return { value: await program(tx) };
  } catch (error) {
    if ((error as Partial<HoldfastError> | undefined)?.code === 'COMPACTED') {
      return undefined;
    }
    throw error;
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

/** The smallest key above one. */
function after(key: Key): Uint8Array {
  return Buffer.concat([Buffer.from(key as Uint8Array), Buffer.of(0)]);
}

/** Whether a key is before a range's end; a single zero byte is none. */
function isBelow(key: Uint8Array, rangeEnd: Uint8Array): boolean {
  return (rangeEnd.length === 1 && rangeEnd[0] === 0) || compareBytes(key, rangeEnd) < 0;
}
