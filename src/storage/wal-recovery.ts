/**
 * Opening the log: reads every segment, checks every byte that counts, and tells a torn last write,
 * which was never acknowledged and is cut off, from damage, which is refused.
 *
 * At most one frame is unsynced at any time, and a sector is written wholly or not at all. So after
 * a crash only the last frame of the last segment may be incomplete, and then some of its sectors
 * are still zero. Everything else that does not match its checksum is damage, and the log is not
 * opened: what it cannot prove to be unacknowledged it never drops (design §4.4).
 *
 * In a compacted log the segments may begin with entries that are forgotten already, and with ones
 * that were overwritten from an index whose segment is gone. So they are replayed as they stand,
 * and the start is applied at the end.
 */
import { must } from '../base/index.ts';
import type { Entry, HardState, LogIndex, LogSummary, TermRun } from '../raft/index.ts';
import { corruptLog } from './corruption.ts';
import type { StorageFile } from './file-system.ts';
import type { LogStart } from './log-start.ts';
import type { LogPosition } from './ports.ts';
import {
  countZeroPieces,
  decodeEntry,
  decodeFrameHeader,
  decodeSegmentHeader,
  entryDataBytes,
  entryHeaderBytes,
  entryTerm,
  frameBytes,
  frameHeaderBytes,
  type FrameHeader,
  isConfChange,
  isEntryIntact,
  isFrameHeader,
  isZero,
  type SegmentHeader,
  segmentHeaderBytes,
  viewOf,
} from './record.ts';
import { ReadWindow } from './read-window.ts';
import { Segment, SegmentMap } from './segment.ts';
import { zeroFill } from './zero-fill.ts';

/** What recovery found: enough to go on appending. */
export interface RecoveredLog {
  readonly map: SegmentMap;
  readonly hardState: HardState;
  readonly summary: LogSummary;
  readonly nextFrameNumber: number;
  /**
   * Writes the last frame once more, as it was read; a sync of the active segment must follow.
   *
   * Why: if the process before has failed to sync it, the kernel holds its pages for clean, shows
   * them to whoever reads, and a sync alone would not write them. Frames before it were durable
   * before it was written.
   */
  rewriteLastFrame(): Promise<void>;
}

/** A segment file as found in the folder, with the number in its name. */
export interface FoundSegment {
  readonly file: StorageFile;
  readonly number: number;
}

/** The segments that make up the log, and what it starts after. */
export interface FoundLog {
  /** In order, not empty. */
  readonly segments: readonly FoundSegment[];
  /** Segments before them: left over from a compaction or a reset. */
  readonly leftovers: readonly FoundSegment[];
  readonly start: LogPosition;
}

/**
 * Finds where the log starts: at the segment that the start file names, or at one whose own header
 * says so, whichever is later.
 */
export async function findLogStart(
  found: readonly FoundSegment[],
  compacted: LogStart | undefined,
): Promise<FoundLog> {
  const last = must(found.at(-1), 'last segment');
  if (compacted !== undefined && compacted.segment > last.number) {
    const what = `the log starts with segment ${compacted.segment}, which is missing`;
    throw corruptLog(last.file.path, 0, what);
  }
  for (let i = found.length - 1; i >= 0; i--) {
    const segment = must(found[i], 'segment');
    const cut = { segments: found.slice(i), leftovers: found.slice(0, i) };
    if (segment.number === compacted?.segment) {
      return { ...cut, start: compacted.position };
    }
    const { start } = await readHeader(segment);
    if (start !== undefined) {
      return { ...cut, start };
    }
  }
  const first = must(found[0], 'first segment');
  throw corruptLog(first.file.path, 0, 'the log starts before this segment, which is the first');
}

/** Reads the segments of the log and cuts a torn frame off the last one. */
export async function recoverLog({ segments, start }: FoundLog): Promise<RecoveredLog> {
  const recovery = new Recovery(start);
  for (const [i, segment] of segments.entries()) {
    await recovery.readSegment(segment, i === segments.length - 1);
  }
  return recovery.result();
}

