/**
 * Answers as bytes for standard output, in the forms of `docs/cli.md`: `simple` as etcdctl prints
 * them, `json`, `fields`, `table` for people, `plain` for scripts. Keys and values go out as the
 * bytes they are, except in tables and fields.
 */
import type { CallResult } from './connection.ts';
import { briefly } from './failure.ts';
import {
  deleteFields,
  headerFields,
  memberFields,
  putFields,
  quoted,
  rangeFields,
  statusFields,
  txnFields,
  watchFields,
} from './fields.ts';
import {
  deleteJson,
  encodeJson,
  flag,
  headerJson,
  type Json,
  list,
  membersJson,
  number,
  putJson,
  rangeJson,
  text,
  txnJson,
  watchJson,
} from './json.ts';
import type { Format } from './options.ts';
import type { AnswerOf, methods, RequestOf } from './requests.ts';
import { type Cell, printable, renderTable } from './table.ts';
import type { WatchAnswer } from './watch.ts';
import type { services } from '../../wire/index.ts';

type PutAnswer = AnswerOf<typeof methods.kv.Put>;
type RangeAnswer = AnswerOf<typeof methods.kv.Range>;
type DeleteAnswer = AnswerOf<typeof methods.kv.DeleteRange>;
type TxnAnswer = AnswerOf<typeof methods.kv.Txn>;
type TxnRequest = RequestOf<typeof methods.kv.Txn>;
type KeyValue = RangeAnswer['kvs'][number];
type StatusAnswer = AnswerOf<(typeof services)['etcdserverpb.Maintenance']['Status']>;
type MembersAnswer = AnswerOf<(typeof services)['etcdserverpb.Cluster']['MemberList']>;

/** How keys and values are to be printed. */
export interface Style {
  readonly format: Format;
  /** Bytes as `\x61`, in `simple`, `table` and `plain`. */
  readonly isHex?: boolean | undefined;
  /** Of a read: what it was asked for. */
  readonly shows?: 'keys and values' | 'keys' | 'values' | 'count' | undefined;
}

/** The output of a put. */
export function formatPut(answer: PutAnswer, style: Style): Uint8Array {
  const previous = answer.prev_kv === null ? [] : [answer.prev_kv];
  switch (style.format) {
    case 'json':
      return lines([encodeJson(putJson(answer))]);
    case 'fields':
      return lines(putFields(answer));
    case 'table': {
      const revision = tableOf(['REVISION'], [[BigInt(answer.header?.revision ?? 0)]]);
      return Buffer.concat([revision, ...previous.map((each) => keyValueTable([each], style))]);
    }
    case 'plain':
      return lines(previous.flatMap((each) => linesOf(each, style, 'values')));
    case 'simple':
      return lines(['OK', ...previous.flatMap((each) => linesOf(each, style))]);
  }
}

/** The output of a get. */
export function formatGet(answer: RangeAnswer, style: Style): Uint8Array {
  const { shows = 'keys and values' } = style;
  if (style.format === 'json') {
    return lines([encodeJson(rangeJson(answer))]);
  }
  if (style.format === 'fields') {
    return lines(rangeFields(answer));
  }
  if (shows === 'count') {
    return style.format === 'table'
      ? tableOf(['COUNT'], [[BigInt(answer.count)]])
      : lines([answer.count]);
  }
  if (style.format === 'table') {
    return keyValueTable(answer.kvs, style);
  }
  // Without values etcdctl prints empty ones; a script does not want them.
  const printed = style.format === 'plain' && shows !== 'keys' ? 'values' : shows;
  const isDense = style.format === 'plain' && shows === 'keys';
  return lines(
    answer.kvs.flatMap((each) =>
      isDense ? [shown(each.key, style)] : linesOf(each, style, printed),
    ),
  );
}

