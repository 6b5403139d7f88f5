/**
 * Answers as etcdctl writes them in `fields`: a name and a value on each line, strings quoted as Go
 * quotes them. Also for calls that etcdctl has no such output for.
 */
import type { AnswerOf, methods } from './requests.ts';
import type { WatchAnswer } from './watch.ts';

type RangeAnswer = AnswerOf<typeof methods.kv.Range>;
type KeyValue = RangeAnswer['kvs'][number];
type Member = AnswerOf<typeof methods.cluster.MemberList>['members'][number];
type StatusAnswer = AnswerOf<typeof methods.maintenance.Status>;
type Lines = readonly string[];

/** The header of an answer. */
export function headerFields(header: RangeAnswer['header']): Lines {
  return [
    `"ClusterID" : ${header?.cluster_id ?? '0'}`,
    `"MemberID" : ${header?.member_id ?? '0'}`,
    `"Revision" : ${header?.revision ?? '0'}`,
    `"RaftTerm" : ${header?.raft_term ?? '0'}`,
  ];
}

/** The answer to a range. */
export function rangeFields(answer: RangeAnswer): Lines {
  return [
    ...headerFields(answer.header),
    ...answer.kvs.flatMap((each) => keyValueFields('', each)),
    `"More" : ${answer.more}`,
    `"Count" : ${answer.count}`,
  ];
}

/** The answer to a put. */
export function putFields(answer: AnswerOf<typeof methods.kv.Put>): Lines {
  const previous = answer.prev_kv === null ? [] : keyValueFields('Prev', answer.prev_kv);
  return [...headerFields(answer.header), ...previous];
}

/** The answer to a delete. */
export function deleteFields(answer: AnswerOf<typeof methods.kv.DeleteRange>): Lines {
  return [
    ...headerFields(answer.header),
    `"Deleted" : ${answer.deleted}`,
    ...answer.prev_kvs.flatMap((each) => keyValueFields('Prev', each)),
  ];
}

/** Events of a watch. */
export function watchFields(answer: WatchAnswer): Lines {
  return [
    ...headerFields(answer.header),
    ...answer.events.flatMap(
      ({ type, kv, prev_kv: previous }): Lines => [
        `"Type" : ${type}`,
        ...(previous === null ? [] : keyValueFields('Prev', previous)),
        ...(kv === null ? [] : keyValueFields('', kv)),
      ],
    ),
  ];
}

/** The answer to a transaction. */
export function txnFields(answer: AnswerOf<typeof methods.kv.Txn>): Lines {
  const responses = answer.responses.flatMap((response): Lines => {
    if (response.response_range) {
      return rangeFields(response.response_range);
    }
    if (response.response_put) {
      return putFields(response.response_put);
    }
    if (response.response_delete_range) {
      return deleteFields(response.response_delete_range);
    }
    return response.response_txn ? txnFields(response.response_txn) : [];
  });
  return [...headerFields(answer.header), `"Succeeded" : ${answer.succeeded}`, ...responses];
}

/** What a member says of itself. */
export function statusFields(endpoint: string, status: StatusAnswer): Lines {
  return [
    ...headerFields(status.header),
    `"Version" : ${quoted(status.version)}`,
    `"DBSize" : ${status.dbSize}`,
    `"Leader" : ${status.leader}`,
    `"IsLearner" : ${status.isLearner}`,
    `"RaftIndex" : ${status.raftIndex}`,
    `"RaftTerm" : ${status.raftTerm}`,
    `"RaftAppliedIndex" : ${status.raftAppliedIndex}`,
    `"Errors" : [${status.errors.join(' ')}]`,
    ...levelFields(status),
    `"Endpoint" : ${quoted(endpoint)}`,
    '',
  ];
}

/** A member of a build that knows of no levels says none. */
function levelFields(status: StatusAnswer): Lines {
  return status.feature_level === 0
    ? []
    : [
        `"FeatureLevel" : ${status.feature_level}`,
        `"FeatureLevelMax" : ${status.feature_level_max}`,
      ];
}

/** A member of the cluster. */
export function memberFields(member: Member): Lines {
  return [
    `"ID" : ${member.ID}`,
    `"Name" : ${quoted(member.name)}`,
    ...member.peerURLs.map((url) => `"PeerURL" : ${quoted(url)}`),
    ...member.clientURLs.map((url) => `"ClientURL" : ${quoted(url)}`),
    `"IsLearner" : ${member.isLearner}`,
    '',
  ];
}

/** The answer to a list or change of alarms. */
export function alarmFields(answer: AnswerOf<typeof methods.maintenance.Alarm>): Lines {
  const alarms = answer.alarms.flatMap(({ memberID, alarm }) => [
    `"MemberID" : ${memberID}`,
    `"AlarmType" : ${alarm}`,
    '',
  ]);
  return [...headerFields(answer.header), ...alarms];
}

/** The hash of a keyspace. */
export function hashKvFields(
  endpoint: string,
  answer: AnswerOf<typeof methods.maintenance.HashKV>,
): Lines {
  return [
    ...headerFields(answer.header),
    `"Endpoint" : ${quoted(endpoint)}`,
    `"Hash" : ${answer.hash}`,
    `"HashRevision" : ${answer.hash_revision}`,
    '',
  ];
}

/** Bytes or text in double quotes, with Go's escapes: what is no UTF-8, byte by byte. */
export function quoted(value: Uint8Array | string): string {
  const bytes = Buffer.from(value).toString('latin1');
  return `"${bytes.replace(utf8Character, (part) => quotedCharacter(part))}"`;
}

/** A character of UTF-8 in bytes as characters, or a byte that belongs to none. */
const utf8Character = new RegExp(
  [
    '[\\xc2-\\xdf][\\x80-\\xbf]',
    '\\xe0[\\xa0-\\xbf][\\x80-\\xbf]',
    '[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}',
    '\\xed[\\x80-\\x9f][\\x80-\\xbf]',
    '\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}',
    '[\\xf1-\\xf3][\\x80-\\xbf]{3}',
    '\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}',
    '[^]',
  ].join('|'),
  'g',
);

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

function quotedCharacter(part: string): string {
  const escape = escapes[part];
  if (escape !== undefined) {
    return escape;
  }
  const hex = (digits: number, point: number): string => point.toString(16).padStart(digits, '0');
  const byte = part.charCodeAt(0);
  if (part.length === 1 && (byte < 0x20 || byte > 0x7e)) {
    return `\\x${hex(2, byte)}`;
  }
  const character = Buffer.from(part, 'latin1').toString();
  const point = character.codePointAt(0) ?? 0;
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) {
    return character;
  }
  return point < 0x1_0000 ? `\\u${hex(4, point)}` : `\\U${hex(8, point)}`;
}

function keyValueFields(prefix: string, keyValue: KeyValue): Lines {
  return [
    `"${prefix}Key" : ${quoted(keyValue.key)}`,
    `"${prefix}CreateRevision" : ${keyValue.create_revision}`,
    `"${prefix}ModRevision" : ${keyValue.mod_revision}`,
    `"${prefix}Version" : ${keyValue.version}`,
    `"${prefix}Value" : ${quoted(keyValue.value)}`,
    `"${prefix}Lease" : ${keyValue.lease}`,
    // Not etcd's: only where there is something to tell.
    ...(keyValue.ttl_ms === '0' ? [] : [`"${prefix}TtlMs" : ${keyValue.ttl_ms}`]),
    ...(keyValue.ttl_remaining_ms === '0'
      ? []
      : [`"${prefix}TtlRemainingMs" : ${keyValue.ttl_remaining_ms}`]),
  ];
}
