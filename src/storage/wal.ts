/**
 * The log of one member on disk: a write-ahead log of its own, not the engine's (ADR-003).
 *
 * One append is one frame, one write into a file that is already allocated, and one `fdatasync`.
 * Batching is the caller's: while an append is under way the next batch collects. `wal-recovery.ts`
 * opens the log, `record.ts` knows the formats, `frame-packer.ts` makes frames, `segment.ts` knows
 * where each entry stands, `segment-reader.ts` reads it.
 *
 * Invariant: at most one frame is unsynced at any time. A batch that need not be synced has no
 * entries, so it is not written at all: its hard state waits in memory for the next frame, which
 * carries it anyway.
 */
import { dirname } from 'node:path';
import { assert, KvError, must } from '../base/index.ts';
import type { Entry, HardState, LogIndex, LogSummary } from '../raft/index.ts';
import { corruptLog } from './corruption.ts';
import { FramePacker, type PackedFrame } from './frame-packer.ts';
import { type FileSystem, isDiskFull } from './file-system.ts';
import { readLogStart, writeLogStart } from './log-start.ts';
import type { LogAppend, LogPosition, LogStore } from './ports.ts';
import {
  bodyBytesOf,
  entryHeaderBytes,
  frameBytes,
  frameHeaderBytes,
  segmentHeaderBytes,
} from './record.ts';
import { Segment, type SegmentMap, segmentName, segmentNumberOf } from './segment.ts';
import { readRun } from './segment-reader.ts';
import { SegmentSupply, unusedSuffix } from './segment-supply.ts';
import { storageError } from './storage-error.ts';
import { findLogStart, type FoundSegment, type RecoveredLog, recoverLog } from './wal-recovery.ts';

/**
 * Size of a segment file: large enough to make a new one rare, small enough to allocate in a
 * moment.
 */
const defaultSegmentBytes = 64 * 1024 * 1024;

/** Smallest segment: a few frames. For tests; the default is right otherwise. */
const SEGMENT_BYTES_MIN = 1024;

/** Where and how a log is kept. */
export interface WalOptions {
  readonly folder: string;
  readonly fileSystem: FileSystem;
  /** A multiple of 64. Default {@link defaultSegmentBytes}. */
  readonly segmentBytes?: number | undefined;
  /** Unpredictable 32-bit integers, for the salts of segments. */
  readonly randomUint32: () => number;
}

/**
 * Creates an empty log in `folder`, durably; whatever an interrupted creation left there goes.
 *
 * NB: only for a member that is being created. A log that has ever been opened must never be
 * created anew, since the member's votes would be forgotten (Raft thesis §3.8).
 */
export async function createWal(options: WalOptions): Promise<void> {
  const { folder, fileSystem, segmentBytes = defaultSegmentBytes } = options;
  checkSegmentBytes(segmentBytes);
  fileSystem.makeFolder(folder);
  for (const name of fileSystem.list(folder)) {
    fileSystem.remove(`${folder}/${name}`);
  }
  const supply = new SegmentSupply(fileSystem, folder, segmentBytes);
  try {
    const { file, allocatedBytes } = await supply.take(segmentBytes);
    const header = {
      number: 1,
      allocatedBytes,
      start: { index: 0, term: 0 },
      firstFrameNumber: 1,
      salt: options.randomUint32(),
    };
    const hardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
    const { bytes, length } = new FramePacker().packFirst(header, [], hardState);
    file.writeSync(bytes, length, 0);
    await file.sync();
    file.close();
    fileSystem.rename(file.path, `${folder}/${segmentName(1, 1)}`);
    await fileSystem.syncDirectory(folder);
    await fileSystem.syncDirectory(dirname(folder));
  } catch (error) {
    throw storageError(error, `the log in ${folder} could not be created`, 'rejected');
  }
}

/**
 * Opens the log in `folder`, which {@link createWal} has made.
 *
 * @throws {KvError} DATA_CORRUPT — the log is damaged or gone; names file, offset and remedy.
 * @throws {KvError} STORAGE_FAILED — the disk does not work.
 */
