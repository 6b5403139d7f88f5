/**
 * The state as a whole: what a snapshot says of itself, and what becomes of a snapshot's records
 * when a new cluster is made of them.
 *
 * A snapshot of the state is a scan of {@link snapshotRanges} over one pinned engine state. To
 * restore one as another member's state is to write its records into an empty engine. To restore
 * one as a *new cluster*, each record goes through {@link restoreRecord}:
 *
 * | record                                | restored                                              |
 * |---------------------------------------|-------------------------------------------------------|
 * | meta record                           | replaced: position, revisions, hash; no alarms        |
 * | configuration                         | replaced by the new cluster's                         |
 * | named records under `attributes/`     | dropped: they speak of members that are no more       |
 * | users and roles                       | kept, and whether they count                          |
 * | other named records, keys, events     | kept                                                  |
 *
 * With the revision raised, all of what was before is compacted, as etcd's `--bump-revision` and
 * `--mark-compacted` do: watches from, and reads at, older revisions are told COMPACTED, so that no
 * client goes on with what it knows of a lost future.
 */
import { assert, equalBytes } from '../base/index.ts';
import type { Alarm } from './command.ts';
import {
  type EngineRange,
  keysTable,
  membershipMetaKey,
  namedRecordsPrefix,
  revisionKey,
  revisionsTable,
  stateMetaKey,
  stateRanges,
} from './key-layout.ts';
import { recordNameOf } from './named-records.ts';
import type { StateWrite, StoredRecord } from './need.ts';
import { peekRecord } from './record.ts';
import { hashToBigint, type HashWords, StateHasher } from './state-hash.ts';
import {
  decodeMembershipRecord,
  decodeMeta,
  encodeMeta,
  type MembershipRecord,
  membershipWrite,
  type StateMeta,
} from './state-meta.ts';

/** What the names of records begin with that members publish about themselves. */
export const attributesPrefix = 'attributes/';

/** Keys of the records that {@link readSnapshotHead} reads, in order. */
export const snapshotHeadKeys: readonly Uint8Array[] = [stateMetaKey, membershipMetaKey];

/**
 * Where the records of a state at `revision` stand in its engine: everywhere, but for the events
 * that were written ahead of it (`checkpoint.ts`).
 */
export function snapshotRanges(revision: number): readonly EngineRange[] {
  return stateRanges.map((range) =>
    range.gte[0] === revisionsTable ? { gte: range.gte, lt: revisionKey(revision + 1, 0) } : range,
  );
}

/** What a state says of itself. */
export interface SnapshotHead {
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  readonly revision: number;
  readonly compactRevision: number;
  /** The newest applied configuration; undefined when none was ever applied. */
  readonly membership: MembershipRecord | undefined;
  /** The hash at `appliedIndex`. */
  readonly stateHash: bigint;
  readonly alarms: readonly Alarm[];
}

/** How a new cluster is made of a snapshot. Equal for all its members, or their hashes differ. */
export interface RestoreOptions {
  /** Position in the new cluster's log that the state stands for. */
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  /** The new cluster's configuration. */
  readonly membership: Uint8Array;
  /** By how much the revision is raised; 0 keeps it, and history. */
  readonly bumpRevision: number;
}

/** What becomes of a record. */
export type RestoreAction =
  | { readonly type: 'kept' }
  /** The same key with another value. */
  | { readonly type: 'replaced'; readonly value: Uint8Array }
  | { readonly type: 'dropped' };

/**
 * Reads the head of a state from the values under {@link snapshotHeadKeys}; undefined for a state
 * that nothing was ever applied to.
 */
export function readSnapshotHead(
  values: readonly (Uint8Array | undefined)[],
): SnapshotHead | undefined {
  const [metaBytes, membershipBytes] = values;
  if (metaBytes === undefined) {
    return undefined;
  }
  const { appliedIndex, appliedTerm, revision, compactRevision, stateHash, alarms } =
    decodeMeta(metaBytes);
  const membership =
    membershipBytes === undefined ? undefined : decodeMembershipRecord(membershipBytes);
  return {
    appliedIndex,
    appliedTerm,
    revision,
    compactRevision,
    membership,
    alarms,
    stateHash: hashToBigint(stateHash),
  };
}

/** Tells whether a record of a snapshot is that of a key which exists. */
export function isLiveKey({ key, value }: StoredRecord): boolean {
  return key[0] === keysTable && !peekRecord(value).isTombstone;
}

/**
 * Tells what becomes of one record of a snapshot; see the module comment. A snapshot without a
 * configuration record needs {@link restoredMembership} besides.
 */
export function restoreRecord(
  { key, value }: StoredRecord,
  options: RestoreOptions,
): RestoreAction {
  assert(
    stateRanges.some(({ gte }) => gte[0] === key[0]),
    () => `table ${String(key[0])} of the snapshot is known`,
  );
  if (equalBytes(key, stateMetaKey)) {
    return { type: 'replaced', value: encodeMeta(restoreMeta(decodeMeta(value), options)) };
  }
  if (equalBytes(key, membershipMetaKey)) {
    const write = restoredMembership(options);
    assert(write.type === 'put', 'a configuration is put');
    return { type: 'replaced', value: write.value };
  }
  const isNamed = equalBytes(key.subarray(0, namedRecordsPrefix.length), namedRecordsPrefix);
  return isNamed && recordNameOf(key).startsWith(attributesPrefix)
    ? { type: 'dropped' }
    : { type: 'kept' };
}

/** Returns the engine operation that stores the new cluster's configuration. */
export function restoredMembership(options: RestoreOptions): StateWrite {
  return membershipWrite({ index: options.appliedIndex, membership: options.membership });
}

function restoreMeta(meta: StateMeta, options: RestoreOptions): StateMeta {
  const { appliedIndex, appliedTerm, bumpRevision } = options;
  assert(
    Number.isSafeInteger(bumpRevision) && bumpRevision >= 0,
    'a revision is raised by a whole number, or not at all',
  );
  const revision = meta.revision + bumpRevision;
  assert(Number.isSafeInteger(revision), 'the raised revision is a safe integer');
  const raised =
    bumpRevision === 0 ? {} : { revision, compactRevision: revision, baseRevision: revision };
  return {
    ...meta,
    appliedIndex,
    appliedTerm,
    ...raised,
    // Removal goes over everything since the last finished compaction again: events that it spared
    // at what was the compact revision are superfluous now.
    compactCursor: { main: Math.max(0, meta.compactedRevision), sub: 0 },
    stateHash: restoredHash(meta.stateHash, options),
    alarms: [],
  };
}

/** Members that were restored differently must not agree. */
function restoredHash(hash: HashWords, options: RestoreOptions): HashWords {
  const hasher = new StateHasher(hash);
  hasher.number(options.appliedIndex);
  hasher.number(options.appliedTerm);
  hasher.number(options.bumpRevision);
  hasher.bytes(hashedMembership, options.membership);
  return hasher.words;
}

/** Stands for the configuration in the hash of a restored state. */
const hashedMembership = 5;
