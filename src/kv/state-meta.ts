/**
 * What the state machine knows of itself besides the keyspace: the record that is written with
 * every batch, and the record of the cluster's configuration.
 */
import { assert, concatBytes, readUint32, writeUint32 } from '../base/index.ts';
import { compareAlarms } from './alarms.ts';
import type { Alarm, AlarmType } from './command.ts';
import { checkLevel, featureLevels, firstLevel, levelOfUsers } from './feature-level.ts';
import { membershipMetaKey, type Revision } from './key-layout.ts';
import type { StateWrite } from './need.ts';
import type { HashWords } from './state-hash.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** The record under `stateMetaKey`. */
export interface StateMeta {
  /** Position in the log up to which entries have been applied. */
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  /** Revision of the newest change; 1 in a fresh store. */
  readonly revision: number;
  /** History below is not readable any more; -1 before the first compaction. */
  readonly compactRevision: number;
  /**
   * Revision that the store began with: the next one is that of the first change made since. 1 but
   * in a store that was restored with its revision raised.
   */
  readonly baseRevision: number;
  /**
   * Physical removal is complete up to this compaction. Not replicated: each member removes at its
   * own pace.
   */
  readonly compactedRevision: number;
  /** Next event that physical removal looks at. Not replicated either. */
  readonly compactCursor: Revision;
  /** Hash of everything applied so far. */
  readonly stateHash: HashWords;
  /** Active alarms, in the order of `compareAlarms`. */
  readonly alarms: readonly Alarm[];
  /** The cluster's time, milliseconds: the newest stamp in the log (design §4.6). */
  readonly timeMs: number;
  readonly keyedAnswers: KeyedAnswersMeta;
  /** The cluster's feature level. */
  readonly level: number;
}

/** What is known of the answers kept under idempotency keys. */
export interface KeyedAnswersMeta {
  readonly count: number;
  /** Whether some came after the newest stamp. */
  readonly hasNew: boolean;
}

/** A configuration of the cluster, opaque here, and the index of the entry that set it. */
export interface MembershipRecord {
  readonly index: number;
  readonly membership: Uint8Array;
}

/**
 * Says the level, right behind the format, as every later one does: so a build that does not know
 * the format can still say which level it would have to read. Written from that level on.
 */
const metaFormat = 5;
/** Said no level: it was the first. */
const metaFormatWithoutLevel = 4;
/** Had no answers. */
const metaFormatWithoutAnswers = 3;
/** Had no time either. */
const metaFormatWithoutTime = 2;
const membershipFormat = 1;
// A type's position is its number on disk: append only.
const alarmTypes: readonly AlarmType[] = ['nospace', 'corrupt'];

/** The meta record of a store to which nothing has been applied. */
export const initialMeta: StateMeta = {
  appliedIndex: 0,
  appliedTerm: 0,
  revision: 1,
  compactRevision: -1,
  baseRevision: 1,
  compactedRevision: -1,
  compactCursor: { main: 0, sub: 0 },
  stateHash: { high: 0, low: 0 },
  alarms: [],
  timeMs: 0,
  keyedAnswers: { count: 0, hasNew: false },
  level: firstLevel,
};

/** Encodes the record under `stateMetaKey`. */
export function encodeMeta(meta: StateMeta): Uint8Array {
  const writer = new ByteWriter();
  if (meta.level < levelOfUsers) {
    writer.byte(metaFormatWithoutLevel);
  } else {
    writer.byte(metaFormat);
    writer.varint(meta.level);
  }
  writer.varint(meta.appliedIndex);
  writer.varint(meta.appliedTerm);
  writer.varint(meta.revision);
  // One is added, since both are -1 before the first compaction.
  writer.varint(meta.compactRevision + 1);
  writer.varint(meta.baseRevision);
  writer.varint(meta.compactedRevision + 1);
  writer.varint(meta.compactCursor.main);
  writer.varint(meta.compactCursor.sub);
  writer.bytes(hashBytes(meta.stateHash));
  writer.varint(meta.alarms.length);
  for (const { alarm, memberId } of meta.alarms) {
    writer.byte(alarmTypes.indexOf(alarm));
    writer.varint(memberId);
  }
  writer.varint(meta.timeMs);
  writer.varint(meta.keyedAnswers.count);
  writer.byte(meta.keyedAnswers.hasNew ? 1 : 0);
  return writer.finish();
}

