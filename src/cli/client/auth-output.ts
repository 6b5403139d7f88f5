/** The output of what is done with users and roles; `simple` is etcdctl's. */
import { headerFields, quoted } from './fields.ts';
import { encodeJson, flag, headerJson, type Json, list, number, text } from './json.ts';
import type { Format } from './options.ts';
import { lines, tableOf } from './output.ts';
import type { AnswerOf, methods } from './requests.ts';
import { printable } from './table.ts';

type StatusAnswer = AnswerOf<typeof methods.auth.AuthStatus>;
type Header = StatusAnswer['header'];
type RoleAnswer = AnswerOf<typeof methods.auth.RoleGet>;
type Permission = RoleAnswer['perm'][number];

/** An answer that says no more than that something is done. */
interface DoneAnswer {
  readonly header: Header;
}

/** The output of a change; `done` says it in words. */
export function formatDone({ header }: DoneAnswer, done: string, format: Format): Uint8Array {
  switch (format) {
    case 'json':
      return lines([encodeJson({ header: headerJson(header) })]);
    case 'fields':
      return lines(headerFields(header));
    case 'plain':
      return lines([]);
    case 'table':
    case 'simple':
      return lines([done]);
  }
}

/** The output of a list of names: of users, or of roles. */
export function formatNames(
  { header }: DoneAnswer,
  kind: 'users' | 'roles',
  names: readonly string[],
  format: Format,
): Uint8Array {
  switch (format) {
    case 'json':
      return lines([
        encodeJson({ header: headerJson(header), [kind]: list(names, (name) => name) }),
      ]);
    case 'fields':
      return lines([
        ...headerFields(header),
        ...names.map((name) => `"${kind === 'users' ? 'User' : 'Role'}" : ${quoted(name)}`),
      ]);
    case 'table':
      return tableOf(
        [kind === 'users' ? 'USER' : 'ROLE'],
        names.map((name) => [name]),
      );
    case 'plain':
    case 'simple':
      return lines(names);
  }
}

/** The output of one user. */
export function formatUser(
  answer: AnswerOf<typeof methods.auth.UserGet>,
  name: string,
  format: Format,
): Uint8Array {
  return format === 'simple'
    ? lines([`User: ${name}`, `Roles: ${answer.roles.join(' ')}`])
    : formatNames(answer, 'roles', answer.roles, format);
}

/** The output of one role. */
export function formatRole(answer: RoleAnswer, name: string, format: Format): Uint8Array {
  const { header, perm } = answer;
  const rows = perm.map((each) => [each.permType, rangeText(each)] as const);
  switch (format) {
    case 'json':
      return lines([encodeJson({ header: headerJson(header), perm: list(perm, permissionJson) })]);
    case 'fields':
      return lines([
        ...headerFields(header),
        ...rows.map(([type, range]) => `"${type}" : ${quoted(range)}`),
      ]);
    case 'table':
      return tableOf(['PERMISSION', 'KEYS'], rows);
    case 'plain':
      return lines(rows.map((row) => row.join('\t')));
    case 'simple':
      return lines([
        `Role ${name}`,
        'KV Read:',
        ...rows.flatMap(([type, range]) => (type === 'WRITE' ? [] : [`\t${range}`])),
        'KV Write:',
        ...rows.flatMap(([type, range]) => (type === 'READ' ? [] : [`\t${range}`])),
      ]);
  }
}

/** The output of whether authentication is on. */
export function formatAuthStatus(answer: StatusAnswer, format: Format): Uint8Array {
  const { header, enabled, authRevision } = answer;
  switch (format) {
    case 'json':
      return lines([
        encodeJson({
          header: headerJson(header),
          enabled: flag(enabled),
          authRevision: number(authRevision),
        }),
      ]);
    case 'fields':
      return lines([
        ...headerFields(header),
        `"Enabled" : ${enabled}`,
        `"AuthRevision" : ${authRevision}`,
      ]);
    case 'table':
      return tableOf(['ENABLED', 'AUTH REVISION'], [[String(enabled), BigInt(authRevision)]]);
    case 'plain':
      return lines([String(enabled)]);
    case 'simple':
      return lines([`Authentication Status: ${enabled}`, `AuthRevision: ${authRevision}`]);
  }
}

function permissionJson({ permType, key, range_end: end }: Permission): Json {
  const type = { READ: undefined, WRITE: 1n, READWRITE: 2n }[permType];
  return {
    permType: type,
    key: text(key.toString('base64')),
    range_end: text(end.toString('base64')),
  };
}

/** What a permission is for: a key, or from a key up to another one, or to the end. */
function rangeText({ key, range_end: end }: Permission): string {
  const from = printable(key);
  if (end.length === 0) {
    return from;
  }
  return end.length === 1 && end[0] === 0
    ? `[${from}, <open ended>`
    : `[${from}, ${printable(end)})`;
}
