/**
 * Strict serializability of the whole history, by the revisions of its answers
 * (`revision-order.ts`).
 *
 * What the servers write by themselves (a lock's key, a lease that ends) has no call that tells its
 * revision: it goes in as an operation of its own, taken from the watched events. Writes of unknown
 * outcome are narrowed down by the same events: one whose value shows up was done at that revision,
 * whenever that was; one whose values nobody ever saw was not, since the account reaches the end.
 */
import type { WatchEvent } from '../history.ts';
import { type Finding, type HistoryView, isAnswered, isStoreRequest } from './history-view.ts';
import type { StoreOperation } from './revision-index.ts';
import { checkRevisionOrder } from './revision-order.ts';
import { hasChanged, partsOf, type StoreAnswer, type StoreRequest } from './store.ts';

const check = 'strict serializability';

/** Checks all calls on keys, in whatever order the store says that they took effect. */
export function checkStoreOrder(
  view: HistoryView,
  servedPrefixes: readonly string[] = [],
): readonly Finding[] {
  const { operations, callIds } = operationsOf(view, servedPrefixes);
  const result = checkRevisionOrder(operations);
  switch (result.verdict) {
    case 'linearizable':
      return [];
    case 'undecided':
      return [{ check, kind: 'undecided', message: 'too many unknown outcomes', calls: [] }];
    case 'violation': {
      const { message, operations: about } = result.violation;
      const calls = about.flatMap((operation) => callIds.get(operation) ?? []);
      return [{ check, kind: 'violation', message, calls }];
    }
  }
}

function operationsOf(view: HistoryView, servedPrefixes: readonly string[]) {
  const operations: StoreOperation[] = [];
  const callIds = new Map<StoreOperation, number>();
  const explained = new Set<number>();
  const revisionByValue = new Map<string, number>();
  for (const event of Array.from(view.events.values()).flat()) {
    revisionByValue.set(`${event.key} ${event.value}`, event.modRevision);
  }
  // After everything: what takes effect at an unknown moment may do so until then.
  const endMs = 1 + Math.max(0, ...view.calls.map(({ returnMs }) => returnMs));
  for (const call of view.calls) {
    const { request, process, callMs, returnMs } = call;
    if (!isStoreRequest(request) || call.outcome === 'fail') {
      continue;
    }
    const isOk = isAnswered(call);
    if (!isOk && !mayHaveHappened(request, revisionByValue)) {
      continue;
    }
    const output = isOk
      ? { revision: call.revision, result: call.result }
      : narrowed(request, revisionByValue);
    if (output !== undefined && hasChanged(output.result)) {
      explained.add(output.revision);
    }
    const returned = isOk ? returnMs : output === undefined ? undefined : endMs;
    const operation = { process, call: callMs, return: returned, input: request, output };
    operations.push(operation);
    callIds.set(operation, call.id);
  }
  // Processes of their own, beyond those of the clients.
  let process = 1 + Math.max(-1, ...operations.map((operation) => operation.process));
  for (const [revision, events] of view.events) {
    if (!explained.has(revision) && events.every(({ key }) => isServed(key, servedPrefixes))) {
      operations.push(servedOperation(events, { process: (process += 1), revision, endMs }));
    }
  }
  return { operations, callIds };
}

function isServed(key: string, servedPrefixes: readonly string[]): boolean {
  return servedPrefixes.some((prefix) => key.startsWith(prefix));
}

function servedOperation(
  events: readonly WatchEvent[],
  { process, revision, endMs }: Readonly<Record<'process' | 'revision' | 'endMs', number>>,
): StoreOperation {
  const success = events.map(({ type, key, value }) =>
    type === 'put' ? ({ type, key, value } as const) : ({ type: 'deleteRange', key } as const),
  );
  const responses = success.map(({ type }) =>
    type === 'put' ? ({ type } as const) : ({ type, deleted: 1 } as const),
  );
  return {
    process,
    call: 0,
    return: endMs,
    input: { type: 'txn', compare: [], success, failure: [] },
    output: { revision, result: { type: 'txn', succeeded: true, responses } },
  };
}

/** A write whose values (each is written once) nobody ever saw has not happened; a deletion may. */
function mayHaveHappened(
  request: StoreRequest,
  revisionByValue: ReadonlyMap<string, number>,
): boolean {
  return partsOf(request).some(
    (part) =>
      part.type === 'deleteRange' ||
      (part.type === 'put' && revisionByValue.has(`${part.key} ${part.value}`)),
  );
}

/** What a write of unknown outcome would have been told, if its values say so. */
function narrowed(
  request: StoreRequest,
  revisionByValue: ReadonlyMap<string, number>,
): StoreAnswer | undefined {
  const parts = request.type === 'txn' ? request.success : [request];
  const [first] = parts;
  if (first?.type !== 'put' || parts.some((part) => part.type !== 'put' || part.prevKv === true)) {
    return undefined;
  }
  const revision = revisionByValue.get(`${first.key} ${first.value}`);
  if (revision === undefined) {
    return undefined;
  }
  const responses = parts.map(() => ({ type: 'put' }) as const);
  return request.type === 'txn'
    ? { revision, result: { type: 'txn', succeeded: true, responses } }
    : { revision, result: { type: 'put' } };
}
