/**
 * Where the state machine's records stand in the engine: one ordered key space, a leading byte per
 * table.
 *
 * | byte | table     | rest of the key               | value                            |
 * |------|-----------|-------------------------------|----------------------------------|
 * | `k`  | keys      | the user's key                | current record, or its tombstone |
 * | `r`  | revisions | main (8 bytes), sub (4 bytes) | the full event: record and key   |
 * | `l`  | leases    | id (8 bytes)                  | the lease                        |
 * | `l`  | leases    | id (8 bytes) and a user's key | nothing: the key is attached     |
 * | `e`  | expiry    | `k`, the user's key           | when the key's time is up        |
 * | `e`  | expiry    | `d`, deadline (8), user's key | time to live of a key that waits |
 * | `s`  | answers   | `h`, lease (8)                | how far a session is             |
 * | `s`  | answers   | `a`, lease (8), sequence (8)  | answers to a session's requests  |
 * | `s`  | answers   | `k`, idempotency key          | answer to a keyed request        |
 * | `s`  | answers   | `q`, index (8)                | idempotency keys by age          |
 * | `s`  | answers   | `t`, index (8)                | cluster time of a log index      |
 * | `m`  | meta      | `s`, `c`, or `r` and a name   | one record each                  |
 * | `a`  | auth      | `s`                           | whether it is on, and its secret |
 * | `a`  | auth      | `u`, a user's name            | the user                         |
 * | `a`  | auth      | `r`, a role's name            | the role's permissions           |
 *
 * Integers are big-endian, so byte order is the order of revisions, and of keys.
 */
import {
  assert,
  compareBytes,
  concatBytes,
  emptyBytes,
  InvariantViolation,
  must,
  readUint32,
  readUint64,
  writeUint32,
  writeUint64,
} from '../base/index.ts';
import type { KeySelector, LeaseId } from './command.ts';

/** Leading byte of the table of current records. */
export const keysTable = 0x6b;
/** Leading byte of the table of events. */
export const revisionsTable = 0x72;
/** Leading byte of the table of leases and of the keys attached to them. */
export const leasesTable = 0x6c;
/** Leading byte of the table of keys that have a time to live. */
export const expiryTable = 0x65;
/**
 * Leading byte of the table of answers that are kept.
 *
 * @internal for tests.
 */
export const answersTable = 0x73;
/** Leading byte of the table of single records. */
export const metaTable = 0x6d;

/** Leading byte of the table of users and roles. */
export const authTable = 0x61;

/** Key of the record that holds the applied index and the revisions. */
export const stateMetaKey: Uint8Array = Uint8Array.of(metaTable, 0x73);

/** Key of the record that holds the newest applied configuration of the cluster. */
export const membershipMetaKey: Uint8Array = Uint8Array.of(metaTable, 0x63);

/** What the keys of named records begin with. */
export const namedRecordsPrefix: Uint8Array = Uint8Array.of(metaTable, 0x72);

/** Length of the key of a lease's record; the keys of its attachments begin with it. */
export const leaseKeyBytes = 9;

/** Length of a key of the revisions table. */
export const revisionKeyBytes = 13;

/** Largest `sub` that a key of the revisions table can hold. */
export const subMax = 0xffff_ffff;

/** A position in history: the store's revision, and the number of the change within it. */
export interface Revision {
  readonly main: number;
  readonly sub: number;
}

/** Returns the engine key of `userKey`'s current record. */
export function keysKey(userKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(userKey.length + 1);
  key[0] = keysTable;
  key.set(userKey, 1);
  return key;
}

/** Returns the user's key, as a view, of an engine key of the keys table. */
export function userKeyOf(engineKey: Uint8Array): Uint8Array {
  assert(engineKey[0] === keysTable && engineKey.length > 1, 'not a key of the keys table');
  return engineKey.subarray(1);
}

/** Returns the engine key of the event at (main, sub). */
export function revisionKey(main: number, sub: number): Uint8Array {
  const key = new Uint8Array(revisionKeyBytes);
  writeRevisionKey(key, 0, main, sub);
  return key;
}

/** Writes the engine key of the event at (main, sub) at `offset`. */
export function writeRevisionKey(
  target: Uint8Array,
  offset: number,
  main: number,
  sub: number,
): void {
  target[offset] = revisionsTable;
  writeUint32(target, offset + 1, Math.floor(main / 0x1_0000_0000));
  writeUint32(target, offset + 5, main >>> 0);
  writeUint32(target, offset + 9, sub);
}

/** Returns the revision of an engine key of the revisions table. */
export function revisionOf(engineKey: Uint8Array): Revision {
  assert(engineKey[0] === revisionsTable, 'not a key of the revisions table');
  assert(engineKey.length === revisionKeyBytes, 'a key of the revisions table has 13 bytes');
  return { main: readUint64(engineKey, 1), sub: readUint32(engineKey, 9) };
}

