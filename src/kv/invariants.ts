/**
 * The rules that the stored records obey at every point, as one expensive check for tests and
 * simulation.
 *
 * Invariants:
 * - each key's current record is the newest event of the key, byte for byte; one that is missing
 *   is a compacted deletion, whose event the removal of history has yet to come by;
 * - from the compact revision on no event is missing: revisions are contiguous, and `sub` counts
 *   from 0;
 * - the events of a key form a chain by their previous revision; a link may be missing only below
 *   the compact revision; versions count up by one and creation revisions are kept along it;
 * - where history has been removed, nothing superfluous is left;
 * - a live key's lease exists, and exactly the keys of a lease are attached to it;
 * - exactly the live keys that have a time to live stand in the expiry table, once in the order of
 *   deadlines and once under the key, which agree;
 * - every session is a lease, and each of its answers is stored once, with others that are not
 *   acknowledged;
 * - users have roles that exist (`root` may do without), once each and in order; while callers are
 *   asked who they are, there is a `root` that may answer;
 * - the configuration is of an applied entry; what else is in the meta table is known.
 */
import { assert, compareBytes, equalBytes, must } from '../base/index.ts';
import { storedSessions } from './answer-table.ts';
import { AuthTable, rootName } from './auth-table.ts';
import type { LeaseId } from './command.ts';
import {
  authTable,
  dueKey,
  dueOf,
  expiryKey,
  expiryTable,
  isDueKey,
  keysTable,
  leaseIdOf,
  leaseKeyBytes,
  leasesTable,
  mapKeyOf,
  membershipMetaKey,
  metaTable,
  namedRecordsPrefix,
  revisionOf,
  revisionsTable,
  stateMetaKey,
  stateRanges,
  userKeyOf,
} from './key-layout.ts';
import { checkRecordName, decodeNamedRecord, recordNameOf } from './named-records.ts';
import { decodeExpiry, waitingDeadlineMs } from './expiry-table.ts';
import { attachmentKey, decodeLease } from './leases.ts';
import type { StoredRecord } from './need.ts';
import { decodeCurrent, decodeEvent, type MvccRecord } from './record.ts';
import { decodeMembershipRecord, decodeMeta, type StateMeta } from './state-meta.ts';

/** What is known of a key while its events pass by in order. */
interface KeyHistory {
  newest: MvccRecord;
  /** The event's bytes. */
  bytes: Uint8Array;
}

/**
 * Checks all records of a store against each other.
 *
 * @throws {InvariantViolation} naming the first rule that does not hold.
 *
 * @internal for tests and simulations.
 */
export function verifyState(records: Iterable<StoredRecord>): void {
  const sorted = [...records].sort((a, b) => compareBytes(a.key, b.key));
  const metaRecord = sorted.find(({ key }) => equalBytes(key, stateMetaKey));
  if (metaRecord === undefined) {
    assert(sorted.length === 0, 'only an empty store has no meta record');
    return;
  }
  const meta = decodeMeta(metaRecord.value);
  verifyMeta(meta);
  for (const record of sorted.filter(({ key }) => key[0] === metaTable)) {
    verifyMetaRecord(record, meta);
  }
  const histories = verifyEvents(
    // Beyond the revision are those that a checkpoint is to follow.
    sorted.filter(({ key }) => key[0] === revisionsTable && revisionOf(key).main <= meta.revision),
    meta,
  );
  const current = sorted.filter(({ key }) => key[0] === keysTable);
  verifyCurrent(current, histories, meta);
  const leases = verifyLeases(
    sorted.filter(({ key }) => key[0] === leasesTable),
    current,
  );
  for (const id of storedSessions(sorted).keys()) {
    assert(leases.has(id), 'a session is a lease');
  }
  verifyExpiries(
    sorted.filter(({ key }) => key[0] === expiryTable),
    current,
  );
  verifyAuth(sorted.filter(({ key }) => key[0] === authTable));
  for (const { key } of sorted) {
    const isKnown = stateRanges.some(({ gte }) => gte[0] === key[0]);
    assert(isKnown, () => `table ${String(key[0])} is known`);
  }
}

