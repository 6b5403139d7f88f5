/** The output of what is done with members: additions, alarms, hashes, defragmentation. */
import type { CallResult } from './connection.ts';
import { briefly } from './failure.ts';
import { alarmFields, hashKvFields, headerFields, memberFields, quoted } from './fields.ts';
import {
  addedMemberJson,
  alarmsJson,
  encodeJson,
  hashKvJson,
  headerJson,
  membersJson,
  text,
} from './json.ts';
import type { Format } from './options.ts';
import { formatMembers, hexId, lines, tableOf, took } from './output.ts';
import type { AnswerOf, methods } from './requests.ts';

type AddAnswer =
  | AnswerOf<typeof methods.cluster.MemberAdd>
  | AnswerOf<typeof methods.admin.MemberReplace>;
type MembersAnswer = AnswerOf<typeof methods.cluster.MemberRemove>;
type AlarmAnswer = AnswerOf<typeof methods.maintenance.Alarm>;
type HashKvAnswer = AnswerOf<typeof methods.maintenance.HashKV>;
type MoveLeaderAnswer = AnswerOf<typeof methods.maintenance.MoveLeader>;

/** What the person has asked to add. */
export interface AskedMember {
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** The member that it replaces, in decimal. */
  readonly replaced?: string | undefined;
}

/**
 * The output of an addition or replacement; `simple` ends with the environment that the new member
 * may be started in.
 */
export function formatAdded(answer: AddAnswer, asked: AskedMember, format: Format): Uint8Array {
  const id = hexId(answer.member?.ID ?? '0');
  switch (format) {
    case 'json':
      return lines([encodeJson(addedMemberJson(answer))]);
    case 'fields':
      return lines([
        ...headerFields(answer.header),
        ...(answer.member === null ? [] : memberFields(answer.member)),
      ]);
    case 'table':
      return formatMembers(answer, format);
    case 'plain':
      return lines([id]);
    case 'simple': {
      const { replaced } = asked;
      const clusterId = hexId(answer.header?.cluster_id ?? '0');
      const done =
        replaced === undefined
          ? `Member ${id} added to cluster ${clusterId}`
          : `Member ${hexId(replaced)} replaced by ${id} in cluster ${clusterId}`;
      return lines([done, '', ...environmentOf(answer, asked)]);
    }
  }
}

/** The output of another change of one member; `done` is the verb, as in "removed from". */
export function formatChanged(
  answer: MembersAnswer,
  id: string,
  done: string,
  format: Format,
): Uint8Array {
  switch (format) {
    case 'json':
      return lines([encodeJson(membersJson(answer))]);
    case 'fields':
    case 'table':
      return formatMembers(answer, format);
    case 'plain':
      return lines([hexId(id)]);
    case 'simple':
      return lines([
        `Member ${hexId(id)} ${done} cluster ${hexId(answer.header?.cluster_id ?? '0')}`,
      ]);
  }
}

/** The output of a list of alarms, or of those that were lifted. */
export function formatAlarms(answer: AlarmAnswer, format: Format): Uint8Array {
  switch (format) {
    case 'json':
      return lines([encodeJson(alarmsJson(answer))]);
    case 'fields':
      return lines(alarmFields(answer));
    case 'table':
      return tableOf(
        ['MEMBER ID', 'ALARM'],
        answer.alarms.map(({ memberID, alarm }) => [hexId(memberID), alarm]),
      );
    case 'plain':
      return lines(answer.alarms.map(({ memberID, alarm }) => `${hexId(memberID)}\t${alarm}`));
    case 'simple':
      return lines(
        answer.alarms.map(({ memberID, alarm }) => `memberID:${memberID} alarm:${alarm} `),
      );
  }
}