export async function openWal(options: WalOptions): Promise<LogStore> {
  const { folder, fileSystem, segmentBytes = defaultSegmentBytes } = options;
  checkSegmentBytes(segmentBytes);
  const opened: FoundSegment[] = [];
  try {
    openSegments(options, opened);
    const foundLog = await findLogStart(opened, await readLogStart(fileSystem, folder));
    checkNumbers(foundLog.segments);
    const recovered = await recoverLog(foundLog);
    // What was read may have been written but not synced by a process that was killed: from here on
    // the member acts on it, so it must be durable first; so must the name of a segment that makes
    // others leftovers.
    await recovered.rewriteLastFrame();
    await recovered.map.active().file.sync();
    await fileSystem.syncDirectory(folder);
    for (const { file } of foundLog.leftovers) {
      file.close();
      fileSystem.remove(file.path);
    }
    return new Wal(options, segmentBytes, recovered);
  } catch (error) {
    for (const { file } of opened) {
      file.close();
    }
    throw storageError(error, `the log in ${folder} could not be opened`, 'rejected');
  }
}

/** Opens the segments in the folder, in order, and removes files that never came into use. */
function openSegments({ folder, fileSystem }: WalOptions, opened: FoundSegment[]): void {
  for (const name of fileSystem.list(folder)) {
    const number = segmentNumberOf(name);
    if (number !== undefined) {
      opened.push({ file: fileSystem.open(`${folder}/${name}`, 'existing'), number });
    } else if (name.endsWith(unusedSuffix)) {
      fileSystem.remove(`${folder}/${name}`);
    }
  }
  if (opened.length === 0) {
    throw corruptLog(folder, 0, 'the log has no segment, although this member has been in use');
  }
}

function checkNumbers(segments: readonly FoundSegment[]): void {
  const first = segments[0]?.number ?? 0;
  for (const [i, { file, number }] of segments.entries()) {
    if (number !== first + i) {
      throw corruptLog(file.path, 0, `segment ${first + i} before it is missing`);
    }
  }
}

function checkSegmentBytes(segmentBytes: number): void {
  assert(segmentBytes % frameHeaderBytes === 0, 'segmentBytes is a multiple of 64');
  assert(segmentBytes >= SEGMENT_BYTES_MIN, `segmentBytes is at least ${SEGMENT_BYTES_MIN}`);
  assert(segmentBytes < 2 ** 31, 'segmentBytes is below 2 GiB');
}

/** A frame ready to be written, and the segment it goes to. */
interface PlacedFrame {
  readonly segment: Segment;
  readonly frame: PackedFrame;
  /** File offset of the write. */
  readonly position: number;
  readonly isNewSegment: boolean;
}

class Wal implements LogStore {
  readonly initialHardState: HardState;
  readonly initialLog: LogSummary;
  readonly #options: WalOptions;
  readonly #map: SegmentMap;
  readonly #supply: SegmentSupply;
  /** Newest hard state handed in; changes when an append is durable, or need not be. */
  #hardState: HardState;
  /** Whether `#hardState` is ahead of the last frame. */
  #hasUnwrittenHardState = false;
  #nextFrameNumber: number;
  readonly #packer = new FramePacker();
  #isAppending = false;
  #isClosed = false;
  /** Set once, by the first failed write or sync. Invariant: nothing is acknowledged afterwards. */
  #failure: KvError | undefined;
  readonly #reads = new Set<Promise<unknown>>();
  /** Settles with the last compaction or reset called; never rejects. One is at work at a time. */
  #compacting: Promise<void> = Promise.resolve();

  constructor(options: WalOptions, segmentBytes: number, recovered: RecoveredLog) {
    this.#options = options;
    this.#map = recovered.map;
    this.#hardState = recovered.hardState;
    this.#nextFrameNumber = recovered.nextFrameNumber;
    this.#supply = new SegmentSupply(options.fileSystem, options.folder, segmentBytes);
    this.initialHardState = recovered.hardState;
    this.initialLog = recovered.summary;
  }