function verifyAuth(records: readonly StoredRecord[]): void {
  const table = new AuthTable();
  for (const record of records) {
    table.load(record);
  }
  for (const name of table.users) {
    const { roles, credentials } = must(table.user(name), 'a user by its name');
    assert(credentials <= table.revision, 'a password was set by a change that has been made');
    const isInOrder = roles.every((role, at) => at === 0 || must(roles[at - 1], 'a role') < role);
    assert(isInOrder, 'the roles of a user ascend');
    for (const role of roles) {
      assert(role === rootName || table.role(role) !== undefined, 'a role of a user exists');
    }
  }
  const hasRoot = table.user(rootName)?.roles.includes(rootName) === true;
  assert(!table.isEnabled || hasRoot, 'somebody can change users');
  assert(!table.isEnabled || table.secret.length > 0, 'tokens are signed with a secret');
}

function verifyMeta(meta: StateMeta): void {
  assert(meta.revision >= 1, 'revisions begin at 1');
  assert(meta.compactRevision <= meta.revision, 'compaction stays within history');
  assert(meta.compactedRevision <= meta.compactRevision, 'removal follows compaction');
  assert(meta.baseRevision >= 1, 'a store begins at revision 1 or later');
  assert(meta.baseRevision <= meta.revision, 'a store begins at or before its revision');
  const isFresh = meta.baseRevision === 1;
  assert(
    isFresh || meta.compactRevision >= meta.baseRevision,
    'what was before a raised revision is compacted',
  );
  const cursorMax = Math.max(meta.compactRevision, 0);
  assert(meta.compactCursor.main <= cursorMax, 'removal looks at compacted history only');
}

function verifyMetaRecord({ key, value }: StoredRecord, meta: StateMeta): void {
  if (equalBytes(key, stateMetaKey)) {
    return;
  }
  if (equalBytes(key, membershipMetaKey)) {
    const { index } = decodeMembershipRecord(value);
    assert(index <= meta.appliedIndex, 'the configuration is of an applied entry');
    return;
  }
  const prefix = key.subarray(0, namedRecordsPrefix.length);
  assert(equalBytes(prefix, namedRecordsPrefix), 'every record of the meta table is known');
  checkRecordName(recordNameOf(key));
  assert(decodeNamedRecord(value).length > 0, 'an empty record does not exist');
}

function verifyEvents(events: readonly StoredRecord[], meta: StateMeta): Map<string, KeyHistory> {
  const histories = new Map<string, KeyHistory>();
  const { baseRevision } = meta;
  let expectedMain = Math.max(meta.compactRevision, baseRevision + 1);
  let expectedSub = 0;
  for (const { key: eventKey, value } of events) {
    const { main, sub } = revisionOf(eventKey);
    const { key, record } = decodeEvent(value);
    const name = `event ${main}.${sub}`;
    assert(record.main === main && record.sub === sub, `${name} stands under its own revision`);
    if (main >= meta.compactRevision) {
      const isSame = main === expectedMain && sub === expectedSub;
      const isNext = expectedSub > 0 && main === expectedMain + 1 && sub === 0;
      assert(isSame || isNext, `${name} follows the one before`);
      expectedMain = main;
      expectedSub = sub + 1;
    }
    verifyRecord(record, name);
    const history = histories.get(mapKeyOf(key));
    verifyLink(record, history?.newest, { compactRevision: meta.compactRevision, name });
    verifyRemoval(record, history?.newest, meta);
    histories.set(mapKeyOf(key), { newest: record, bytes: value });
  }
  const isComplete = expectedMain === meta.revision && expectedSub > 0;
  assert(
    isComplete || meta.revision === baseRevision,
    `events reach up to revision ${meta.revision}`,
  );
  return histories;
}

function verifyRecord(record: MvccRecord, name: string): void {
  if (record.isTombstone) {
    assert(
      record.version === 0 && record.createRevision === 0,
      `${name}: a deletion counts nothing`,
    );
    assert(record.value.length === 0 && record.lease === 0n, `${name}: a deletion holds nothing`);
    assert(record.prevMain !== 0, `${name}: a deletion deletes something`);
  } else {
    assert(record.version >= 1, `${name}: versions begin at 1`);
    assert(record.createRevision <= record.main, `${name}: created at or before its change`);
    const isFirst = record.version === 1;
    assert(!isFirst || record.createRevision === record.main, `${name}: created by version 1`);
  }
}