/**
 * Decodes the record under `stateMetaKey`.
 *
 * @throws {InvariantViolation} when it is damaged, or of a format that never was.
 * @throws {KvError} VERSION_MISMATCH — it is of a format that came after this build.
 */
export function decodeMeta(bytes: Uint8Array): StateMeta {
  const reader = new ByteReader(bytes, 'meta record');
  const format = readMetaFormat(reader);
  const level = format > metaFormatWithoutLevel ? reader.varint() : firstLevel;
  const hasAnswers = format > metaFormatWithoutAnswers;
  const meta: StateMeta = {
    appliedIndex: reader.varint(),
    appliedTerm: reader.varint(),
    revision: reader.varint(),
    compactRevision: reader.varint() - 1,
    baseRevision: reader.varint(),
    compactedRevision: reader.varint() - 1,
    compactCursor: { main: reader.varint(), sub: reader.varint() },
    stateHash: readHash(reader),
    alarms: readAlarms(reader),
    timeMs: format === metaFormatWithoutTime ? 0 : reader.varint(),
    keyedAnswers: hasAnswers
      ? { count: reader.varint(), hasNew: reader.byte() === 1 }
      : initialMeta.keyedAnswers,
    level,
  };
  reader.end();
  return meta;
}

/** Returns the engine operation that stores a configuration. */
export function membershipWrite({ index, membership }: MembershipRecord): StateWrite {
  const writer = new ByteWriter();
  writer.byte(membershipFormat);
  writer.varint(index);
  const value = concatBytes(writer.finish(), membership);
  return { type: 'put', key: membershipMetaKey, value };
}

/** Decodes the record under `membershipMetaKey`; the configuration is a view of `bytes`. */
export function decodeMembershipRecord(bytes: Uint8Array): MembershipRecord {
  const reader = new ByteReader(bytes, 'membership record');
  checkFormat(reader, membershipFormat);
  return { index: reader.varint(), membership: reader.take(reader.remaining) };
}

function readMetaFormat(reader: ByteReader): number {
  const format = reader.byte();
  if (format > metaFormat) {
    checkLevel(featureLevels, reader.varint());
  }
  return format >= metaFormatWithoutTime && format <= metaFormat
    ? format
    : reader.fail(`has the unknown format ${format}: ${formatsRead(metaFormat)}`);
}

function checkFormat(reader: ByteReader, known: number): void {
  const format = reader.byte();
  if (format !== known) {
    reader.fail(`has the unknown format ${format}: ${formatsRead(known)}`);
  }
}

function formatsRead(newest: number): string {
  return `this version of Holdfast reads format ${newest}`;
}

function hashBytes({ high, low }: HashWords): Uint8Array {
  const bytes = new Uint8Array(8);
  writeUint32(bytes, 0, high);
  writeUint32(bytes, 4, low);
  return bytes;
}

function readHash(reader: ByteReader): HashWords {
  const bytes = reader.take(8);
  return { high: readUint32(bytes, 0), low: readUint32(bytes, 4) };
}

function readAlarms(reader: ByteReader): readonly Alarm[] {
  const alarms: Alarm[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const alarm = alarmTypes[reader.byte()] ?? reader.fail('names an unknown alarm');
    const next = { alarm, memberId: reader.varint() };
    const last = alarms.at(-1);
    const isInOrder = last === undefined || compareAlarms(last, next) < 0;
    assert(isInOrder, 'alarms are stored in order, each once');
    alarms.push(next);
  }
  return alarms;
}
