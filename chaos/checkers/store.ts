/**
 * The whole store as clients see it, as data and as a sequential specification: puts, deletions,
 * transactions and ranges over all keys, with etcd's revisions.
 *
 * A request that changes something makes the next revision, a single one whatever it changes. One
 * that changes nothing (a deletion of nothing, a transaction without a write on the branch taken)
 * is a read. Keys and values are texts compared by code unit; for bytes take latin1.
 */

/** A key's state. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

/** One key, or all in `[key, rangeEnd)`; a `rangeEnd` of `\0` is the end of the keyspace. */
export interface KeySelector {
  readonly key: string;
  readonly rangeEnd?: string | undefined;
}

/** Writes one key. */
export interface PutRequest {
  readonly type: 'put';
  readonly key: string;
  readonly value: string;
  /** Asks for what was there before. */
  readonly prevKv?: boolean | undefined;
}

/** Deletes the keys selected. */
export interface DeleteRangeRequest extends KeySelector {
  readonly type: 'deleteRange';
  /** Asks for what they were. */
  readonly prevKv?: boolean | undefined;
}

/** Reads the keys selected. */
export interface RangeRequest extends KeySelector {
  readonly type: 'range';
  /** Whether the answer may be old. Means nothing within a transaction. */
  readonly serializable?: boolean | undefined;
  /** A past revision to read at; left out, the newest. */
  readonly revision?: number | undefined;
  /** At most so many keys, the first ones. */
  readonly limit?: number | undefined;
}

/** One condition; over a range it must hold for every key. */
export type Compare = KeySelector & {
  readonly result: 'equal' | 'notEqual' | 'greater' | 'less';
} & (
    | { readonly target: 'version' | 'create' | 'mod'; readonly operand: number }
    | { readonly target: 'value'; readonly operand: string }
  );

/** What may stand in a transaction. */
export type TxnPart = PutRequest | DeleteRangeRequest | RangeRequest;

/** If all of `compare` hold then `success` else `failure`. */
export interface TxnRequest {
  readonly type: 'txn';
  readonly compare: readonly Compare[];
  readonly success: readonly TxnPart[];
  readonly failure: readonly TxnPart[];
}

/** What a client may ask. */
export type StoreRequest = TxnPart | TxnRequest;

/** Answer to a put; `prevKv` null means that there was nothing, undefined that nobody asked. */
export interface PutResult {
  readonly type: 'put';
  readonly prevKv?: KeyValue | null | undefined;
}

/** Answer to a deletion; `prevKvs` only if asked for. */
export interface DeleteRangeResult {
  readonly type: 'deleteRange';
  readonly deleted: number;
  readonly prevKvs?: readonly KeyValue[] | undefined;
}

/** Answer to a range; `count` is of all keys selected, whatever the limit. */
export interface RangeResult {
  readonly type: 'range';
  readonly kvs: readonly KeyValue[];
  readonly count: number;
}

/** Answer to a part of a transaction. */
export type PartResult = PutResult | DeleteRangeResult | RangeResult;

/** Answer to a transaction: which branch it took, and the answers of that branch. */
export interface TxnResult {
  readonly type: 'txn';
  readonly succeeded: boolean;
  readonly responses: readonly PartResult[];
}

/** What the store answers. */
export type StoreResult = PartResult | TxnResult;

/** An answer with the revision in its header: the store's when it was made, and after it. */
export interface StoreAnswer {
  readonly revision: number;
  readonly result: StoreResult;
}

/** A state of the store, to read from. */
export interface StoreView {
  /** The key as it is now, or was at a past revision. */
  recordOf(key: string, revision: number | undefined): KeyValue | undefined;
  /** The keys selected that may exist, ascending; a superset will do. */
  keysIn(selector: KeySelector): readonly string[];
}

/** What a request changes; undefined is a deletion. */
export type Changes = ReadonlyMap<string, KeyValue | undefined>;

/** What a request gives in a given state. */
export interface Execution {
  readonly result: StoreResult;
  readonly changes: Changes;
}

/** Carries out `request` on a state; should it change something, that makes `nextRevision`. */
export function executeRequest(
  view: StoreView,
  request: StoreRequest,
  nextRevision: number,
): Execution {
  const batch = new Batch(view, nextRevision);
  if (request.type !== 'txn') {
    return { result: batch.execute(request), changes: batch.changes };
  }
  const succeeded = request.compare.every((compare) => batch.holds(compare));
  const branch = succeeded ? request.success : request.failure;
  const responses = branch.map((part) => batch.execute(part));
  return { result: { type: 'txn', succeeded, responses }, changes: batch.changes };
}

/** Whether an answer tells that its request changed something. */
export function hasChanged(result: StoreResult): boolean {
  switch (result.type) {
    case 'put':
      return true;
    case 'deleteRange':
      return result.deleted > 0;
    case 'range':
      return false;
    case 'txn':
      return result.responses.some(hasChanged);
  }
}

/** Whether a request could change something in some state. */
export function mayChange(request: StoreRequest): boolean {
  return partsOf(request).some((part) => part.type !== 'range');
}

/** The parts of a transaction, of both branches; any other request is its own only part. */
export function partsOf(request: StoreRequest): readonly TxnPart[] {
  return request.type === 'txn' ? [...request.success, ...request.failure] : [request];
}

/** The parts that were carried out, each with its answer. */
export function answeredParts(
  request: StoreRequest,
  result: StoreResult,
): readonly { readonly part: TxnPart; readonly result: PartResult }[] {
  if (request.type !== 'txn' || result.type !== 'txn') {
    return request.type === 'txn' || result.type === 'txn' ? [] : [{ part: request, result }];
  }
  const branch = result.succeeded ? request.success : request.failure;
  return result.responses.flatMap((response, index) => {
    const part = branch[index];
    return part === undefined ? [] : [{ part, result: response }];
  });
}

