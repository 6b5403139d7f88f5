/**
 * Answers as etcdctl writes them in JSON: keys and values in base64, 64-bit numbers with all their
 * digits, and what is zero, empty or false left out.
 */
import type { AnswerOf, methods } from './requests.ts';
import type { WatchAnswer } from './watch.ts';

/** A value to be written; a bigint is a number of any size, and undefined is left out. */
export type Json =
  | string
  | boolean
  | bigint
  | undefined
  | readonly Json[]
  | { readonly [name: string]: Json };

type RangeAnswer = AnswerOf<typeof methods.kv.Range>;
type Header = RangeAnswer['header'];
type KeyValue = RangeAnswer['kvs'][number];
type TxnAnswer = AnswerOf<typeof methods.kv.Txn>;
type ResponseOp = TxnAnswer['responses'][number];

/** The text of `value`; undefined as a whole is null. */
export function encodeJson(value: Json): string {
  if (value === undefined) {
    return 'null';
  }
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (typeof value !== 'object') {
    return JSON.stringify(value);
  }
  if (isList(value)) {
    return `[${value.map(encodeJson).join(',')}]`;
  }
  const fields = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([name, each]) => `${JSON.stringify(name)}:${encodeJson(each)}`);
  return `{${fields.join(',')}}`;
}

/** Decimal digits of the wire as a number, unless it is 0. */
export function number(digits: string): bigint | undefined {
  const value = BigInt(digits);
  return value === 0n ? undefined : value;
}

/** A list, unless it is empty. */
export function list<T>(values: readonly T[], toJson: (value: T) => Json): Json {
  return values.length === 0 ? undefined : values.map(toJson);
}

/** `true`, or nothing. */
export function flag(value: boolean): true | undefined {
  return value ? true : undefined;
}

/** A text, unless it is empty. */
export function text(value: string): string | undefined {
  return value === '' ? undefined : value;
}

/** The header of an answer. */
export function headerJson(header: Header): Readonly<Record<string, Json>> | undefined {
  return header === null
    ? undefined
    : {
        cluster_id: number(header.cluster_id),
        member_id: number(header.member_id),
        revision: number(header.revision),
        raft_term: number(header.raft_term),
      };
}

/** The answer to a range. */
export function rangeJson(answer: RangeAnswer): Json {
  return {
    header: headerJson(answer.header),
    kvs: list(answer.kvs, keyValueJson),
    more: flag(answer.more),
    count: number(answer.count),
  };
}

/** The answer to a put. */
export function putJson(answer: AnswerOf<typeof methods.kv.Put>): Json {
  const previous = answer.prev_kv;
  return {
    header: headerJson(answer.header),
    prev_kv: previous === null ? undefined : keyValueJson(previous),
  };
}

/** The answer to a delete. */
export function deleteJson(answer: AnswerOf<typeof methods.kv.DeleteRange>): Json {
  return {
    header: headerJson(answer.header),
    deleted: number(answer.deleted),
    prev_kvs: list(answer.prev_kvs, keyValueJson),
  };
}

/** Events of a watch, as etcdctl names their parts. */
export function watchJson(answer: WatchAnswer): Json {
  return {
    Header: headerJson(answer.header),
    Events: answer.events.map(({ type, kv, prev_kv: previous }) => ({
      type: type === 'DELETE' ? 1n : undefined,
      kv: kv === null ? undefined : keyValueJson(kv),
      prev_kv: previous === null ? undefined : keyValueJson(previous),
    })),
    CompactRevision: BigInt(answer.compact_revision),
    Canceled: answer.canceled,
    Created: answer.created,
  };
}

/** The answer to a transaction. */
export function txnJson(answer: TxnAnswer): Json {
  return {
    header: headerJson(answer.header),
    succeeded: flag(answer.succeeded),
    responses: list(answer.responses, (response) => ({ Response: responseJson(response) })),
  };
}

type MembersAnswer = Pick<AnswerOf<typeof methods.cluster.MemberAdd>, 'header' | 'members'>;

/** The members of the cluster, as most calls of the cluster service answer them. */
export function membersJson(answer: MembersAnswer): Readonly<Record<string, Json>> {
  return { header: headerJson(answer.header), members: list(answer.members, memberJson) };
}

/** The answer to an addition of a member. */
export function addedMemberJson(
  answer: MembersAnswer & { readonly member: MembersAnswer['members'][number] | null },
): Json {
  const { header, members } = membersJson(answer);
  return {
    header,
    member: answer.member === null ? undefined : memberJson(answer.member),
    members,
  };
}

/** The answer to a list or change of alarms; their types as numbers. */
export function alarmsJson(answer: AnswerOf<typeof methods.maintenance.Alarm>): Json {
  const types: readonly string[] = ['NONE', 'NOSPACE', 'CORRUPT'];
  return {
    header: headerJson(answer.header),
    alarms: list(answer.alarms, ({ memberID, alarm }) => ({
      memberID: number(memberID),
      alarm: BigInt(types.indexOf(alarm)),
    })),
  };
}

/** The hash of a keyspace. */
export function hashKvJson(answer: AnswerOf<typeof methods.maintenance.HashKV>): Json {
  return {
    header: headerJson(answer.header),
    hash: number(String(answer.hash)),
    compact_revision: number(answer.compact_revision),
    hash_revision: number(answer.hash_revision),
  };
}

function memberJson(member: MembersAnswer['members'][number]): Json {
  return {
    ID: number(member.ID),
    name: text(member.name),
    peerURLs: list(member.peerURLs, (url) => url),
    clientURLs: list(member.clientURLs, (url) => url),
    isLearner: flag(member.isLearner),
  };
}

function responseJson(response: ResponseOp): Json {
  if (response.response_range) {
    return { ResponseRange: rangeJson(response.response_range) };
  }
  if (response.response_put) {
    return { ResponsePut: putJson(response.response_put) };
  }
  if (response.response_delete_range) {
    return { ResponseDeleteRange: deleteJson(response.response_delete_range) };
  }
  return response.response_txn ? { ResponseTxn: txnJson(response.response_txn) } : {};
}

function keyValueJson(keyValue: KeyValue): Json {
  return {
    key: base64(keyValue.key),
    create_revision: number(keyValue.create_revision),
    mod_revision: number(keyValue.mod_revision),
    version: number(keyValue.version),
    value: base64(keyValue.value),
    lease: number(keyValue.lease),
    ttl_ms: number(keyValue.ttl_ms),
    ttl_remaining_ms: number(keyValue.ttl_remaining_ms),
  };
}

function base64(bytes: Buffer): string | undefined {
  return bytes.length === 0 ? undefined : bytes.toString('base64');
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}
