/** Requests and answers of the checkers' store, as etcd's messages. Texts are latin1. */
import type {
  Compare,
  KeySelector,
  KeyValue,
  PartResult,
  StoreRequest,
  StoreResult,
  TxnPart,
} from './checkers/store.ts';

/** An RPC of etcd's KV service, with its message. */
export type StoreCall = readonly ['Put' | 'Range' | 'DeleteRange' | 'Txn', object];

const resultNames = {
  equal: 'EQUAL',
  notEqual: 'NOT_EQUAL',
  greater: 'GREATER',
  less: 'LESS',
} as const;

/** The call that carries out `request`. */
export function toStoreCall(request: StoreRequest): StoreCall {
  switch (request.type) {
    case 'put':
      return ['Put', putMessage(request)];
    case 'range':
      return ['Range', rangeMessage(request)];
    case 'deleteRange':
      return ['DeleteRange', deleteMessage(request)];
    case 'txn':
      return [
        'Txn',
        {
          compare: request.compare.map(compareMessage),
          success: request.success.map(partMessage),
          failure: request.failure.map(partMessage),
        },
      ];
  }
}

/** What the answer to `request` says. */
export function fromStoreResponse(request: StoreRequest, answer: unknown): StoreResult {
  if (request.type !== 'txn') {
    return partResult(request, answer);
  }
  const { succeeded, responses } = answer as {
    readonly succeeded: boolean;
    readonly responses: readonly Readonly<Record<string, unknown>>[];
  };
  const branch = succeeded ? request.success : request.failure;
  return {
    type: 'txn',
    succeeded,
    responses: branch.map((part, i) => {
      const names = { put: 'response_put', range: 'response_range' } as const;
      const name = part.type === 'deleteRange' ? 'response_delete_range' : names[part.type];
      return partResult(part, responses[i]?.[name] ?? {});
    }),
  };
}

interface WireKeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly create_revision: string;
  readonly mod_revision: string;
  readonly version: string;
}

/** A key as it travels. */
export function fromWire(kv: WireKeyValue): KeyValue {
  return {
    key: kv.key.toString('latin1'),
    value: kv.value.toString('latin1'),
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
    version: Number(kv.version),
  };
}

function partResult(part: TxnPart, answer: unknown): PartResult {
  switch (part.type) {
    case 'put': {
      const { prev_kv: previous } = answer as { readonly prev_kv?: WireKeyValue | null };
      return part.prevKv === true
        ? {
            type: 'put',
            prevKv: previous === null || previous === undefined ? null : fromWire(previous),
          }
        : { type: 'put' };
    }
    case 'range': {
      const { kvs = [], count = '0' } = answer as {
        readonly kvs?: readonly WireKeyValue[];
        readonly count?: string;
      };
      return { type: 'range', kvs: kvs.map(fromWire), count: Number(count) };
    }
    case 'deleteRange': {
      const { deleted = '0', prev_kvs: previous = [] } = answer as {
        readonly deleted?: string;
        readonly prev_kvs?: readonly WireKeyValue[];
      };
      const result = { type: 'deleteRange', deleted: Number(deleted) } as const;
      return part.prevKv === true ? { ...result, prevKvs: previous.map(fromWire) } : result;
    }
  }
}

function partMessage(part: TxnPart): object {
  switch (part.type) {
    case 'put':
      return { request_put: putMessage(part) };
    case 'range':
      return { request_range: rangeMessage(part) };
    case 'deleteRange':
      return { request_delete_range: deleteMessage(part) };
  }
}

function putMessage({ key, value, prevKv }: TxnPart & { type: 'put' }): object {
  return { key: bytes(key), value: bytes(value), prev_kv: prevKv === true };
}

function rangeMessage(range: TxnPart & { type: 'range' }): object {
  const { serializable = false, revision = 0, limit = 0 } = range;
  return { ...selector(range), serializable, revision, limit };
}

function deleteMessage(part: TxnPart & { type: 'deleteRange' }): object {
  return { ...selector(part), prev_kv: part.prevKv === true };
}

function compareMessage(compare: Compare): object {
  const common = { ...selector(compare), result: resultNames[compare.result] };
  switch (compare.target) {
    case 'value':
      return { ...common, target: 'VALUE', value: bytes(compare.operand) };
    case 'version':
      return { ...common, target: 'VERSION', version: compare.operand };
    case 'create':
      return { ...common, target: 'CREATE', create_revision: compare.operand };
    case 'mod':
      return { ...common, target: 'MOD', mod_revision: compare.operand };
  }
}

function selector({ key, rangeEnd }: KeySelector): object {
  return rangeEnd === undefined
    ? { key: bytes(key) }
    : { key: bytes(key), range_end: bytes(rangeEnd) };
}

function bytes(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}
