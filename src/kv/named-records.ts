/**
 * Records that members share besides the keyspace, by name: opaque to the state machine, without
 * revisions, replicated like everything else (`setRecord`).
 */
import { assert, concatBytes, must, prefixEnd } from '../base/index.ts';
import { mapKeyOf, namedRecordsPrefix } from './key-layout.ts';
import { expectGet, type Reading, type StateWrite } from './need.ts';
import { ChunkedScan } from './scan.ts';
import { ByteReader } from './varint.ts';

/**
 * Limit: length of a record's name; enough for a path of a few words and an id.
 *
 * @internal for tests.
 */
export const recordNameBytesMax = 256;
/** Limit: bytes of a record's value; they are for facts about members, not for data. */
export const recordValueBytesMax = 64 * 1024;

/** A record that exists; its value is not empty. */
export interface NamedRecord {
  readonly name: string;
  readonly value: Uint8Array;
}

const namedRecordFormat = 1;
const printable = /^[\x21-\x7e]+$/;

/** Checks the form of a name, see `SetRecordCommand`. */
export function checkRecordName(name: string): void {
  assert(
    name.length <= recordNameBytesMax && printable.test(name),
    'the name of a record is 1 to 256 printable characters',
  );
}

/** Returns the bytes of a name. */
export function nameBytes(name: string): Uint8Array {
  const bytes = new Uint8Array(name.length);
  for (let at = 0; at < name.length; at++) {
    bytes[at] = name.charCodeAt(at);
  }
  return bytes;
}

/** Returns the name that the bytes spell. */
export function nameOf(bytes: Uint8Array): string {
  return mapKeyOf(bytes);
}

/** Returns the name in an engine key of a named record. */
export function recordNameOf(engineKey: Uint8Array): string {
  return nameOf(engineKey.subarray(namedRecordsPrefix.length));
}

/** Returns the engine operation that sets a record, or, with an empty value, removes it. */
export function namedRecordWrite(name: string, value: Uint8Array): StateWrite {
  const key = recordKey(name);
  return value.length === 0
    ? { type: 'delete', key }
    : { type: 'put', key, value: concatBytes(Uint8Array.of(namedRecordFormat), value) };
}

/** Returns the value, as a view, of a stored record. */
export function decodeNamedRecord(bytes: Uint8Array): Uint8Array {
  const reader = new ByteReader(bytes, 'named record');
  reader.format(namedRecordFormat);
  return reader.take(reader.remaining);
}

/**
 * Reads the value of a record; undefined when there is none.
 *
 * @internal for tests.
 */
export function* readRecord(name: string): Reading<Uint8Array | undefined> {
  const need = { type: 'get', keys: [recordKey(name)], afterWrites: true } as const;
  const [bytes] = expectGet(yield need).values;
  return bytes === undefined ? undefined : decodeNamedRecord(bytes);
}

/** Reads all records whose names begin with `prefix`, by ascending name. */
export function* readRecords(prefix: string): Reading<readonly NamedRecord[]> {
  const found: NamedRecord[] = [];
  const gte = recordKey(prefix);
  const lt = must(prefixEnd(gte), 'a key above all named records');
  const scan = new ChunkedScan({ gte, lt });
  while (!scan.isDone) {
    for (const { key, value } of scan.take(yield scan.need)) {
      found.push({ name: recordNameOf(key), value: decodeNamedRecord(value) });
    }
  }
  return found;
}

function recordKey(name: string): Uint8Array {
  return concatBytes(namedRecordsPrefix, nameBytes(name));
}