/** The output of an owner's key; in `plain` a line: key, fencing token, value if there is one. */
export function formatOwner(answer: RangeAnswer, format: Format): Uint8Array {
  if (format !== 'plain') {
    return formatGet(answer, { format });
  }
  const tab = Buffer.from('\t');
  return lines(
    answer.kvs.map(({ key, create_revision: token, value }) =>
      Buffer.concat([
        ...[key, tab, Buffer.from(token)],
        ...(value.length === 0 ? [] : [tab, value]),
      ]),
    ),
  );
}

/** The output of a del. */
export function formatDelete(answer: DeleteAnswer, style: Style): Uint8Array {
  switch (style.format) {
    case 'json':
      return lines([encodeJson(deleteJson(answer))]);
    case 'fields':
      return lines(deleteFields(answer));
    case 'table': {
      const table = tableOf(['DELETED'], [[BigInt(answer.deleted)]]);
      return answer.prev_kvs.length === 0
        ? table
        : Buffer.concat([table, keyValueTable(answer.prev_kvs, style)]);
    }
    case 'plain':
    case 'simple': {
      const shows = style.format === 'plain' ? 'values' : undefined;
      const before = answer.prev_kvs.flatMap((each) => linesOf(each, style, shows));
      return lines([answer.deleted, ...before]);
    }
  }
}

/** The output of a transaction; `request` tells how its reads are to be printed. */
export function formatTxn(answer: TxnAnswer, request: TxnRequest, style: Style): Uint8Array {
  if (style.format === 'json') {
    return lines([encodeJson(txnJson(answer))]);
  }
  if (style.format === 'fields') {
    return lines(txnFields(answer));
  }
  const operations = (answer.succeeded ? request.success : request.failure) ?? [];
  const parts = [lines([answer.succeeded ? 'SUCCESS' : 'FAILURE'])];
  for (const [i, response] of answer.responses.entries()) {
    const range = operations[i]?.request_range;
    const shows =
      range?.count_only === true ? 'count' : range?.keys_only === true ? 'keys' : undefined;
    if (style.format === 'simple') {
      parts.push(lines(['']));
    }
    if (response.response_range) {
      parts.push(formatGet(response.response_range, { ...style, shows }));
    } else if (response.response_put) {
      parts.push(formatPut(response.response_put, style));
    } else if (response.response_delete_range) {
      parts.push(formatDelete(response.response_delete_range, style));
    }
  }
  return Buffer.concat(parts);
}

/** The output of events of a watch; in `plain` a line each: type, revision, key, value. */
export function formatEvents(answer: WatchAnswer, style: Style): Uint8Array {
  switch (style.format) {
    case 'json':
      return lines([encodeJson(watchJson(answer))]);
    case 'fields':
      return lines(watchFields(answer));
    case 'plain':
      return lines(
        answer.events.flatMap(({ type, kv }) =>
          kv === null
            ? []
            : [
                Buffer.concat([
                  Buffer.from(`${type}\t${kv.mod_revision}\t`),
                  shown(kv.key, style),
                  Buffer.from('\t'),
                  shown(kv.value, style),
                ]),
              ],
        ),
      );
    case 'table':
    case 'simple':
      return lines(
        answer.events.flatMap(({ type, kv, prev_kv: previous }) => [
          type,
          ...(previous === null ? [] : linesOf(previous, style)),
          ...(kv === null ? [] : linesOf(kv, style)),
        ]),
      );
  }
}

/** The output of a compaction up to `revision`. */
export function formatCompact(
  answer: AnswerOf<typeof methods.kv.Compact>,
  revision: number,
  format: Format,
): Uint8Array {
  switch (format) {
    case 'json':
      return lines([encodeJson({ header: headerJson(answer.header) })]);
    case 'table':
      return tableOf(['COMPACTED REVISION'], [[revision]]);
    case 'fields':
      return lines(headerFields(answer.header));
    case 'plain':
      return lines([String(revision)]);
    case 'simple':
      return lines([`compacted revision ${revision}`]);
  }
}

/**
 * The output of status: a row for each endpoint; `simple` and `plain` leave out those that failed.
 */