function verifyLink(
  record: MvccRecord,
  before: MvccRecord | undefined,
  context: { readonly compactRevision: number; readonly name: string },
): void {
  const { compactRevision, name } = context;
  if (before === undefined) {
    const isCut = record.prevMain === 0 || record.prevMain < compactRevision;
    assert(isCut, `${name}: the change before is missing though not compacted`);
    assert(
      record.prevMain !== 0 || (!record.isTombstone && record.version === 1),
      `${name}: only a creation has nothing before it`,
    );
    return;
  }
  const isLinked = record.prevMain === before.main && record.prevSub === before.sub;
  if (!isLinked) {
    assert(record.prevMain === 0, `${name}: the chain leaps over ${before.main}.${before.sub}`);
    const isForgotten = before.isTombstone && before.main < compactRevision;
    assert(isForgotten, `${name}: only a compacted deletion is left out of the chain`);
  }
  if (before.isTombstone) {
    assert(
      !record.isTombstone && record.version === 1,
      `${name}: after a deletion comes a creation`,
    );
  } else if (!record.isTombstone) {
    assert(record.version === before.version + 1, `${name}: versions count up by one`);
    assert(record.createRevision === before.createRevision, `${name}: creation is remembered`);
  }
}

/** Removal has come by here: what it was to remove is gone. */
function verifyRemoval(
  record: MvccRecord,
  before: MvccRecord | undefined,
  { compactedRevision }: StateMeta,
): void {
  const { main } = record;
  assert(
    main > compactedRevision || before === undefined || before.main === compactedRevision,
    () => `what event ${main} has superseded is gone, where history has been removed`,
  );
  assert(
    main >= compactedRevision || !record.isTombstone,
    () => `the deletion ${main} is gone, where history has been removed`,
  );
}

function verifyCurrent(
  current: readonly StoredRecord[],
  histories: ReadonlyMap<string, KeyHistory>,
  { compactRevision, compactCursor }: StateMeta,
): void {
  const missing = new Map(histories);
  for (const { key, value } of current) {
    decodeCurrent(value);
    const mapKey = mapKeyOf(userKeyOf(key));
    const { bytes } = must(histories.get(mapKey), 'the newest event of a current record');
    assert(equalBytes(value, bytes.subarray(0, value.length)), 'a current record is an event');
    missing.delete(mapKey);
  }
  for (const { newest } of missing.values()) {
    const { main, sub, isTombstone } = newest;
    assert(isTombstone && main < compactRevision, () => `event ${main} has a current record`);
    const isAhead =
      main > compactCursor.main || (main === compactCursor.main && sub >= compactCursor.sub);
    assert(isAhead, () => `removal has yet to come by the deletion ${main}`);
  }
}

function verifyLeases(
  records: readonly StoredRecord[],
  current: readonly StoredRecord[],
): ReadonlySet<LeaseId> {
  const leases = new Set<LeaseId>();
  const attached = new Set<string>();
  for (const record of records) {
    const { key, value } = record;
    if (key.length === leaseKeyBytes) {
      leases.add(decodeLease(record).id);
    } else {
      assert(leases.has(leaseIdOf(key)), 'keys are attached to leases that exist');
      assert(value.length === 0, 'an attachment says nothing more');
      attached.add(mapKeyOf(key));
    }
  }
  for (const { key, value } of current) {
    const { lease } = decodeCurrent(value);
    if (lease !== 0n) {
      const isAttached = attached.delete(mapKeyOf(attachmentKey(lease, userKeyOf(key))));
      assert(isAttached, 'a key that has a lease is attached to it');
    }
  }
  assert(attached.size === 0, 'only keys that have the lease are attached to it');
  return leases;
}

function verifyExpiries(records: readonly StoredRecord[], current: readonly StoredRecord[]): void {
  const stored = new Map(records.map(({ key, value }) => [mapKeyOf(key), value]));
  let expected = 0;
  for (const { key, value } of current) {
    const { ttlMs, main } = decodeCurrent(value);
    if (ttlMs > 0) {
      const userKey = userKeyOf(key);
      const bytes = must(stored.get(mapKeyOf(expiryKey(userKey))), 'the expiry of a key');
      const { modRevision, deadlineMs = waitingDeadlineMs } = decodeExpiry(bytes);
      assert(modRevision === main, "a key's time counts from its last change");
      const isDue = stored.has(mapKeyOf(dueKey(deadlineMs, userKey)));
      assert(isDue, 'a key that has a time to live stands in the order of deadlines');
      expected += 2;
    }
  }
  const isExact = stored.size === expected;
  assert(isExact, 'only keys that have a time to live stand in the expiry table, each twice');
  for (const { key, value } of records.filter(({ key: each }) => isDueKey(each))) {
    const isWaiting = dueOf(key).deadlineMs === waitingDeadlineMs;
    assert(isWaiting === value.length > 0, 'only what waits for its deadline says more');
  }
}
