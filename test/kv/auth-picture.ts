/**
 * Everything that is known of users and roles, as text: of a member's table, and of the naive
 * model. Equal tables give equal texts, whatever was done to them in which order.
 */
import type { AuthTable, Permission } from '../../src/kv/index.ts';
import type { AuthModel } from './auth-model.ts';
import { text } from './map-store.ts';

/** Of a table. */
export function pictureOf(auth: AuthTable): readonly string[] {
  return [
    `${auth.isEnabled ? 'on' : 'off'} ${auth.revision} ${text(auth.secret)}`,
    ...auth.users.map((name) => {
      const { roles = [], credentials = 0, passwordHash } = auth.user(name) ?? {};
      const hash = passwordHash === undefined ? '' : text(passwordHash);
      return `${name} ${hash} since ${credentials}: ${roles.join(' ')}`;
    }),
    ...auth.roles.map((name) => `${name}: ${auth.role(name)?.map(describePermission).join(', ')}`),
  ];
}

/** Of the model. */
export function pictureOfModel(model: AuthModel): readonly string[] {
  return [
    `${model.isEnabled ? 'on' : 'off'} ${model.revision} ${model.secret}`,
    ...byName(model.users).map(
      ([name, { roles, credentials, passwordHash }]) =>
        `${name} ${passwordHash} since ${credentials}: ${[...roles].sort().join(' ')}`,
    ),
    ...byName(model.roles).map(
      ([name, permissions]) =>
        `${name}: ${permissions.toSorted(byKeys).map(describePermission).join(', ')}`,
    ),
  ];
}

function describePermission({ access, key, rangeEnd }: Permission): string {
  return `${access} ${text(key)}${rangeEnd === undefined ? '' : ` to ${text(rangeEnd)}`}`;
}

function byName<T>(entries: ReadonlyMap<string, T>): readonly [string, T][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

function byKeys(a: Permission, b: Permission): number {
  const textOf = ({ key, rangeEnd }: Permission): string =>
    `${text(key)} ${rangeEnd === undefined ? '' : text(rangeEnd)}`;
  return textOf(a) < textOf(b) ? -1 : 1;
}
