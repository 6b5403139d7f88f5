/**
 * What RocksDB's list of table files (its manifest) says of how far each column family has been
 * flushed. A record of it is an *edit* of one family: fields, each led by a tag; numbers are
 * varints.
 *
 * RocksDB syncs the logs that it has closed before it flushes one of several families, and flushes
 * all of them when it opens. So the logs between the first that some family needs and the one that
 * another was flushed up to are whole, and no crash takes anything from them: what is missing there
 * was damaged.
 */
import { corruptData } from './corruption.ts';

/** How far the families have been flushed. */
export interface FlushedFamilies {
  /** The first log that some family still needs. */
  readonly firstLog: number;
  /** The first log that the family which was flushed last needs; above `firstLog`. */
  readonly lastLog: number;
  /** Sequence number of the newest operation that a table file holds. */
  readonly sequence: number;
}

/** What edits have come to. */
interface Found {
  /** First log that each family needs, by the number of the family. */
  readonly logs: Map<number, number>;
  sequence: number;
  /** No log below is needed by any family. */
  firstLog: number;
}

/** What one edit says. */
interface Edit {
  family: number;
  log: number;
}

const comparator = 1;
const logNumber = 2;
const nextFileNumber = 3;
const lastSequence = 4;
const compactCursor = 5;
const deletedFile = 6;
const prevLogNumber = 9;
const minLogNumberToKeep = 10;
const newFile = 103;
const columnFamily = 200;
const columnFamilyAdd = 201;
const maxColumnFamily = 203;
const inAtomicGroup = 300;
/** Tags with this bit are followed by their length. */
const isSkippable = 1 << 13;

/** The last field of a new file that is led by a tag. */
const endOfFile = 1;

/**
 * Reads the edits of the manifest at `path`; undefined when all families need the same logs.
 *
 * @throws {KvError} DATA_CORRUPT — an edit is none that RocksDB would read.
 */
export function readEdits(path: string, edits: Iterable<Uint8Array>): FlushedFamilies | undefined {
  const found: Found = { logs: new Map(), sequence: 0, firstLog: 0 };
  for (const bytes of edits) {
    const reader = new EditReader(path, bytes);
    const edit: Edit = { family: 0, log: 0 };
    while (!reader.isAtEnd) {
      readField(reader, edit, found);
    }
    found.logs.set(edit.family, Math.max(found.logs.get(edit.family) ?? 0, edit.log));
  }
  const firstLog = Math.max(found.firstLog, Math.min(...found.logs.values()));
  const lastLog = Math.max(0, ...found.logs.values());
  return firstLog < lastLog ? { firstLog, lastLog, sequence: found.sequence } : undefined;
}

function readField(reader: EditReader, edit: Edit, found: Found): void {
  const tag = reader.number();
  switch (tag) {
    case logNumber:
      edit.log = reader.number();
      return;
    case columnFamily:
      edit.family = reader.number();
      return;
    case minLogNumberToKeep:
      found.firstLog = Math.max(found.firstLog, reader.number());
      return;
    case newFile:
      found.sequence = Math.max(found.sequence, readNewFile(reader));
      return;
    case nextFileNumber:
    case lastSequence:
    case prevLogNumber:
    case maxColumnFamily:
    case inAtomicGroup:
      reader.number();
      return;
    case deletedFile:
      reader.number();
      reader.number();
      return;
    case compactCursor:
      reader.number();
      reader.skip();
      return;
    default:
      if (tag !== comparator && tag !== columnFamilyAdd && (tag & isSkippable) === 0) {
        reader.fail(`has the unknown tag ${tag}`);
      }
      reader.skip();
  }
}

/** Level, number, size, both ends, both sequence numbers, and fields of later versions. */
function readNewFile(reader: EditReader): number {
  reader.number();
  reader.number();
  reader.number();
  reader.skip();
  reader.skip();
  reader.number();
  const sequence = reader.number();
  while (reader.number() !== endOfFile) {
    reader.skip();
  }
  return sequence;
}

class EditReader {
  readonly #path: string;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(path: string, bytes: Uint8Array) {
    this.#path = path;
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** A varint. Those above 2^53, which are none of those that count here, lose their low bits. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) {
        return this.fail('is too short');
      }
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return value;
      }
    }
  }

  /** Bytes led by their length. */
  skip(): void {
    const length = this.number();
    this.#at += length;
    if (this.#at > this.#bytes.length) {
      this.fail('is too short');
    }
  }

  fail(what: string): never {
    throw corruptData('engine', this.#path, 0, `an edit of the manifest ${what}`);
  }
}