/** Returns the engine key of a lease. */
export function leaseKey(id: LeaseId): Uint8Array {
  const key = new Uint8Array(leaseKeyBytes);
  key[0] = leasesTable;
  new DataView(key.buffer).setBigInt64(1, id);
  return key;
}

/** Returns the lease that an engine key of the leases table speaks of. */
export function leaseIdOf(engineKey: Uint8Array): LeaseId {
  assert(engineKey[0] === leasesTable, 'not a key of the leases table');
  assert(engineKey.length >= leaseKeyBytes, 'a key of the leases table has 9 bytes at least');
  return new DataView(engineKey.buffer, engineKey.byteOffset, leaseKeyBytes).getBigInt64(1);
}

/** Returns the engine key of the record that says when a key's time is up. */
export function expiryKey(userKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(expiryTable, keysTable), userKey);
}

const dueMark = 0x64;
const dueHeadBytes = 10;

/** Returns the engine key under which a key stands among all that end, in the order they do. */
export function dueKey(deadlineMs: number, userKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(dueHeadBytes + userKey.length);
  key[0] = expiryTable;
  key[1] = dueMark;
  writeUint64(key, 2, deadlineMs);
  key.set(userKey, dueHeadBytes);
  return key;
}

/** Returns the engine keys of what is due from `fromMs` on and before `beforeMs`. */
export function dueRange(fromMs: number, beforeMs: number): EngineRange {
  return { gte: dueKey(fromMs, emptyBytes), lt: dueKey(beforeMs, emptyBytes) };
}

/** Returns the deadline and the user's key, as a view, of an engine key made by `dueKey`. */
export function dueOf(engineKey: Uint8Array): { deadlineMs: number; key: Uint8Array } {
  assert(isDueKey(engineKey) && engineKey.length > dueHeadBytes, 'not a key of what is due');
  return { deadlineMs: readUint64(engineKey, 2), key: engineKey.subarray(dueHeadBytes) };
}

/** Tells the two kinds of keys of the expiry table apart. */
export function isDueKey(engineKey: Uint8Array): boolean {
  return engineKey[0] === expiryTable && engineKey[1] === dueMark;
}

const sessionMark = 0x68;
const sessionAnswerMark = 0x61;
const keyedAnswerMark = 0x6b;
const keyAgeMark = 0x71;
const timeMark = 0x74;

function answersKey(mark: number, ...rest: readonly Uint8Array[]): Uint8Array {
  return concatBytes(Uint8Array.of(answersTable, mark), ...rest);
}

function uint64Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeUint64(bytes, 0, value);
  return bytes;
}

function leaseBytes(lease: LeaseId): Uint8Array {
  return leaseKey(lease).subarray(1);
}

/** Returns the engine key of what is known of a session. */
export function sessionKey(session: LeaseId): Uint8Array {
  return answersKey(sessionMark, leaseBytes(session));
}

/** Returns the engine key of the run of a session's answers that began with a number. */
export function sessionAnswerKey(session: LeaseId, sequence: number): Uint8Array {
  return answersKey(sessionAnswerMark, leaseBytes(session), uint64Bytes(sequence));
}

/** Returns the engine key of the answer to a request under an idempotency key. */
export function keyedAnswerKey(key: Uint8Array): Uint8Array {
  return answersKey(keyedAnswerMark, key);
}

/** Returns the engine key that says which idempotency key came with the entry at an index. */
export function keyAgeKey(index: number): Uint8Array {
  return answersKey(keyAgeMark, uint64Bytes(index));
}

/** Returns the engine key that says what time it was at an index. */
export function indexTimeKey(index: number): Uint8Array {
  return answersKey(timeMark, uint64Bytes(index));
}

/** Engine keys of all sessions, and of all answers to them. */
export const sessionsRange: EngineRange = tableRange(sessionMark);
/** See `sessionsRange`. */
export const sessionAnswersRange: EngineRange = tableRange(sessionAnswerMark);
/** Engine keys of the times of indexes. */
export const indexTimesRange: EngineRange = tableRange(timeMark);

function tableRange(mark: number): EngineRange {
  return { gte: answersKey(mark), lt: answersKey(mark + 1) };
}

/** Returns the session and, of an answer's key, the sequence that an engine key speaks of. */
export function sessionOf(engineKey: Uint8Array): { session: LeaseId; sequence: number } {
  const view = new DataView(engineKey.buffer, engineKey.byteOffset, engineKey.length);
  const sequence = engineKey.length > 10 ? readUint64(engineKey, 10) : 0;
  return { session: view.getBigInt64(2), sequence };
}

/** Returns the index in an engine key that was made of one. */
export function indexOf(engineKey: Uint8Array): number {
  return readUint64(engineKey, 2);
}