async function readHeader({ file, number }: FoundSegment): Promise<SegmentHeader> {
  const sizeBytes = file.sizeBytes();
  if (sizeBytes < segmentHeaderBytes) {
    throw corruptLog(file.path, sizeBytes, 'the file ends within the segment header');
  }
  const bytes = new Uint8Array(segmentHeaderBytes);
  await file.read(bytes, 0);
  const header = decodeSegmentHeader(viewOf(bytes));
  if (typeof header === 'string') {
    throw corruptLog(file.path, 0, header);
  }
  if (header.number !== number) {
    throw corruptLog(file.path, 8, `segment ${header.number} stands under the name of ${number}`);
  }
  if (sizeBytes < header.allocatedBytes) {
    const what = `the file ends here but was allocated ${header.allocatedBytes} bytes`;
    throw corruptLog(file.path, sizeBytes, what);
  }
  return header;
}

class Recovery {
  readonly #window = new ReadWindow();
  readonly #termRuns: TermRun[] = [];
  readonly #confEntries: Entry[] = [];
  readonly #start: LogPosition;
  readonly #map: SegmentMap;
  #hardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
  /** Unknown before the first segment. */
  #nextFrameNumber: number | undefined;
  /** Where the last intact frame begins, in the segment read last. */
  #lastFrameAt = segmentHeaderBytes;

  constructor(start: LogPosition) {
    this.#start = start;
    this.#map = new SegmentMap(start.index);
  }