export function formatStatus(
  rows: readonly CallResult<StatusAnswer>[],
  format: Format,
): Uint8Array {
  const answered = rows.flatMap((row) => (row.kind === 'ok' ? [row] : []));
  switch (format) {
    case 'json':
      return lines([encodeJson(answered.map((row) => statusJson(row.endpoint, row.answer)))]);
    case 'fields':
      return lines(answered.flatMap((row) => statusFields(row.endpoint, row.answer)));
    case 'table':
      return tableOf(
        [...statusTitles, 'REVISION', 'ERRORS'],
        rows.map((row) =>
          row.kind === 'ok'
            ? [
                ...statusCells(row.endpoint, row.answer),
                BigInt(row.answer.header?.revision ?? 0),
                row.answer.errors.join('; '),
              ]
            : [row.endpoint, '', '', '', '', '', '', '', '', '', briefly(row.failure)],
        ),
      );
    case 'simple':
      return lines(
        answered.map(({ endpoint, answer: status }) =>
          [...statusCells(endpoint, status), status.errors.join('; ')].join(', '),
        ),
      );
    case 'plain':
      return lines(
        answered.map(({ endpoint, answer: status }) => {
          const cells = statusCells(endpoint, status);
          return [...cells.with(3, status.dbSize), status.header?.revision ?? '0'].join('\t');
        }),
      );
  }
}

/** The output of health. */
export function formatHealth(rows: readonly CallResult<unknown>[], format: Format): Uint8Array {
  const errorOf = (row: CallResult<unknown>): string =>
    row.kind === 'ok' ? '' : briefly(row.failure);
  switch (format) {
    case 'json':
      return lines([
        encodeJson(
          rows.map((row) => ({
            endpoint: row.endpoint,
            health: row.kind === 'ok',
            took: took(row),
            error: text(errorOf(row)),
          })),
        ),
      ]);
    case 'fields':
      return lines(
        rows.flatMap((row) => [
          `"Endpoint" : ${quoted(row.endpoint)}`,
          `"Health" : ${row.kind === 'ok'}`,
          `"Took" : ${took(row)}`,
          `"Error" : ${errorOf(row)}`,
          '',
        ]),
      );
    case 'table':
      return tableOf(
        ['ENDPOINT', 'HEALTH', 'TOOK', 'ERROR'],
        rows.map((row) => [row.endpoint, row.kind === 'ok', took(row), errorOf(row)]),
      );
    case 'simple':
      return lines(
        rows.map((row) =>
          row.kind === 'ok'
            ? `${row.endpoint} is healthy: successfully committed proposal: took = ${took(row)}`
            : `${row.endpoint} is unhealthy: failed to commit proposal: ${errorOf(row)}`,
        ),
      );
    case 'plain':
      return lines(
        rows.map((row) => [row.endpoint, row.kind === 'ok', took(row), errorOf(row)].join('\t')),
      );
  }
}

/** The output of members. */
export function formatMembers(answer: MembersAnswer, format: Format): Uint8Array {
  if (format === 'json') {
    return lines([encodeJson(membersJson(answer))]);
  }
  if (format === 'fields') {
    return lines([...headerFields(answer.header), ...answer.members.flatMap(memberFields)]);
  }
  const rows = answer.members.map((each) => [
    hexId(each.ID),
    each.name === '' ? 'unstarted' : 'started',
    each.name,
    each.peerURLs.join(','),
    each.clientURLs.join(','),
    each.isLearner,
  ]);
  return format === 'table'
    ? tableOf(['ID', 'STATUS', 'NAME', 'PEER ADDRS', 'CLIENT ADDRS', 'IS LEARNER'], rows)
    : lines(rows.map((row) => row.join(format === 'plain' ? '\t' : ', ')));
}

const statusTitles = [
  'ENDPOINT',
  'ID',
  'VERSION',
  'DB SIZE',
  'IS LEADER',
  'IS LEARNER',
  'RAFT TERM',
  'RAFT INDEX',
  'RAFT APPLIED INDEX',
];

