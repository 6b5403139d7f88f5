/**
 * The current records of the keys that commands name, brought into the cache before they are used.
 *
 * A batch's records are asked for together, in one request for most batches. How large a record is
 * shows only once it is there, and while a batch is applied nothing of it is evicted. So what is
 * asked for in one round goes by the sizes seen before, and a batch whose records have come to much
 * ends with the command that they are for.
 */
import { assert, must } from '../base/index.ts';
import type { Command, KeySelector, PutOperation, TxnOperation } from './command.ts';
import { isPoint, keysKey, userKeyOf } from './key-layout.ts';
import { expectGet, type Reading } from './need.ts';
import { decodeCurrent } from './record.ts';
import type { CacheEntry, RecordCache } from './record-cache.ts';

/** Limit: bytes that the records of one batch may come to; those of one round come on top. */
const batchBytesMax = 32 * 1024 * 1024;
/** What the records of one round should come to at most, judged by those of the one before. */
const roundBytesAim = 4 * 1024 * 1024;
/** Limit: keys of one round; those of one command come on top. */
const roundKeysMax = 256;
const roundKeysFirst = 8;

/** What a batch knows of its keys before it is applied. */
export interface LoadedKeys {
  /** One for each command whose keys are loaded, undefined where it is no put by itself. */
  readonly putEntries: readonly (CacheEntry | undefined)[];
  /** Those that have a time to live. */
  readonly timedKeys: readonly Uint8Array[];
}

/** See the module comment. */
export class KeyLoader {
  readonly #cache: RecordCache;
  /** Keys that the next round may have. */
  #roundKeys = roundKeysFirst;
  /** Keys whose records are to be loaded in this round, by their keys in the engine. */
  #keys: Uint8Array[] = [];
  /** Their entries. */
  #entries: CacheEntry[] = [];

  constructor(cache: RecordCache) {
    this.#cache = cache;
  }

  /**
   * Loads the records of the keys that commands name: those of the first one, and of as many after
   * it as the bounds take in.
   */
  *loadNamed(commands: readonly (Command | undefined)[]): Reading<LoadedKeys> {
    const putEntries: (CacheEntry | undefined)[] = [];
    const timedKeys: Uint8Array[] = [];
    const acquire = (key: Uint8Array): CacheEntry => {
      const entry = this.#acquire(key);
      if (entry.record !== undefined && entry.record.ttlMs > 0) {
        timedKeys.push(key);
      }
      return entry;
    };
    for (let bytes = 0; bytes < batchBytesMax && putEntries.length < commands.length; ) {
      while (this.#keys.length < this.#roundKeys && putEntries.length < commands.length) {
        putEntries.push(acquireNamed(commands[putEntries.length], acquire));
      }
      bytes += yield* this.#loadRound(timedKeys);
    }
    return { putEntries, timedKeys };
  }

  /** Loads the records of some keys; returns their entries. */
  *load(keys: readonly Uint8Array[]): Reading<readonly CacheEntry[]> {
    const entries = keys.map((key) => this.#acquire(key));
    yield* this.#loadRound([]);
    return entries;
  }

  #acquire(key: Uint8Array): CacheEntry {
    const { size } = this.#cache;
    const entry = this.#cache.acquire(key);
    if (this.#cache.size > size) {
      this.#keys.push(keysKey(key));
      this.#entries.push(entry);
    }
    return entry;
  }

  /** Loads what this round is of; returns the bytes that it has come to. */
  *#loadRound(timedKeys: Uint8Array[]): Reading<number> {
    const keys = this.#keys;
    const entries = this.#entries;
    if (keys.length === 0) {
      return 0;
    }
    this.#keys = [];
    this.#entries = [];
    // Whatever is not cached is settled, so this read need not wait for writes under way.
    const { values } = expectGet(yield { type: 'get', keys, afterWrites: false });
    assert(values.length === keys.length, 'a get is answered with as many values as keys');
    let bytes = 0;
    for (let at = 0; at < keys.length; at++) {
      const value = values[at];
      const record = value === undefined ? undefined : decodeCurrent(value);
      this.#cache.load(must(entries[at], 'the entry of a missing record'), record);
      bytes += value?.length ?? 0;
      if (record !== undefined && record.ttlMs > 0) {
        timedKeys.push(userKeyOf(must(keys[at], 'the key of a missing record')));
      }
    }
    const fitting = Math.floor((roundBytesAim * keys.length) / Math.max(bytes, 1));
    this.#roundKeys = Math.max(1, Math.min(fitting, this.#roundKeys * 8, roundKeysMax));
    return bytes;
  }
}

/** Acquires the keys that a command names; returns the entry of a put by itself. */
function acquireNamed(
  command: Command | undefined,
  acquire: (key: Uint8Array) => CacheEntry,
): CacheEntry | undefined {
  const operation = operationOf(command);
  switch (operation?.type) {
    case 'put':
      return acquire(operation.key);
    case 'deleteRange':
      return isPoint(operation) ? acquire(operation.key) : undefined;
    case 'txn':
      visitPointKeys(operation, acquire);
      return undefined;
    default:
      return undefined;
  }
}

/** What a command asks for, whoever asks and however often. */
function operationOf(command: Command | undefined): Command | undefined {
  const asked = command?.type === 'as' ? command.command : command;
  return asked?.type === 'once' ? asked.command : asked;
}

/**
 * Calls `visit` with every key that executing `txn` needs the current record of, whatever branch it
 * takes.
 */
function visitPointKeys(txn: TxnOperation, visit: (key: Uint8Array) => void): void {
  for (const compare of txn.compare) {
    visitPointKey(compare, visit);
  }
  for (const branch of [txn.success, txn.failure]) {
    for (const operation of branch) {
      if (operation.type === 'txn') {
        visitPointKeys(operation, visit);
      } else {
        visitPointKey(operation, visit);
      }
    }
  }
}

function visitPointKey(
  operation: KeySelector | PutOperation,
  visit: (key: Uint8Array) => void,
): void {
  if (isPoint(operation)) {
    visit(operation.key);
  }
}