  result(): RecoveredLog {
    const map = this.#map;
    const { index, term } = this.#start;
    this.#checkStart();
    map.startAfter(index);
    return {
      map,
      hardState: this.#hardState,
      summary: {
        snapshotIndex: index,
        snapshotTerm: term,
        lastIndex: map.lastIndex,
        termRuns: runsAfter(this.#termRuns, index, map.lastIndex),
        confEntries: this.#confEntries.filter((entry) => entry.index > index),
      },
      nextFrameNumber: must(this.#nextFrameNumber, 'frame number'),
      rewriteLastFrame: async () => rewrite(map.active(), this.#lastFrameAt),
    };
  }

  /** Whether the entries that were found fit to where the log starts. */
  #checkStart(): void {
    const map = this.#map;
    const { index, term } = this.#start;
    const first = this.#termRuns[0];
    if (first === undefined) {
      return;
    }
    const path = must(map.segments[0], 'first segment').path;
    if (first.firstIndex > index + 1 || map.lastIndex < index) {
      const what =
        `the log starts after entry ${index}, ` +
        `but its segments hold entries ${first.firstIndex} to ${map.lastIndex}`;
      throw corruptLog(path, 0, what);
    }
    const before = this.#termRuns.findLast((run) => run.firstIndex <= index);
    const after = this.#termRuns.find((run) => run.firstIndex > index);
    if ((before !== undefined && before.term !== term) || (after?.term ?? term) < term) {
      const what = `entry ${index}, after which the log starts, should have term ${term}`;
      throw corruptLog(path, 0, what);
    }
  }

  async readSegment(found: FoundSegment, isLast: boolean): Promise<void> {
    const segment = await this.#openSegment(found);
    const { file, header } = segment;
    const window = this.#window;
    while (segment.end + frameHeaderBytes <= header.allocatedBytes) {
      const at = segment.end;
      // Why: no await, and so no microtask, for a frame that is in memory already.
      if (!window.has(at, frameHeaderBytes)) {
        await window.load(at, frameHeaderBytes);
      }
      if (!isFrameHeader(window.view, window.at(at), header.salt)) {
        break;
      }
      const frame = decodeFrameHeader(window.view, window.at(at));
      const size = frameBytes(frame.bodyBytes);
      if (at + size > header.allocatedBytes) {
        throw corruptLog(file.path, at, 'a frame reaches beyond the end of its segment');
      }
      if (!window.has(at, size)) {
        await window.load(at, size);
      }
      const problem = findProblem(window.view, window.at(at), frame, header.salt);
      if (problem !== undefined) {
        await this.#cutTorn({ segment, frame, size, isLast, problem });
        return;
      }
      this.#takeFrame(segment, frame, window.at(at) - at);
      segment.end = at + size;
    }
    await this.#endSegment(segment, isLast);
  }

  async #openSegment({ file, number }: FoundSegment): Promise<Segment> {
    const window = this.#window;
    window.open(file);
    const header = await readHeader({ file, number });
    const next = this.#nextFrameNumber;
    if (next !== undefined && header.firstFrameNumber !== next) {
      const what =
        `the segment starts with frame ${header.firstFrameNumber}, ` +
        `the log before it ends with frame ${next - 1}`;
      throw corruptLog(file.path, 40, what);
    }
    this.#nextFrameNumber = header.firstFrameNumber;
    const segment = new Segment(file, file.path, header);
    this.#map.segments.push(segment);
    return segment;
  }

  /** Adds an intact frame to the log; `shift` leads from file offsets to the window's. */
  #takeFrame(segment: Segment, frame: FrameHeader, shift: number): void {
    const map = this.#map;
    const at = segment.end;
    const number = must(this.#nextFrameNumber, 'frame number');
    if (frame.number !== number) {
      const what = `frame ${frame.number} stands where frame ${number} belongs`;
      throw corruptLog(segment.file.path, at, what);
    }
    if (frame.entryCount > 0) {
      const isFirst = this.#termRuns.length === 0;
      const isContinued = frame.firstIndex <= map.lastIndex + 1;
      if (frame.firstIndex === 0 || !(isContinued || isFirst)) {
        const what =
          `entry ${frame.firstIndex} does not continue ` + `a log that ends at ${map.lastIndex}`;
        throw corruptLog(segment.file.path, at, what);
      }
      map.beginAt(frame.firstIndex);
      truncateRuns(this.#termRuns, frame.firstIndex);
      truncateConfEntries(this.#confEntries, frame.firstIndex);
      this.#takeEntries(segment, frame, shift);
    }
    this.#hardState = frame.hardState;
    this.#lastFrameAt = at;
    this.#nextFrameNumber = number + 1;
  }

  #takeEntries(segment: Segment, frame: FrameHeader, shift: number): void {
    const map = this.#map;
    const { bytes, view } = this.#window;
    let offset = segment.end + frameHeaderBytes;
    let lastTerm = this.#termRuns.at(-1)?.term ?? 0;
    for (let i = 0; i < frame.entryCount; i++) {
      const index = frame.firstIndex + i;
      const dataBytes = entryDataBytes(view, offset + shift);
      const term = entryTerm(view, offset + shift);
      if (term !== lastTerm || this.#termRuns.length === 0) {
        if (term < lastTerm) {
          const what = `entry ${index} has term ${term} after term ${lastTerm}`;
          throw corruptLog(segment.file.path, offset, what);
        }
        this.#termRuns.push({ term, firstIndex: index });
        lastTerm = term;
      }
      if (isConfChange(view, offset + shift)) {
        const entry = decodeEntry(bytes, view, offset + shift, index);
        // Why a copy: the window is filled again.
        this.#confEntries.push({ ...entry, data: entry.data.slice() });
      }
      map.push(index, offset, dataBytes);
      offset += entryHeaderBytes + dataBytes;
    }
  }

  /** A frame whose header is intact and whose body is not: torn, or damaged. */
  async #cutTorn(found: {
    segment: Segment;
    frame: FrameHeader;
    size: number;
    isLast: boolean;
    problem: string;
  }): Promise<void> {
    const { segment, frame, size, isLast, problem } = found;
    const { file, header } = segment;
    const at = segment.end;
    const window = this.#window;
    const zeroPieces = countZeroPieces(window.view, window.at(at), size, at);
    // A segment gets its name only after its first frame is synced, so the first cannot be torn.
    const mayBeTorn = isLast && at > segmentHeaderBytes && frame.number === this.#nextFrameNumber;
    if (!mayBeTorn || zeroPieces <= frame.zeroPieces) {
      throw corruptLog(file.path, at, problem);
    }
    const after = await window.findNonZero(at + size, header.allocatedBytes);
    if (after !== undefined) {
      throw corruptLog(file.path, at, `${problem}, and the log goes on after it at ${after}`);
    }
    await zeroFill(file, at, at + size);
  }

