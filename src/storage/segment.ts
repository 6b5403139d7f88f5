/**
 * One segment file of the log and the places of the entries in it; and the map from index to
 * segment.
 *
 * A segment is allocated whole and filled with zeros, synced with its size, before it comes into
 * use under a `.tmp` name; only once its header and first frame are synced does it get its real
 * name. So a segment in use always starts with an intact frame, and is never shorter than its
 * header says.
 */
import { assert, must } from '../base/index.ts';
import type { LogIndex } from '../raft/index.ts';
import type { StorageFile } from './file-system.ts';
import { entryHeaderBytes, type SegmentHeader, segmentHeaderBytes } from './record.ts';

const segmentNamePattern = /^(\d{16})-(\d{16})\.wal$/;

/** The name of a segment in use: its number and the index that follows the log before it. */
export function segmentName(number: number, firstIndex: LogIndex): string {
  return `${String(number).padStart(16, '0')}-${String(firstIndex).padStart(16, '0')}.wal`;
}

/** The number in a segment's name, or undefined when the name is none. */
export function segmentNumberOf(name: string): number | undefined {
  const match = segmentNamePattern.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Where entries stand in one segment: a contiguous run of indexes, cut when a later append
 * overwrites it.
 */
export class Segment {
  readonly file: StorageFile;
  /** The file's name in use; the file itself may still know the one it was made under. */
  readonly path: string;
  readonly header: SegmentHeader;
  /** Where the next frame goes. Invariant: everything from here on is zero. */
  end: number = segmentHeaderBytes;
  /** Index of the first entry of the run; meaningless while `count` is 0. */
  firstIndex: LogIndex = 0;
  /** Entries of the run that are still part of the log. */
  count = 0;
  /** Reads under way. */
  #readerCount = 0;
  /** Set once the segment is no part of the log any more: removes the file. */
  #remove: (() => void) | undefined;
  /** File offset of each entry's header. */
  #offsets = new Uint32Array(1024);
  /** Data length of each entry. */
  #lengths = new Uint32Array(1024);

  constructor(file: StorageFile, path: string, header: SegmentHeader) {
    this.file = file;
    this.path = path;
    this.header = header;
  }

  /** Records that entry `index`, which continues the run or starts one, stands at `offset`. */
  push(index: LogIndex, offset: number, dataBytes: number): void {
    if (this.count === 0) {
      this.firstIndex = index;
    }
    assert(index === this.firstIndex + this.count, 'entries of a segment are contiguous');
    if (this.count === this.#offsets.length) {
      this.#offsets = grown(this.#offsets);
      this.#lengths = grown(this.#lengths);
    }
    this.#offsets[this.count] = offset;
    this.#lengths[this.count] = dataBytes;
    this.count++;
  }

  /** Forgets the entries from `index` on. */
  truncate(index: LogIndex): void {
    if (this.count > 0) {
      this.count = Math.max(0, Math.min(this.count, index - this.firstIndex));
    }
  }

  /** Keeps the file open until `endRead`. */
  beginRead(): void {
    this.#readerCount++;
  }

  endRead(): void {
    this.#readerCount--;
    this.#closeIfUnused();
  }

  /** The segment is no part of the log any more: its file closes and goes after its last read. */
  retire(remove: () => void): void {
    this.#remove = remove;
    this.#closeIfUnused();
  }

  #closeIfUnused(): void {
    if (this.#remove !== undefined && this.#readerCount === 0) {
      this.file.close();
      this.#remove();
    }
  }

  offsetOf(index: LogIndex): number {
    return must(this.#offsets[index - this.firstIndex], 'offset');
  }

  dataBytesOf(index: LogIndex): number {
    return must(this.#lengths[index - this.firstIndex], 'length');
  }
}

/** Part of one segment that a read takes in one go. */
export interface ReadRun {
  readonly segment: Segment;
  readonly lo: LogIndex;
  readonly hi: LogIndex;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Bytes of other frames' headers, padding or overwritten entries worth reading over rather than
 * around.
 */
const READ_GAP_BYTES_MAX = 64 * 1024;
/** One read's size; a larger run is cut (a single larger entry is not). */
const READ_RUN_BYTES_MAX = 8 * 1024 * 1024;

/** All segments in use, oldest first, as one log of entries. */
export class SegmentMap {
  /** Invariant: never empty once the log is open. */
  segments: Segment[] = [];
  /** The entry before the first one kept. */
  snapshotIndex: LogIndex;
  lastIndex: LogIndex;

  constructor(snapshotIndex: LogIndex) {
    this.snapshotIndex = snapshotIndex;
    this.lastIndex = snapshotIndex;
  }

  /** The segment that takes the next frame. */
  active(): Segment {
    return must(this.segments.at(-1), 'active segment');
  }

  /** Forgets the entries from `index` on, in every segment. */
  truncate(index: LogIndex): void {
    assert(index > this.snapshotIndex, 'a truncation never reaches the compacted log');
    if (index > this.lastIndex) {
      return;
    }
    for (const segment of this.segments) {
      segment.truncate(index);
    }
    this.lastIndex = index - 1;
  }

  /** For recovery: as `truncate`, but the log may begin anew at any index. */
  beginAt(index: LogIndex): void {
    for (const segment of this.segments) {
      segment.truncate(index);
    }
    this.lastIndex = index - 1;
  }

  /** Forgets the entries up to and including `index`; their segments stay until `takeBefore`. */
  startAfter(index: LogIndex): void {
    this.snapshotIndex = index;
    this.lastIndex = Math.max(this.lastIndex, index);
  }

  /** The oldest segment that is needed once the entries up to `index` are forgotten. */
  oldestNeeded(index: LogIndex): Segment {
    const active = this.active();
    const found = this.segments.find(
      (it) => it === active || (it.count > 0 && it.firstIndex + it.count - 1 > index),
    );
    return must(found, 'oldest needed segment');
  }

  /** Takes the segments before `oldest` out of the log and returns them. */
  takeBefore(oldest: Segment): readonly Segment[] {
    const taken = this.segments.slice(0, this.segments.indexOf(oldest));
    this.segments = this.segments.slice(taken.length);
    return taken;
  }

  /** Replaces everything by one empty segment; returns those it had. */
  restart(segment: Segment, index: LogIndex): readonly Segment[] {
    const taken = this.segments;
    this.segments = [segment];
    this.snapshotIndex = index;
    this.lastIndex = index;
    return taken;
  }

  /** Records an entry of the active segment that follows the last one. */
  push(index: LogIndex, offset: number, dataBytes: number): void {
    assert(index === this.lastIndex + 1, 'an entry follows the last one');
    this.active().push(index, offset, dataBytes);
    this.lastIndex = index;
  }

  /**
   * The runs that hold entries from `lo` up to `hi`, cut after `dataBytesMax` of data (but not
   * before one entry).
   */
  runs(lo: LogIndex, hi: LogIndex, dataBytesMax: number): readonly ReadRun[] {
    const runs: ReadRun[] = [];
    let index = lo;
    let dataBytes = 0;
    while (index < hi) {
      const segment = this.#segmentOf(index);
      const start = segment.offsetOf(index);
      const first = index;
      const segmentEnd = Math.min(hi, segment.firstIndex + segment.count);
      let end = start;
      while (index < segmentEnd) {
        const offset = segment.offsetOf(index);
        const length = segment.dataBytesOf(index);
        if (index > lo && dataBytes + length > dataBytesMax) {
          hi = index;
          break;
        }
        const next = offset + entryHeaderBytes + length;
        if (
          offset - end > READ_GAP_BYTES_MAX ||
          (index > first && next - start > READ_RUN_BYTES_MAX)
        ) {
          break;
        }
        dataBytes += length;
        end = next;
        index++;
      }
      if (index > first) {
        runs.push({ segment, lo: first, hi: index, offset: start, bytes: end - start });
      }
    }
    return runs;
  }

  #segmentOf(index: LogIndex): Segment {
    const found = this.segments.findLast((it) => it.count > 0 && it.firstIndex <= index);
    const segment = must(found, 'segment of an entry of the log');
    assert(index < segment.firstIndex + segment.count, 'the log has no holes');
    return segment;
  }
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
