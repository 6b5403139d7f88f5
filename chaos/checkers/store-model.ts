/**
 * The whole store as a model for the general search: what `revision-order.ts` is held to on small
 * histories. Not partitioned, so its searches are expensive. Serializable reads and reads of past
 * revisions are not for it.
 */
import { assert } from '../../src/base/index.ts';
import { findDifference } from './difference.ts';
import type { Model } from './models.ts';
import {
  type Changes,
  describeRequest,
  executeRequest,
  hasChanged,
  isSelected,
  type KeyValue,
  mayChange,
  partsOf,
  type StoreAnswer,
  type StoreRequest,
  type StoreView,
} from './store.ts';

/** All keys at one revision. */
export interface StoreState {
  readonly revision: number;
  readonly records: ReadonlyMap<string, KeyValue>;
}

/** A store that starts at `initial`. */
export function storeModel(initial: StoreState): Model<StoreState, StoreRequest, StoreAnswer> {
  return {
    name: 'store',
    initial,
    step: stepStore,
    stateKey: ({ revision, records }) => {
      const sorted = Array.from(records.values()).sort((a, b) => (a.key < b.key ? -1 : 1));
      return JSON.stringify([revision, ...sorted]);
    },
    isPure: (request, answer) =>
      !mayChange(request) || (answer !== undefined && !hasChanged(answer.result)),
    describe: (request, answer) =>
      `${describeRequest(request)}: ${answer === undefined ? '?' : JSON.stringify(answer)}`,
  };
}

function stepStore(
  state: StoreState,
  request: StoreRequest,
  answer: StoreAnswer | undefined,
): StoreState | undefined {
  assert(
    partsOf(request).every((it) => it.type !== 'range' || it.revision === undefined),
    'a read of a past revision must not be checked with this model',
  );
  const { result, changes } = executeRequest(viewOf(state), request, state.revision + 1);
  const next = changes.size === 0 ? state : applyChanges(state, changes);
  if (answer === undefined) {
    return next;
  }
  const isPossible =
    answer.revision === next.revision && findDifference(result, answer.result) === undefined;
  return isPossible ? next : undefined;
}

function viewOf({ records }: StoreState): StoreView {
  return {
    recordOf: (key) => records.get(key),
    keysIn: (selector) =>
      Array.from(records.keys())
        .filter((key) => isSelected(selector, key))
        .sort(),
  };
}

function applyChanges(state: StoreState, changes: Changes): StoreState {
  const records = new Map(state.records);
  for (const [key, record] of changes) {
    if (record === undefined) {
      records.delete(key);
    } else {
      records.set(key, record);
    }
  }
  return { revision: state.revision + 1, records };
}
