/**
 * The column families of a RocksDB store: one for all tables, and, in stores that were made so, a
 * second one for the table whose keys only ascend.
 *
 * RocksDB gathers writes in files, and to keep reads cheap writes files anew, together, whose keys
 * overlap: each record a few times in its life, and more as the store grows. Files of ascending
 * keys never overlap, so in a family that has no others they are moved to their level as they are.
 */
import type RocksDB from 'rocksdb-native';
import { assert, compareBytes } from '../base/index.ts';

/** Name of the second family; a format. */
export const ascendingFamily = 'ascending';

/** A range of keys within one family. */
export interface FamilyRange {
  readonly family: RocksDB;
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

/** The families of a store, or of one state of it that is pinned. */
export class Families {
  readonly #main: RocksDB;
  readonly #ascending: RocksDB | undefined;
  readonly #table: number | undefined;

  /** Of a store; `table` is the leading byte of the keys in the second family, if there is one. */
  constructor(main: RocksDB, table: number | undefined) {
    assert(table === undefined || (table >= 0 && table < 0xff), 'a table is a byte, not the last');
    this.#main = main;
    this.#table = table;
    this.#ascending = table === undefined ? undefined : main.columnFamily(ascendingFamily);
  }

  /** In the order in which a batch changes them. */
  get all(): readonly RocksDB[] {
    return this.#ascending === undefined ? [this.#main] : [this.#ascending, this.#main];
  }

  of(key: Uint8Array): RocksDB {
    return this.#ascending !== undefined && key[0] === this.#table ? this.#ascending : this.#main;
  }

  /** The parts of `[gte, lt)`, in order. */
  partsOf(gte: Uint8Array, lt: Uint8Array): FamilyRange[] {
    if (this.#ascending === undefined || this.#table === undefined) {
      return [{ family: this.#main, gte, lt }];
    }
    const start = Uint8Array.of(this.#table);
    const end = Uint8Array.of(this.#table + 1);
    return [
      { family: this.#main, gte, lt: lesser(lt, start) },
      { family: this.#ascending, gte: greater(gte, start), lt: lesser(lt, end) },
      { family: this.#main, gte: greater(gte, end), lt },
    ].filter((part) => compareBytes(part.gte, part.lt) < 0);
  }

  /** The same at the present state of all of them. */
  pinned(): Families {
    // A session of a session that is pinned is pinned to the same state.
    return new Families(this.#main.snapshot(), this.#table);
  }

  /** Closes sessions of an open store, which is done at once. */
  close(): void {
    for (const family of this.all) {
      void family.close();
    }
  }
}

function lesser(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) < 0 ? a : b;
}

function greater(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareBytes(a, b) < 0 ? b : a;
}
