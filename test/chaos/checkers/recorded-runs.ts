/**
 * Histories with known verdicts: random clients of a store that is right by construction, and
 * histories of registers whose answers are random.
 *
 * The store is the naive twin of the state machine (`test/kv/model.ts`), which shares no code with
 * the checkers.
 */
import { must, type Prng } from '../../../src/base/index.ts';
import type { Operation } from '../../../chaos/checkers/history.ts';
import type { StoreOperation } from '../../../chaos/checkers/revision-index.ts';
import type {
  Compare,
  KeyValue,
  PartResult,
  RangeRequest,
  StoreAnswer,
  StoreRequest,
  StoreResult,
  TxnPart,
} from '../../../chaos/checkers/store.ts';
import type * as kv from '../../../src/kv/index.ts';
import { del, put, range, txn, when, whenValue } from '../../kv/commands.ts';
import { chance, choose } from '../../kv/generators.ts';
import { text } from '../../kv/map-store.ts';
import { Model } from '../../kv/model.ts';

/** A store that serves one request after the other. */
class ReferenceStore {
  readonly #model = new Model();

  get revision(): number {
    return this.#model.revision;
  }

  /** Carries out a request; undefined if etcd refuses it, as it does two puts of a key in one. */
  serve(request: StoreRequest): StoreAnswer | undefined {
    if (request.type === 'range') {
      return this.serveAt(request, this.#model.revision);
    }
    const command = request.type === 'txn' ? txnOf(request) : partOf(request);
    if (command.type === 'range') {
      return undefined;
    }
    const outcome = this.#model.apply(command);
    return outcome.kind === 'refused'
      ? undefined
      : { revision: outcome.revision, result: resultOf(outcome.result as kv.OperationResult) };
  }

  /** A read of a member that is at an older revision. */
  serveAt(request: RangeRequest, revision: number): StoreAnswer | undefined {
    const result = this.#model.range(rangeOf(request), revision);
    return typeof result === 'string' ? undefined : { revision, result: resultOf(result) };
  }
}

function txnOf(request: StoreRequest & { type: 'txn' }): kv.TxnOperation {
  return txn(
    request.compare.map(compareOf),
    request.success.map(partOf),
    request.failure.map(partOf),
  );
}

function compareOf(compare: Compare): kv.Compare {
  const { key, rangeEnd, result } = compare;
  return compare.target === 'value'
    ? whenValue(key, result, compare.operand, rangeEnd)
    : when(key, compare.target, result, compare.operand, rangeEnd);
}

function partOf(part: TxnPart): kv.PutOperation | kv.DeleteRangeOperation | kv.RangeOperation {
  switch (part.type) {
    case 'put':
      return put(part.key, part.value, { prevKv: part.prevKv ?? false });
    case 'deleteRange':
      return del(part.key, part.rangeEnd, part.prevKv ?? false);
    case 'range':
      return rangeOf(part);
  }
}

function rangeOf({ key, rangeEnd, limit = 0, revision = 0 }: RangeRequest): kv.RangeOperation {
  return range(key, rangeEnd, { limit, revision });
}

/** Answers always tell what was before: the checkers must not mind what was not asked for. */
function resultOf(result: kv.OperationResult): StoreResult {
  return result.type === 'txn'
    ? {
        type: 'txn',
        succeeded: result.succeeded,
        responses: result.responses.map((it) => partResultOf(it)),
      }
    : partResultOf(result);
}

function partResultOf(result: kv.OperationResult): PartResult {
  switch (result.type) {
    case 'put':
      return { type: 'put', prevKv: result.prevKv === undefined ? null : recordOf(result.prevKv) };
    case 'deleteRange':
      return {
        type: 'deleteRange',
        deleted: result.deleted,
        prevKvs: result.prevKvs.map(recordOf),
      };
    case 'range':
      return { type: 'range', kvs: result.kvs.map(recordOf), count: result.count };
    case 'txn':
      throw new Error('transactions are not nested here');
  }
}

function recordOf({ key, value, createRevision, modRevision, version }: kv.KeyValue): KeyValue {
  return { key: text(key), value: text(value), createRevision, modRevision, version };
}

/** What a run is like. */
export interface RunOptions {
  readonly prng: Prng;
  readonly operationsMax: number;
  readonly processCount: number;
  readonly keys: readonly string[];
  /** Percentages of operations whose answer is lost. */
  readonly lostPercent: number;
  /** Whether every value is written at most once, as a careful workload does. */
  readonly hasUniqueValues: boolean;
  readonly hasOldReads: boolean;
}

interface Call {
  readonly process: number;
  readonly call: number;
  readonly request: StoreRequest;
  answer?: StoreAnswer;
}

/** Records what clients of a right store see, some of whose answers get lost. */
export function recordRun(options: RunOptions): readonly StoreOperation[] {
  const { prng, operationsMax, processCount, lostPercent } = options;
  const store = new ReferenceStore();
  const history: StoreOperation[] = [];
  const open: Call[] = [];
  let now = 0;
  let nextProcess = 0;
  let started = 0;
  const idle = Array.from({ length: processCount }, () => nextProcess++);
  while (started < operationsMax || open.length > 0) {
    now += 1;
    const process = idle.at(-1);
    if (started < operationsMax && process !== undefined && chance(prng, 50)) {
      idle.pop();
      const request = randomRequest(options, store.revision, started);
      open.push({ process, call: now, request });
      started += 1;
      continue;
    }
    const at = prng.nextInt(0, Math.max(1, open.length));
    const call = open[at];
    if (call === undefined) {
      continue;
    }
    const isLost = chance(prng, lostPercent);
    if (call.answer === undefined && !isLost) {
      const answer = serve(store, call.request, options);
      if (answer === undefined) {
        // Refused for sure: no part of the history.
        open.splice(at, 1);
        idle.unshift(call.process);
      } else {
        call.answer = answer;
      }
      continue;
    }
    open.splice(at, 1);
    history.push(isLost ? lostOperation(call) : answeredOperation(call, now));
    idle.unshift(isLost ? nextProcess++ : call.process);
  }
  return history.sort((a, b) => a.call - b.call);
}

function serve(
  store: ReferenceStore,
  request: StoreRequest,
  { prng, hasOldReads }: RunOptions,
): StoreAnswer | undefined {
  if (request.type === 'range' && request.serializable === true && hasOldReads) {
    return store.serveAt(
      request,
      prng.nextInt(Math.max(1, store.revision - 5), store.revision + 1),
    );
  }
  return store.serve(request);
}

function lostOperation({ process, call, request }: Call): StoreOperation {
  return { process, call, return: undefined, input: request, output: undefined };
}

function answeredOperation({ process, call, request, answer }: Call, now: number): StoreOperation {
  return { process, call, return: now, input: request, output: must(answer, 'an answer') };
}

function randomRequest(options: RunOptions, revision: number, serial: number): StoreRequest {
  const { prng } = options;
  const dice = prng.nextInt(0, 100);
  if (dice >= 70) {
    return {
      type: 'txn',
      compare: chance(prng, 80) ? [randomCompare(options, revision)] : [],
      success: [randomPart(options, serial), randomPart(options, serial)],
      failure: chance(prng, 50) ? [randomPart(options, serial)] : [],
    };
  }
  return randomPart(options, serial);
}

function randomPart({ prng, keys, hasUniqueValues, hasOldReads }: RunOptions, serial: number) {
  const key = choose(prng, keys);
  const rangeEnd = chance(prng, 30) ? choose(prng, ['\0', ...keys]) : undefined;
  const dice = prng.nextInt(0, 100);
  if (dice < 45) {
    const value = hasUniqueValues ? `v${serial}` : choose(prng, ['0', '1']);
    return { type: 'put', key, value, prevKv: chance(prng, 30) } as const;
  }
  if (dice < 60) {
    return { type: 'deleteRange', key, rangeEnd, prevKv: chance(prng, 30) } as const;
  }
  const limit = chance(prng, 10) ? 1 : undefined;
  const serializable = hasOldReads && chance(prng, 30);
  return { type: 'range', key, rangeEnd, limit, serializable } as const;
}

function randomCompare({ prng, keys }: RunOptions, revision: number): Compare {
  const key = choose(prng, keys);
  const result = choose(prng, ['equal', 'notEqual', 'greater', 'less'] as const);
  const rangeEnd = chance(prng, 20) ? '\0' : undefined;
  if (chance(prng, 20)) {
    return { key, rangeEnd, result, target: 'value', operand: choose(prng, ['0', '1']) };
  }
  const target = choose(prng, ['version', 'create', 'mod'] as const);
  const operand = target === 'version' ? prng.nextInt(0, 3) : prng.nextInt(0, revision + 1);
  return { key, rangeEnd, result, target, operand };
}

/** Random times for `count` operations of up to three processes at once, some never returning. */
export function randomTimes(
  prng: Prng,
  count: number,
): readonly { readonly process: number; readonly call: number; readonly return?: number }[] {
  const lastReturns = [0, 0, 0];
  return Array.from({ length: count }, () => {
    const process = prng.nextInt(0, lastReturns.length);
    const call = must(lastReturns[process], 'a time') + prng.nextInt(0, 4);
    const returned = call + prng.nextInt(0, 6);
    lastReturns[process] = returned;
    return chance(prng, 20) ? { process, call } : { process, call, return: returned };
  });
}

/** Builds an operation that returned. */
export function returned<Input, Output>(
  process: number,
  [call, end]: readonly [number, number],
  input: Input,
  output: Output,
): Operation<Input, Output> {
  return { process, call, return: end, input, output };
}

/** Builds a write of the register `r` that returned. */
export function write(process: number, times: readonly [number, number], value: number) {
  const input = { type: 'write', key: 'r', value } as const;
  return returned(process, times, input, { type: 'written' } as const);
}

/** Builds a read of the register `r` that returned. */
export function read(process: number, times: readonly [number, number], value: number | null) {
  const input = { type: 'read', key: 'r' } as const;
  return returned(process, times, input, { type: 'read', value } as const);
}

/** Builds an operation of unknown outcome. */
export function lost<Input>(process: number, call: number, input: Input): Operation<Input, never> {
  return { process, call, return: undefined, input, output: undefined };
}
