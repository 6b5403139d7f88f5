/**
 * A history of the whole store, sorted by what its answers tell: which operation made which
 * revision, who read at which, and which revisions nobody who returned has made.
 */
import { must } from '../../src/base/index.ts';
import type { Operation } from './history.ts';
import {
  answeredParts,
  describeRequest,
  hasChanged,
  type KeyValue,
  mayChange,
  partsOf,
  type StoreAnswer,
  type StoreRequest,
} from './store.ts';

/** An operation on the whole store. */
export type StoreOperation = Operation<StoreRequest, StoreAnswer>;

/** The store before the history began. */
export interface InitialStore {
  readonly revision: number;
  readonly records: readonly KeyValue[];
}

/** Position of an operation in its history. */
export type OperationIndex = number;

/** An operation that returned, with where its answer puts it. */
export interface AnsweredOperation {
  readonly index: OperationIndex;
  readonly call: number;
  readonly return: number;
  readonly request: StoreRequest;
  readonly answer: StoreAnswer;
  readonly isWrite: boolean;
  /** Whether the answer was allowed to be old. */
  readonly isSerializable: boolean;
}

/** What is known of a history before it is replayed. */
export interface RevisionIndex {
  readonly operations: readonly StoreOperation[];
  readonly answered: readonly AnsweredOperation[];
  /** By call: operations of unknown outcome that may have changed something. */
  readonly openWrites: readonly OperationIndex[];
  readonly writeByRevision: ReadonlyMap<number, AnsweredOperation>;
  readonly readsByRevision: ReadonlyMap<number, readonly AnsweredOperation[]>;
  readonly lastRevision: number;
}

/** Sorts the operations that returned. */
export function answeredOperations(
  operations: readonly StoreOperation[],
): readonly AnsweredOperation[] {
  return operations.flatMap((operation, index) => {
    const { call, return: returned, input: request, output: answer } = operation;
    if (returned === undefined || answer === undefined) {
      return [];
    }
    const isWrite = hasChanged(answer.result);
    const isSerializable = request.type === 'range' && request.serializable === true;
    return [{ index, call, return: returned, request, answer, isWrite, isSerializable }];
  });
}

/** Builds the index; of two writes with the same revision the later one in the history stays. */
export function indexByRevision(
  operations: readonly StoreOperation[],
  answered: readonly AnsweredOperation[],
  initialRevision: number,
): RevisionIndex {
  const writeByRevision = new Map<number, AnsweredOperation>();
  const readsByRevision = new Map<number, AnsweredOperation[]>();
  let lastRevision = initialRevision;
  for (const operation of answered) {
    const { revision } = operation.answer;
    lastRevision = Math.max(lastRevision, revision);
    if (operation.isWrite) {
      writeByRevision.set(revision, operation);
    } else {
      const reads = readsByRevision.get(revision);
      if (reads === undefined) {
        readsByRevision.set(revision, [operation]);
      } else {
        reads.push(operation);
      }
    }
  }
  const openWrites = Array.from(operations.keys()).filter((index) => {
    const { return: returned, input } = must(operations[index], 'an operation');
    return returned === undefined && mayChange(input);
  });
  const callOf = (index: OperationIndex): number => must(operations[index], 'an operation').call;
  openWrites.sort((a, b) => callOf(a) - callOf(b));
  return { operations, answered, openWrites, writeByRevision, readsByRevision, lastRevision };
}

/** All keys that any request of the history may write. */
export function writtenKeys(operations: readonly StoreOperation[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { input } of operations) {
    for (const part of partsOf(input)) {
      if (part.type === 'put') {
        keys.add(part.key);
      }
    }
  }
  return keys;
}

/** A key's state as an answer told it. */
export interface Sighting {
  readonly record: KeyValue;
  /** The revision that it was the state at. */
  readonly revision: number;
  readonly by: AnsweredOperation;
}

/** Every key's state that an answer tells of, of its own revision or of the one before a write. */
export function sightingsOf(operation: AnsweredOperation): readonly Sighting[] {
  const { request, answer, isWrite } = operation;
  const revision = isWrite ? answer.revision - 1 : answer.revision;
  return answeredParts(request, answer.result).flatMap(({ part, result }) => {
    const readAt = part.type === 'range' ? (part.revision ?? revision) : revision;
    return recordsIn(result).map((record) => ({ record, revision: readAt, by: operation }));
  });
}

function recordsIn(
  result: ReturnType<typeof answeredParts>[number]['result'],
): readonly KeyValue[] {
  switch (result.type) {
    case 'put':
      return result.prevKv === undefined || result.prevKv === null ? [] : [result.prevKv];
    case 'deleteRange':
      return result.prevKvs ?? [];
    case 'range':
      return result.kvs;
  }
}

/** An operation as text: position, process, request, times, revision. */
export function describeOperation(
  operations: readonly StoreOperation[],
  index: OperationIndex,
): string {
  const operation = must(operations[index], 'an operation');
  const { process, input, call, return: returned, output } = operation;
  const outcome =
    returned === undefined
      ? `${call}.., outcome unknown`
      : `${call}..${returned}, revision ${output?.revision ?? '?'}`;
  return `#${index} (p${process}, ${describeRequest(input)}, ${outcome})`;
}