function statusCells(endpoint: string, status: StatusAnswer): Cell[] {
  const id = status.header?.member_id ?? '0';
  return [
    endpoint,
    hexId(id),
    status.version,
    describeSize(Number(status.dbSize)),
    status.leader === id,
    status.isLearner,
    BigInt(status.raftTerm),
    BigInt(status.raftIndex),
    BigInt(status.raftAppliedIndex),
  ];
}

function statusJson(endpoint: string, status: StatusAnswer): Json {
  return {
    Endpoint: endpoint,
    Status: {
      header: headerJson(status.header),
      version: text(status.version),
      dbSize: number(status.dbSize),
      leader: number(status.leader),
      raftIndex: number(status.raftIndex),
      raftTerm: number(status.raftTerm),
      raftAppliedIndex: number(status.raftAppliedIndex),
      errors: list(status.errors, (error) => error),
      dbSizeInUse: number(status.dbSizeInUse),
      isLearner: flag(status.isLearner),
      storageVersion: text(status.storageVersion),
      dbSizeQuota: number(status.dbSizeQuota),
      featureLevel: number(String(status.feature_level)),
      featureLevelMax: number(String(status.feature_level_max)),
    },
  };
}

/** A number of bytes as etcdctl tells it: `20 kB`, `1.5 MB`. */
export function describeSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  const isWhole = amount >= 9.95 || unit === 0;
  return `${amount.toFixed(isWhole ? 0 : 1)} ${units[unit] ?? ''}`;
}

function keyValueTable(kvs: readonly KeyValue[], style: Style): Uint8Array {
  const { shows = 'keys and values' } = style;
  const hasKey = shows !== 'values';
  const hasValue = shows !== 'keys';
  const titles = [
    ...(hasKey ? ['KEY'] : []),
    ...(hasValue ? ['VALUE'] : []),
    'VERSION',
    'CREATE REVISION',
    'MOD REVISION',
    'LEASE',
  ];
  const cell = (bytes: Buffer): string => (style.isHex === true ? hexOf(bytes) : printable(bytes));
  return tableOf(
    titles,
    kvs.map((each) => [
      ...(hasKey ? [cell(each.key)] : []),
      ...(hasValue ? [cell(each.value)] : []),
      BigInt(each.version),
      BigInt(each.create_revision),
      BigInt(each.mod_revision),
      each.lease === '0' ? '' : hexId(each.lease),
    ]),
  );
}

/** The lines of a key and its value. */
function linesOf(
  keyValue: KeyValue,
  style: Style,
  shows: Style['shows'] = 'keys and values',
): readonly Uint8Array[] {
  const value = shown(keyValue.value, style);
  return shows === 'values' ? [value] : [shown(keyValue.key, style), value];
}

function shown(bytes: Buffer, style: Style): Uint8Array {
  return style.isHex === true ? Buffer.from(hexOf(bytes)) : bytes;
}

function hexOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/../g, '\\x$&');
}

/** A 64-bit id of the wire as etcdctl prints it. */
export function hexId(id: string): string {
  return BigInt(id).toString(16);
}

/** A duration as Go prints it, to the microsecond. */
export function took({ tookMs }: CallResult<unknown>): string {
  return tookMs < 1000 ? `${tookMs.toFixed(3)}ms` : `${(tookMs / 1000).toFixed(3)}s`;
}

/** A table as bytes. */
export function tableOf(titles: readonly string[], rows: readonly (readonly Cell[])[]): Uint8Array {
  return lines(renderTable(titles, rows));
}

/** Lines as bytes, each with its end. */
export function lines(all: readonly (string | Uint8Array)[]): Uint8Array {
  const end = Buffer.from('\n');
  const parts: Uint8Array[] = [];
  for (const line of all) {
    parts.push(typeof line === 'string' ? Buffer.from(line) : line, end);
  }
  return Buffer.concat(parts);
}