  async append(batch: LogAppend): Promise<void> {
    assert(!this.#isAppending, 'one append at a time');
    this.#checkUsable();
    const { entries } = batch;
    const hardState = batch.hardState ?? this.#hardState;
    this.#checkEntries(entries);
    if (entries.length === 0 && !batch.mustSync) {
      this.#hasUnwrittenHardState ||= batch.hardState !== undefined;
      this.#hardState = hardState;
      return;
    }
    this.#isAppending = true;
    try {
      const placed = await this.#place(entries, hardState);
      await this.#writeFrame(placed);
      this.#takeFrame(placed, entries, hardState);
    } finally {
      this.#isAppending = false;
    }
  }

  async read(lo: LogIndex, hi: LogIndex, bytesMax: number): Promise<readonly Entry[]> {
    const { snapshotIndex, lastIndex } = this.#map;
    assert(lo > snapshotIndex, () => `read from ${lo} is not above the snapshot`);
    assert(lo < hi, () => `read of [${lo}, ${hi}) is empty`);
    assert(hi <= lastIndex + 1, () => `read up to ${hi} is beyond the last entry ${lastIndex}`);
    this.#checkUsable();
    const reading = Promise.all(this.#map.runs(lo, hi, bytesMax).map(async (run) => readRun(run)));
    const settled = reading.then(
      () => undefined,
      () => undefined,
    );
    this.#reads.add(settled);
    try {
      return (await reading).flat();
    } finally {
      this.#reads.delete(settled);
    }
  }

  async compact(index: LogIndex): Promise<void> {
    this.#checkUsable();
    const { lastIndex } = this.#map;
    assert(index <= lastIndex, () => `compaction up to ${index} is beyond the end ${lastIndex}`);
    const compaction = this.#compacting.then(async () => this.#compact(index));
    this.#compacting = compaction.catch(() => undefined);
    return compaction;
  }

  async reset(position: LogPosition, hardState: HardState): Promise<void> {
    assert(!this.#isAppending, 'one append at a time');
    this.#checkUsable();
    this.#isAppending = true;
    try {
      const resetting = this.#compacting.then(async () => this.#reset(position, hardState));
      // A compaction called meanwhile comes after it: it would name a start in the log that goes.
      this.#compacting = resetting.catch(() => undefined);
      await resetting;
    } finally {
      this.#isAppending = false;
    }
  }

  sizeBytes(): number {
    let bytes = 0;
    for (const { header } of this.#map.segments) {
      bytes += header.allocatedBytes;
    }
    return bytes;
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    assert(!this.#isAppending, 'a log is closed after its last append has settled');
    try {
      if (this.#hasUnwrittenHardState && this.#failure === undefined) {
        await this.append({ hardState: this.#hardState, entries: [], mustSync: true });
      }
    } finally {
      this.#isClosed = true;
      await this.#compacting;
      await Promise.all(this.#reads);
      await this.#supply.close();
      for (const segment of this.#map.segments) {
        segment.file.close();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkUsable(): void {
    assert(!this.#isClosed, 'the log is open');
    if (this.#failure !== undefined) {
      throw new KvError('STORAGE_FAILED', {
        message: `the log stopped at an earlier failure (${this.#failure.message})`,
        cause: this.#failure,
      });
    }
  }

  #checkEntries(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) {
      return;
    }
    const { snapshotIndex, lastIndex } = this.#map;
    assert(first.index > snapshotIndex, 'an append never reaches the compacted log');
    assert(first.index <= lastIndex + 1, () => `entry ${first.index} leaves a hole`);
    for (let i = 1; i < entries.length; i++) {
      assert(entries[i]?.index === first.index + i, 'entries of an append are contiguous');
    }
  }

  /** Packs the frame, and finds room for it: in the active segment, or in a new one. */
  async #place(entries: readonly Entry[], hardState: HardState): Promise<PlacedFrame> {
    const active = this.#map.active();
    const position = active.end;
    const size = frameBytes(bodyBytesOf(entries));
    if (position + size > active.header.allocatedBytes) {
      return this.#placeNew(entries, hardState, undefined);
    }
    const { salt } = active.header;
    const number = this.#nextFrameNumber;
    const frame = this.#packer.pack(entries, size, { salt, number, hardState, position });
    return { segment: active, frame, position, isNewSegment: false };
  }

  /** As `#place`, in a new segment; with `start` the log begins there. */
  async #placeNew(
    entries: readonly Entry[],
    hardState: HardState,
    start: LogPosition | undefined,
  ): Promise<PlacedFrame> {
    const blank = await this.#takeBlank(segmentHeaderBytes + frameBytes(bodyBytesOf(entries)));
    const header = {
      number: this.#map.active().header.number + 1,
      allocatedBytes: blank.allocatedBytes,
      start,
      firstFrameNumber: this.#nextFrameNumber,
      salt: this.#options.randomUint32(),
    };
    const firstIndex = entries[0]?.index ?? (start?.index ?? this.#map.lastIndex) + 1;
    const path = `${this.#options.folder}/${segmentName(header.number, firstIndex)}`;
    const segment = new Segment(blank.file, path, header);
    const frame = this.#packer.packFirst(header, entries, hardState);
    return { segment, frame, position: 0, isNewSegment: true };
  }

  /**
   * A full disk is survived here, since nothing of the batch is written yet; other errors are
   * final.
   */
  async #takeBlank(bytes: number): ReturnType<SegmentSupply['take']> {
    try {
      return await this.#supply.take(bytes);
    } catch (error) {
      if (isDiskFull(error)) {
        throw new KvError('DISK_FULL', {
          message:
            'no space left on the disk for the next segment of the log in ' +
            `${this.#options.folder}; ` +
            'nothing is lost, writes go on once there is room',
          cause: error,
        });
      }
      throw this.#fail(error);
    }
  }

  async #writeFrame({ segment, frame, position, isNewSegment }: PlacedFrame): Promise<void> {
    const { folder, fileSystem } = this.#options;
    try {
      segment.file.writeSync(frame.bytes, frame.length, position);
      await segment.file.datasync();
      if (isNewSegment) {
        fileSystem.rename(segment.file.path, segment.path);
        await fileSystem.syncDirectory(folder);
      }
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** The frame is durable: its entries are part of the log from here on. */
  #takeFrame(placed: PlacedFrame, entries: readonly Entry[], hardState: HardState): void {
    const { segment, frame, position } = placed;
    if (segment !== this.#map.active()) {
      this.#map.segments.push(segment);
    }
    const first = entries[0];
    if (first !== undefined) {
      this.#map.truncate(first.index);
    }
    let offset = position + frame.bodyAt;
    for (const entry of entries) {
      this.#map.push(entry.index, offset, entry.data.length);
      offset += entryHeaderBytes + entry.data.length;
    }
    segment.end = position + frame.length;
    this.#hardState = hardState;
    this.#hasUnwrittenHardState = false;
    this.#nextFrameNumber++;
    if (segment.end * 2 > segment.header.allocatedBytes) {
      this.#supply.prepare();
    }
    this.#packer.release();
  }

  async #reset(position: LogPosition, hardState: HardState): Promise<void> {
    const placed = await this.#placeNew([], hardState, position);
    await this.#writeFrame(placed);
    // The rename has made it so: from here on everything before this segment is a leftover.
    for (const segment of this.#map.restart(placed.segment, position.index)) {
      this.#retire(segment);
    }
    this.#takeFrame(placed, [], hardState);
  }

  async #compact(index: LogIndex): Promise<void> {
    const map = this.#map;
    if (index <= map.snapshotIndex) {
      return;
    }
    const [last] = await this.read(index, index + 1, 0);
    const { term } = must(last, 'last entry to compact');
    // What is appended meanwhile comes after `index`, so this segment stays the oldest needed.
    const oldest = map.oldestNeeded(index);
    const { folder, fileSystem } = this.#options;
    try {
      const start = { segment: oldest.header.number, position: { index, term } };
      await writeLogStart(fileSystem, folder, start);
    } catch (error) {
      if (isDiskFull(error)) {
        throw storageError(error, `the log in ${folder} could not be compacted`, 'rejected');
      }
      throw this.#fail(error);
    }
    map.startAfter(index);
    for (const segment of map.takeBefore(oldest)) {
      this.#retire(segment);
    }
  }

  #retire(segment: Segment): void {
    segment.retire(() => {
      try {
        this.#options.fileSystem.remove(segment.path);
      } catch {
        // It is no part of the log any more; the next opening removes it.
      }
    });
  }

  /** Makes the log refuse everything from now on; the batch under way may or may not be durable. */
  #fail(error: unknown): KvError {
    const failure = storageError(
      error,
      `the log in ${this.#options.folder} could not be written`,
      'unknown',
    );
    this.#failure = failure;
    return failure;
  }
}