/** Returns the engine keys of what is attached to a lease. */
export function attachmentsRange(lease: LeaseId): EngineRange {
  const key = leaseKey(lease);
  // No lease's id is followed by another table's: the byte after it begins a user's key.
  return { gte: successorKey(key), lt: endOfPrefix(key) };
}

function endOfPrefix(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice();
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = must(end[at], 'a byte of the prefix');
    if (byte < 0xff) {
      end[at] = byte + 1;
      return end.subarray(0, at + 1);
    }
  }
  return end;
}

/** Tells whether a selector names one key rather than a range. */
export function isPoint(selector: KeySelector): boolean {
  return selector.rangeEnd === undefined || selector.rangeEnd.length === 0;
}

/** Engine keys `[gte, lt)`. */
export interface EngineRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

/** Tells whether an engine key is in a range. */
export function isIn({ gte, lt }: EngineRange, key: Uint8Array): boolean {
  return compareBytes(key, gte) >= 0 && compareBytes(key, lt) < 0;
}

/**
 * All keys that belong to the state, by ascending key: what a snapshot is a scan of. Every table
 * stands here, or snapshots lose it.
 */
export const stateRanges: readonly EngineRange[] = [
  authTable,
  expiryTable,
  keysTable,
  leasesTable,
  metaTable,
  revisionsTable,
  answersTable,
].map((table) => ({ gte: Uint8Array.of(table), lt: Uint8Array.of(table + 1) }));

/** Engine keys of all that is known of users and roles. */
export const authRange: EngineRange = {
  gte: Uint8Array.of(authTable),
  lt: Uint8Array.of(authTable + 1),
};

const authSettingsMark = 0x73;
const userMark = 0x75;
const roleMark = 0x72;

/** Key of the record that says whether calls must say who calls. */
export const authSettingsKey: Uint8Array = Uint8Array.of(authTable, authSettingsMark);

/** Returns the engine key of a user; a name has one character for each of its bytes. */
export function userKey(name: string): Uint8Array {
  return authKey(userMark, name);
}

/** Returns the engine key of a role. */
export function roleKey(name: string): Uint8Array {
  return authKey(roleMark, name);
}

function authKey(mark: number, name: string): Uint8Array {
  const key = new Uint8Array(2 + name.length);
  key[0] = authTable;
  key[1] = mark;
  for (let at = 0; at < name.length; at++) {
    key[2 + at] = name.charCodeAt(at);
  }
  return key;
}

/** What a key of the auth table speaks of. */
export interface AuthName {
  readonly kind: 'settings' | 'user' | 'role';
  /** Empty for the settings. */
  readonly name: string;
}

/** Returns what an engine key of the auth table speaks of. */
export function authNameOf(engineKey: Uint8Array): AuthName {
  assert(engineKey[0] === authTable, 'not a key of the auth table');
  const name = mapKeyOf(engineKey.subarray(2));
  switch (engineKey[1]) {
    case authSettingsMark:
      return { kind: 'settings', name };
    case userMark:
      return { kind: 'user', name };
    case roleMark:
      return { kind: 'role', name };
    default:
      throw new InvariantViolation(`kind ${String(engineKey[1])} of the auth table is known`);
  }
}

/** Engine keys of all leases and attachments. */
export const leasesRange: EngineRange = {
  gte: Uint8Array.of(leasesTable),
  lt: Uint8Array.of(leasesTable + 1),
};

/**
 * Returns the engine keys of the current records that a range selector names; empty when `gte >=
 * lt`.
 */
export function keysRange(selector: KeySelector): EngineRange {
  const { key, rangeEnd } = selector;
  assert(rangeEnd !== undefined && rangeEnd.length > 0, 'a point is no range');
  const isFromKey = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return {
    gte: keysKey(key),
    lt: isFromKey ? Uint8Array.of(keysTable + 1) : keysKey(rangeEnd),
  };
}

/**
 * Returns the engine keys of the events from `from` to the last one at main revision `lastMain`.
 */
export function revisionsRange(from: Revision, lastMain: number): EngineRange {
  return { gte: revisionKey(from.main, from.sub), lt: revisionKey(lastMain + 1, 0) };
}

/** Returns the smallest byte string above `key`. */
export function successorKey(key: Uint8Array): Uint8Array {
  return concatBytes(key, Uint8Array.of(0));
}

/**
 * Returns a string that stands for `bytes` in a map: one character per byte.
 *
 * Long keys go through in pieces, since a call takes a bounded number of arguments.
 */
export function mapKeyOf(bytes: Uint8Array): string {
  const { length } = bytes;
  if (length <= pieceBytes) {
    return String.fromCharCode.apply(null, bytes as unknown as number[]);
  }
  let text = '';
  for (let at = 0; at < length; at += pieceBytes) {
    const piece = bytes.subarray(at, Math.min(at + pieceBytes, length));
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}

const pieceBytes = 4096;