/** The output of hashkv; endpoints that failed are left out. */
export function formatHashKv(
  results: readonly CallResult<HashKvAnswer>[],
  format: Format,
): Uint8Array {
  const answered = results.flatMap((row) => (row.kind === 'ok' ? [row] : []));
  switch (format) {
    case 'json':
      return lines([
        encodeJson(
          answered.map(({ endpoint, answer }) => ({
            Endpoint: endpoint,
            HashKV: hashKvJson(answer),
          })),
        ),
      ]);
    case 'fields':
      return lines(answered.flatMap(({ endpoint, answer }) => hashKvFields(endpoint, answer)));
    case 'table':
      return tableOf(
        ['ENDPOINT', 'HASH', 'HASH REVISION'],
        answered.map(({ endpoint, answer }) => [
          endpoint,
          answer.hash,
          BigInt(answer.hash_revision),
        ]),
      );
    case 'plain':
      return lines(
        answered.map(({ endpoint, answer }) =>
          [endpoint, answer.hash, answer.hash_revision].join('\t'),
        ),
      );
    case 'simple':
      return lines(answered.map(({ endpoint, answer }) => `${endpoint}, ${answer.hash}`));
  }
}

/** The output of a defragmentation; endpoints that failed are in `json`, `table` and `fields`. */
export function formatDefrag(results: readonly CallResult<unknown>[], format: Format): Uint8Array {
  const rows = results.map((row) => ({
    endpoint: row.endpoint,
    isDone: row.kind === 'ok',
    took: took(row),
    error: row.kind === 'ok' ? '' : briefly(row.failure),
  }));
  const done = rows.filter((row) => row.isDone);
  switch (format) {
    case 'json':
      return lines([
        encodeJson(
          rows.map((row) => ({
            endpoint: row.endpoint,
            done: row.isDone,
            took: row.took,
            error: text(row.error),
          })),
        ),
      ]);
    case 'fields':
      return lines(
        rows.flatMap((row) => [
          `"Endpoint" : ${quoted(row.endpoint)}`,
          `"Done" : ${row.isDone}`,
          `"Took" : ${row.took}`,
          `"Error" : ${row.error}`,
          '',
        ]),
      );
    case 'table':
      return tableOf(
        ['ENDPOINT', 'DONE', 'TOOK', 'ERROR'],
        rows.map((row) => [row.endpoint, row.isDone, row.took, row.error]),
      );
    case 'plain':
      return lines(done.map((row) => row.endpoint));
    case 'simple':
      return lines(done.map((row) => `Finished defragmenting etcd member[${row.endpoint}]`));
  }
}

/** The output of a transfer of leadership, ids in decimal. */
export function formatMoveLeader(
  answer: MoveLeaderAnswer,
  { from, to }: { readonly from: string; readonly to: string },
  format: Format,
): Uint8Array {
  switch (format) {
    case 'json':
      return lines([encodeJson({ header: headerJson(answer.header) })]);
    case 'fields':
      return lines(headerFields(answer.header));
    case 'table':
      return tableOf(['FROM', 'TO'], [[hexId(from), hexId(to)]]);
    case 'plain':
      return lines([hexId(to)]);
    case 'simple':
      return lines([`Leadership transferred from ${hexId(from)} to ${hexId(to)}`]);
  }
}

/** Settings of the new member, as etcd's environment has them and as Holdfast's. */
function environmentOf(answer: AddAnswer, { name, peerUrls }: AskedMember): readonly string[] {
  const initialCluster = answer.members.flatMap((member) => {
    const memberName = member.ID === answer.member?.ID ? name : member.name;
    return member.peerURLs.map((url) => `${memberName}=${url}`);
  });
  const settings = [
    ['NAME', name],
    ['INITIAL_CLUSTER', initialCluster.join(',')],
    ['INITIAL_ADVERTISE_PEER_URLS', peerUrls.join(',')],
    ['INITIAL_CLUSTER_STATE', 'existing'],
  ] as const;
  return ['ETCD', 'HOLDFAST'].flatMap((prefix) =>
    settings.map(([setting, value]) => `${prefix}_${setting}=${quoted(value)}`),
  );
}