/** Whether `key` is among those selected. */
export function isSelected({ key: start, rangeEnd }: KeySelector, key: string): boolean {
  if (rangeEnd === undefined || rangeEnd === '') {
    return key === start;
  }
  return key >= start && (rangeEnd === '\0' || key < rangeEnd);
}

/** One request under way: what it has changed so far is visible to its later parts. */
class Batch {
  readonly #view: StoreView;
  readonly #revision: number;
  readonly #changes = new Map<string, KeyValue | undefined>();

  constructor(view: StoreView, revision: number) {
    this.#view = view;
    this.#revision = revision;
  }

  get changes(): Changes {
    return this.#changes;
  }

  execute(part: TxnPart): PartResult {
    switch (part.type) {
      case 'put':
        return this.#put(part);
      case 'deleteRange':
        return this.#deleteRange(part);
      case 'range':
        return this.#range(part);
    }
  }

  /** As in etcd: a missing key has number 0 for everything, and no value to compare. */
  holds(compare: Compare): boolean {
    const records = this.#select(compare, undefined);
    if (records.length === 0) {
      return compare.target !== 'value' && isOrdered(0, compare.operand, compare.result);
    }
    return records.every((record) =>
      compare.target === 'value'
        ? isOrdered(record.value, compare.operand, compare.result)
        : isOrdered(numberOf(record, compare.target), compare.operand, compare.result),
    );
  }

  #put({ key, value, prevKv }: PutRequest): PutResult {
    const previous = this.#recordOf(key, undefined);
    this.#changes.set(key, {
      key,
      value,
      createRevision: previous?.createRevision ?? this.#revision,
      modRevision: this.#revision,
      version: (previous?.version ?? 0) + 1,
    });
    return prevKv === true ? { type: 'put', prevKv: previous ?? null } : { type: 'put' };
  }

  #deleteRange(request: DeleteRangeRequest): DeleteRangeResult {
    const prevKvs = this.#select(request, undefined);
    for (const { key } of prevKvs) {
      this.#changes.set(key, undefined);
    }
    const result = { type: 'deleteRange', deleted: prevKvs.length } as const;
    return request.prevKv === true ? { ...result, prevKvs } : result;
  }

  #range(request: RangeRequest): RangeResult {
    const records = this.#select(request, request.revision);
    return {
      type: 'range',
      kvs: request.limit === undefined ? records : records.slice(0, request.limit),
      count: records.length,
    };
  }

  #select(selector: KeySelector, revision: number | undefined): readonly KeyValue[] {
    if (selector.rangeEnd === undefined || selector.rangeEnd === '') {
      const record = this.#recordOf(selector.key, revision);
      return record === undefined ? [] : [record];
    }
    const records: KeyValue[] = [];
    for (const key of this.#keysIn(selector)) {
      const record = this.#recordOf(key, revision);
      if (record !== undefined) {
        records.push(record);
      }
    }
    return records;
  }

  #keysIn(selector: KeySelector): readonly string[] {
    const keys = this.#view.keysIn(selector);
    const changed = Array.from(this.#changes.keys()).filter((key) => isSelected(selector, key));
    return changed.length === 0 ? keys : Array.from(new Set([...keys, ...changed])).sort();
  }

  #recordOf(key: string, revision: number | undefined): KeyValue | undefined {
    return revision === undefined && this.#changes.has(key)
      ? this.#changes.get(key)
      : this.#view.recordOf(key, revision);
  }
}

function numberOf(record: KeyValue, target: 'version' | 'create' | 'mod'): number {
  switch (target) {
    case 'version':
      return record.version;
    case 'create':
      return record.createRevision;
    case 'mod':
      return record.modRevision;
  }
}

function isOrdered<Value extends string | number>(
  a: Value,
  b: Value,
  result: Compare['result'],
): boolean {
  switch (result) {
    case 'equal':
      return a === b;
    case 'notEqual':
      return a !== b;
    case 'greater':
      return a > b;
    case 'less':
      return a < b;
  }
}

/** A request as text. */
export function describeRequest(request: StoreRequest): string {
  if (request.type !== 'txn') {
    return describePart(request);
  }
  const conditions = request.compare.map((compare) => {
    const operand = JSON.stringify(compare.operand);
    return `${compare.target}(${describeSelector(compare)}) ${compare.result} ${operand}`;
  });
  const branch = (parts: readonly TxnPart[]): string => parts.map(describePart).join('; ');
  const condition = conditions.length === 0 ? 'true' : conditions.join(' and ');
  return `txn if ${condition} then {${branch(request.success)}} else {${branch(request.failure)}}`;
}

function describePart(part: TxnPart): string {
  switch (part.type) {
    case 'put':
      return `put ${JSON.stringify(part.key)} ${JSON.stringify(part.value)}`;
    case 'deleteRange':
      return `delete ${describeSelector(part)}`;
    case 'range': {
      const at = part.revision === undefined ? '' : ` at ${part.revision}`;
      const limit = part.limit === undefined ? '' : ` limit ${part.limit}`;
      const kind = part.serializable === true ? 'serializable range' : 'range';
      return `${kind} ${describeSelector(part)}${at}${limit}`;
    }
  }
}

function describeSelector({ key, rangeEnd }: KeySelector): string {
  return rangeEnd === undefined || rangeEnd === ''
    ? JSON.stringify(key)
    : `[${JSON.stringify(key)}, ${JSON.stringify(rangeEnd)})`;
}
