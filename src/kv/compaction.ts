/**
 * Physical compaction: which records of the revisions table a compaction to revision C makes
 * superfluous.
 *
 * Reads at C and later need, per key, the newest event at or before C and all later ones. So,
 * walking the events from the last finished compaction up to C:
 * - the event before each event is superseded and goes, unless it is at C itself;
 * - a deletion below C goes too, and with it the key's current record if that is still this very
 *   deletion;
 * - events at C stay as they are, since a watch from C must see them; the next compaction looks
 *   again.
 *
 * ```text
 *   compact to 6    key a: put 2, put 4, put 9    2 goes (4 supersedes it), 4 and 9 stay
 *                   key b: put 3, delete 5        both go, and b's current record
 *                   key c: put 2, delete 6        2 goes, the deletion stays until the next one
 * ```
 *
 * Every intermediate state answers reads at C and later alike: a chain is never followed below an
 * event at or before C, and a deletion that is missing reads as absent, as it should.
 *
 * Events up to C never change again. So a plan may be made while commands are being applied, and
 * carried out later, also when history has been compacted further by then.
 */
import { assert, must } from '../base/index.ts';
import { type Revision, revisionKey, revisionOf, revisionsRange } from './key-layout.ts';
import { expectScan, type Reading } from './need.ts';
import { decodeEvent } from './record.ts';

/** How far physical removal has come. */
export interface CompactProgress {
  /** Complete up to this compaction. */
  readonly compactedRevision: number;
  /** Next event to look at. */
  readonly cursor: Revision;
}

/** A deletion whose event is removed. */
export interface RemovedTombstone extends Revision {
  readonly key: Uint8Array;
}

/** What one step removes. */
export interface CompactionPlan {
  /** What it was made for. */
  readonly compactRevision: number;
  /** Engine keys of the revisions table. */
  readonly removedEvents: readonly Uint8Array[];
  /** Deletions among them, each the newest one seen of its key. */
  readonly tombstones: readonly RemovedTombstone[];
  readonly progress: CompactProgress;
}

/** How much one step looks at, which bounds what it costs in time and memory. */
export interface CompactionStepLimits {
  readonly events: number;
  readonly bytes: number;
}

/** Looks at the next events up to `compactRevision` and tells what has to go. */
export function* planCompaction(
  progress: CompactProgress,
  compactRevision: number,
  limits: CompactionStepLimits,
): Reading<CompactionPlan> {
  const { events: limit, bytes: bytesMax } = limits;
  assert(limit > 0 && bytesMax > 0, 'a step of compaction looks at one event at least');
  if (progress.compactedRevision === compactRevision) {
    return { compactRevision, removedEvents: [], tombstones: [], progress };
  }
  const range = revisionsRange(progress.cursor, compactRevision);
  const { records } = expectScan(
    yield { type: 'scan', ...range, limit, bytesMax, reverse: false, afterWrites: true },
  );
  let bytes = 0;
  const removedEvents: Uint8Array[] = [];
  const tombstones: RemovedTombstone[] = [];
  for (const { key: eventKey, value } of records) {
    const { key, record } = decodeEvent(value);
    bytes += eventKey.length + value.length;
    if (record.prevMain !== 0 && record.prevMain < compactRevision) {
      removedEvents.push(revisionKey(record.prevMain, record.prevSub));
    }
    if (record.isTombstone && record.main < compactRevision) {
      removedEvents.push(eventKey);
      tombstones.push({ key, main: record.main, sub: record.sub });
    }
  }
  const isFinished = records.length < limit && bytes < bytesMax;
  return {
    compactRevision,
    removedEvents,
    tombstones,
    progress: isFinished
      ? { compactedRevision: compactRevision, cursor: { main: compactRevision, sub: 0 } }
      : { ...progress, cursor: nextRevision(revisionOf(must(records.at(-1), 'an event').key)) },
  };
}

/**
 * Progress towards `before` as it counts once history is compacted to `after`: events at the former
 * have been spared so far, and are looked at again.
 */
export function progressFor(
  progress: CompactProgress,
  before: number,
  after: number,
): CompactProgress {
  const { cursor } = progress;
  return after > before && cursor.main === before
    ? { ...progress, cursor: { main: cursor.main, sub: 0 } }
    : progress;
}

function nextRevision({ main, sub }: Revision): Revision {
  return { main, sub: sub + 1 };
}