  /** No valid frame header at the end of the segment: what stands there instead must be nothing. */
  async #endSegment(segment: Segment, isLast: boolean): Promise<void> {
    const { file, header } = segment;
    const window = this.#window;
    const end = segment.end;
    if (end === segmentHeaderBytes) {
      throw corruptLog(file.path, end, 'the first frame of the segment is missing');
    }
    if (end + frameHeaderBytes > header.allocatedBytes) {
      return;
    }
    await window.load(end, frameHeaderBytes);
    if (!isZero(window.view, window.at(end), window.at(end) + frameHeaderBytes)) {
      throw corruptLog(file.path, end, 'a frame header does not match its checksum');
    }
    // In an earlier segment a lost end shows in the frame numbers of the next one.
    if (isLast) {
      await this.#clearRemains(segment);
    }
  }

  /**
   * Clears what a torn write may have left behind when the sector with its header never reached the
   * disk. A valid header among it means that the zeros before it are damage.
   */
  async #clearRemains({ file, header, end }: Segment): Promise<void> {
    const window = this.#window;
    let at = await window.findNonZero(end, header.allocatedBytes);
    if (at === undefined) {
      return;
    }
    for (; at + frameHeaderBytes <= header.allocatedBytes; at += frameHeaderBytes) {
      await window.load(at, frameHeaderBytes);
      if (isFrameHeader(window.view, window.at(at), header.salt)) {
        const what = `a frame is missing, and the log goes on after it at ${at}`;
        throw corruptLog(file.path, end, what);
      }
    }
    await zeroFill(file, end, header.allocatedBytes);
  }
}

/** The runs of entries above `index`, up to `lastIndex`. */
function runsAfter(runs: readonly TermRun[], index: LogIndex, lastIndex: LogIndex): TermRun[] {
  if (lastIndex <= index) {
    return [];
  }
  const later = runs.filter((run) => run.firstIndex > index + 1);
  const atStart = runs.findLast((run) => run.firstIndex <= index + 1);
  return [{ term: must(atStart, 'run').term, firstIndex: index + 1 }, ...later];
}

/**
 * Checks the entries and the padding of a frame; says what is wrong, or undefined when all is well.
 */
function findProblem(
  view: DataView,
  at: number,
  frame: FrameHeader,
  salt: number,
): string | undefined {
  const bodyEnd = at + frameHeaderBytes + frame.bodyBytes;
  let offset = at + frameHeaderBytes;
  for (let i = 0; i < frame.entryCount; i++) {
    const index: LogIndex = frame.firstIndex + i;
    if (offset + entryHeaderBytes > bodyEnd) {
      return `entry ${index} does not fit its frame`;
    }
    const dataBytes = entryDataBytes(view, offset);
    const next = offset + entryHeaderBytes + dataBytes;
    if (next > bodyEnd || !isEntryIntact(view, offset, { dataBytes, index, salt })) {
      return `entry ${index} does not match its checksum`;
    }
    offset = next;
  }
  if (offset !== bodyEnd) {
    return `frame ${frame.number} is longer than its entries`;
  }
  for (const end = at + frameBytes(frame.bodyBytes); offset < end; offset++) {
    if (view.getUint8(offset) !== 0) {
      return `frame ${frame.number} is not padded with zeros`;
    }
  }
  return undefined;
}

/** Writes what stands from `at` to the end of the segment's frames again. */
async function rewrite({ file, end }: Segment, at: number): Promise<void> {
  const bytes = new Uint8Array(end - at);
  const got = await file.read(bytes, at);
  if (got < bytes.length) {
    throw corruptLog(file.path, at + got, 'the file has become shorter');
  }
  await file.write(bytes, bytes.length, at);
}

function truncateRuns(runs: TermRun[], index: LogIndex): void {
  for (let run = runs.at(-1); run !== undefined && run.firstIndex >= index; run = runs.at(-1)) {
    runs.pop();
  }
}

function truncateConfEntries(entries: Entry[], index: LogIndex): void {
  for (
    let last = entries.at(-1);
    last !== undefined && last.index >= index;
    last = entries.at(-1)
  ) {
    entries.pop();
  }
}
