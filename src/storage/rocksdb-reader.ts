/** Reads of a RocksDB store, or of one state of it that is pinned. */
import type RocksDB from 'rocksdb-native';
import type { ReadBatch } from 'rocksdb-native';
import { type KvError, must } from '../base/index.ts';
import type { EngineRecord, EngineScan } from './ports.ts';
import { engineError } from './rocksdb-errors.ts';
import type { Families, FamilyRange } from './rocksdb-families.ts';

/**
 * Records a scan fetches in one trip; opening an iterator costs about 100 µs, a record in it about
 * 1.
 */
const SCAN_CHUNK_RECORDS = 512;

/**
 * As above, for a scan that is limited in bytes, as long as the size of its records is not known: a
 * trip is in memory as a whole.
 */
const BOUNDED_SCAN_CHUNK_RECORDS = 128;
/** The same once it is known: no fewer than this. */
const BOUNDED_SCAN_CHUNK_RECORDS_MIN = 16;

/** How far a scan goes, and which way. */
interface ScanLimits {
  readonly limit: number;
  readonly bytesMax: number;
  readonly reverse: boolean;
}

/** What the parts of one scan have come to. */
interface ScanTotals {
  readonly records: EngineRecord[];
  bytes: number;
}

/** See the module comment. */
export class RocksdbReader {
  readonly #families: Families;
  readonly #folder: string;
  /** Average of the last scan that was limited in bytes; 0 before the first. */
  #recordBytes = 0;

  constructor(families: Families, folder: string) {
    this.#families = families;
    this.#folder = folder;
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    const values = new Array<Uint8Array | undefined>(keys.length);
    const families = this.#families.all.map((family) => {
      const places = [...keys.keys()].filter(
        (at) => this.#families.of(must(keys[at], 'a key')) === family,
      );
      return this.#getOf(family, keys, places, values);
    });
    await Promise.all(families);
    return values;
  }

  async scan(range: EngineScan): Promise<readonly EngineRecord[]> {
    const { gte, lt, limit, bytesMax = Number.POSITIVE_INFINITY, reverse = false } = range;
    const parts = this.#families.partsOf(gte, lt);
    const records: EngineRecord[] = [];
    const taken: ScanTotals = { records, bytes: 0 };
    for (const part of reverse ? parts.reverse() : parts) {
      if (records.length < limit && taken.bytes < bytesMax) {
        await this.#scanPart(part, { limit, bytesMax, reverse }, taken);
      }
    }
    if (bytesMax < Number.POSITIVE_INFINITY && records.length > 0) {
      this.#recordBytes = taken.bytes / records.length;
    }
    return records;
  }

  /** Reads the keys of one family, into their places among the values. */
  async #getOf(
    family: RocksDB,
    keys: readonly Uint8Array[],
    places: readonly number[],
    values: (Uint8Array | undefined)[],
  ): Promise<void> {
    if (places.length === 0) {
      return;
    }
    const batch: ReadBatch = family.read({ capacity: places.length, autoDestroy: true });
    try {
      const gets = places.map((at) => batch.get(must(keys[at], 'a key')));
      const [found] = await Promise.all([Promise.all(gets), batch.flush()]);
      for (const [i, at] of places.entries()) {
        values[at] = found[i] ?? undefined;
      }
    } catch (error) {
      throw this.#error(error, 'a read failed');
    }
  }

  async #scanPart(
    { family, gte, lt }: FamilyRange,
    { limit: limitInAll, bytesMax, reverse }: ScanLimits,
    taken: ScanTotals,
  ): Promise<void> {
    const limit = limitInAll - taken.records.length;
    // One more than needed: an iterator that comes back short knows its end without another trip.
    const capacity = Math.min(limit, this.#chunkRecords(bytesMax)) + 1;
    const stream = family.iterator({ gte, lt, reverse, limit, capacity });
    return new Promise((resolve, reject) => {
      stream
        .on('data', (record) => {
          if (taken.bytes >= bytesMax) {
            return;
          }
          taken.records.push(record);
          taken.bytes += record.key.length + record.value.length;
          if (taken.bytes >= bytesMax) {
            stream.destroy();
          }
        })
        .on('error', (error) => {
          reject(this.#error(error, 'a scan failed'));
        })
        .on('close', resolve);
    });
  }

  /** Records to fetch in one trip: about as many as the scan will take. */
  #chunkRecords(bytesMax: number): number {
    if (bytesMax === Number.POSITIVE_INFINITY) {
      return SCAN_CHUNK_RECORDS;
    }
    if (this.#recordBytes === 0) {
      return BOUNDED_SCAN_CHUNK_RECORDS;
    }
    const expected = Math.ceil(bytesMax / this.#recordBytes);
    return Math.max(BOUNDED_SCAN_CHUNK_RECORDS_MIN, Math.min(SCAN_CHUNK_RECORDS, expected));
  }

  #error(error: unknown, what: string): KvError {
    return engineError(error, { folder: this.#folder, what, outcome: 'rejected' });
  }
}
