/** Where an answer of the store is not the one that the specification gives. */
import { must } from '../../src/base/index.ts';
import type {
  DeleteRangeResult,
  KeyValue,
  PutResult,
  RangeResult,
  StoreResult,
  TxnResult,
} from './store.ts';

/** Where an answer is not the one expected. */
export interface Difference {
  /** A sentence without its end: "tells …, instead of …". */
  readonly problem: string;
  /** The key's state as expected and as told, if the difference is about a key. */
  readonly expected?: KeyValue | undefined;
  readonly actual?: KeyValue | undefined;
}

/** Compares an answer with the one that the specification gives. */
export function findDifference(expected: StoreResult, actual: StoreResult): Difference | undefined {
  if (expected.type !== actual.type) {
    return { problem: `is of type ${actual.type}, instead of ${expected.type}` };
  }
  switch (expected.type) {
    case 'put':
      return findPutDifference(expected, actual as PutResult);
    case 'deleteRange':
      return findDeletionDifference(expected, actual as DeleteRangeResult);
    case 'range':
      return findRangeDifference(expected, actual as RangeResult);
    case 'txn':
      return findTxnDifference(expected, actual as TxnResult);
  }
}

function findPutDifference(expected: PutResult, actual: PutResult): Difference | undefined {
  // Without prevKv there is nothing to compare on either side; an absent answer is not a wrong one.
  if (expected.prevKv === undefined || actual.prevKv === undefined) {
    return undefined;
  }
  return findRecordDifference(expected.prevKv ?? undefined, actual.prevKv ?? undefined);
}

function findDeletionDifference(
  expected: DeleteRangeResult,
  actual: DeleteRangeResult,
): Difference | undefined {
  const inRecords =
    expected.prevKvs === undefined || actual.prevKvs === undefined
      ? undefined
      : findRecordsDifference(expected.prevKvs, actual.prevKvs);
  return (
    inRecords ??
    (expected.deleted === actual.deleted
      ? undefined
      : { problem: `tells that ${actual.deleted} keys were deleted, not ${expected.deleted}` })
  );
}

function findRangeDifference(expected: RangeResult, actual: RangeResult): Difference | undefined {
  return (
    findRecordsDifference(expected.kvs, actual.kvs) ??
    (expected.count === actual.count
      ? undefined
      : { problem: `counts ${actual.count} keys, not ${expected.count}` })
  );
}

function findTxnDifference(expected: TxnResult, actual: TxnResult): Difference | undefined {
  if (expected.succeeded !== actual.succeeded) {
    const conditions = expected.succeeded ? 'held' : 'did not hold';
    const branch = actual.succeeded ? 'success' : 'failure';
    return { problem: `took the branch "${branch}", but its conditions ${conditions}` };
  }
  if (expected.responses.length !== actual.responses.length) {
    const { length } = actual.responses;
    return { problem: `has ${length} responses, not ${expected.responses.length}` };
  }
  for (const [index, response] of actual.responses.entries()) {
    const difference = findDifference(
      must(expected.responses[index], 'the response compared with'),
      response,
    );
    if (difference !== undefined) {
      return { ...difference, problem: `in response ${index} ${difference.problem}` };
    }
  }
  return undefined;
}

function findRecordsDifference(
  expected: readonly KeyValue[],
  actual: readonly KeyValue[],
): Difference | undefined {
  const length = Math.max(expected.length, actual.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [expected[i], actual[i]];
    if (a !== undefined && b !== undefined && a.key !== b.key) {
      // The smaller key is the one that the other side lacks.
      return a.key < b.key
        ? findRecordDifference(a, undefined)
        : findRecordDifference(undefined, b);
    }
    const difference = findRecordDifference(a, b);
    if (difference !== undefined) {
      return difference;
    }
  }
  return undefined;
}

function findRecordDifference(
  expected: KeyValue | undefined,
  actual: KeyValue | undefined,
): Difference | undefined {
  if (expected === actual || (expected && actual && isSameRecord(expected, actual))) {
    return undefined;
  }
  const key = JSON.stringify((actual ?? expected)?.key);
  const problem =
    `tells ${key} ${describeRecord(actual)}, ` + `instead of ${describeRecord(expected)}`;
  return { problem, expected, actual };
}

/** Whether two states of a key are one. */
export function isSameRecord(a: KeyValue, b: KeyValue): boolean {
  return (
    a.modRevision === b.modRevision &&
    a.version === b.version &&
    a.createRevision === b.createRevision &&
    a.value === b.value &&
    a.key === b.key
  );
}

/** A key's state as text. */
export function describeRecord(record: KeyValue | undefined): string {
  if (record === undefined) {
    return 'absent';
  }
  const { value, createRevision, modRevision, version } = record;
  return (
    `= ${JSON.stringify(value)} ` +
    `(create ${createRevision}, mod ${modRevision}, version ${version})`
  );
}
