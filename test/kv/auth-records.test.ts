import { describe, expect, test } from 'vitest';
import { InvariantViolation } from '../../src/base/index.ts';
import {
  decodeRole,
  decodeSettings,
  decodeUser,
  encodeRole,
  encodeSettings,
  encodeUser,
  passwordHashBytesMax,
} from '../../src/kv/auth-records.ts';
import {
  accountNameBytesMax,
  type AuthChange,
  decodeCommand,
  encodeCommand,
} from '../../src/kv/index.ts';
import { put } from './commands.ts';
import { bytes } from './map-store.ts';

const changes: readonly AuthChange[] = [
  { type: 'enable', secret: bytes('0123456789') },
  { type: 'disable' },
  { type: 'userAdd', user: 'zo\u00c3\u00ab', passwordHash: bytes('hash') },
  { type: 'userAdd', user: '', passwordHash: bytes('') },
  { type: 'userDelete', user: 'ann' },
  { type: 'userChangePassword', user: 'ann', passwordHash: bytes('other') },
  { type: 'userGrantRole', user: 'ann', role: 'readers' },
  { type: 'userRevokeRole', user: 'ann', role: 'readers' },
  { type: 'roleAdd', role: 'readers' },
  { type: 'roleDelete', role: 'readers' },
  {
    type: 'roleGrantPermission',
    role: 'readers',
    permission: { access: 'readwrite', key: bytes('a'), rangeEnd: bytes('b') },
  },
  {
    type: 'roleGrantPermission',
    role: 'readers',
    permission: { access: 'read', key: bytes('a') },
  },
  { type: 'roleRevokePermission', role: 'readers', keys: { key: bytes('a') } },
  {
    type: 'roleRevokePermission',
    role: 'readers',
    keys: { key: bytes('a'), rangeEnd: bytes('\0') },
  },
];

describe('changes of users and roles in the log', () => {
  test.each(changes)('$type survives the round trip', (change) => {
    expect(decodeCommand(encodeCommand({ type: 'auth', change }))).toEqual({
      type: 'auth',
      change,
    });
  });

  test('their bytes are as documented', () => {
    const role: AuthChange = { type: 'userGrantRole', user: 'u', role: 'r' };

    expect([...encodeCommand({ type: 'auth', change: role })]).toEqual([1, 14, 5, 1, 117, 1, 114]);
    const caller = { user: 'u', credentials: 300 };
    expect([
      ...encodeCommand({ type: 'as', caller, command: { type: 'auth', change: role } }),
    ]).toEqual([1, 13, 1, 117, 172, 2, 1, 14, 5, 1, 117, 1, 114]);
  });

  test('a command on behalf of somebody survives the round trip, once around another', () => {
    const caller = { user: 'ann', credentials: 9 };
    const id = { type: 'key', key: bytes('k') } as const;
    const once = { type: 'once', id, fingerprint: -5n, command: put('a', '1') } as const;

    for (const command of [put('a', '1'), once, { type: 'compact', revision: 7 } as const]) {
      const encoded = encodeCommand({ type: 'as', caller, command });
      expect(decodeCommand(encoded)).toEqual({ type: 'as', caller, command });
    }
  });

  test('nobody asks for what members do by themselves', () => {
    const own = encodeCommand({ type: 'advanceTime', timeMs: 1, keepAnswersMs: 1 });

    expect(() => decodeCommand(Uint8Array.of(1, 13, 1, 117, 1, ...own))).toThrow(
      InvariantViolation,
    );
  });

  test('what is longer than it may be is not decoded', () => {
    const name = 'x'.repeat(accountNameBytesMax);
    const long = encodeCommand({ type: 'auth', change: { type: 'roleAdd', role: name } });

    expect(decodeCommand(long)).toMatchObject({ change: { role: name } });
    expect(() =>
      encodeCommand({ type: 'auth', change: { type: 'roleAdd', role: `${name}x` } }),
    ).toThrow(InvariantViolation);
    const passwordHash = new Uint8Array(passwordHashBytesMax + 1);
    const tooLong = encodeCommand({
      type: 'auth',
      change: { type: 'userAdd', user: 'u', passwordHash },
    });
    expect(() => decodeCommand(tooLong)).toThrow(InvariantViolation);
  });
});

describe('stored users and roles', () => {
  test('survive the round trip', () => {
    const settings = { isEnabled: true, revision: 77, secret: bytes('secret') };
    const user = { credentials: 5, passwordHash: bytes('hash'), roles: ['a', 'b'] };
    const role = [
      { access: 'read', key: bytes('a') },
      { access: 'write', key: bytes('b'), rangeEnd: bytes('c') },
    ] as const;

    expect(decodeSettings(encodeSettings(settings))).toEqual(settings);
    expect(decodeUser(encodeUser(user))).toEqual(user);
    expect(decodeRole(encodeRole(role))).toEqual(role);
  });

  test('of a later format stop the member', () => {
    const later = [encodeSettings({ isEnabled: false, revision: 1, secret: bytes('') })];
    for (const record of later) {
      record[0] = 2;
      expect(() => decodeSettings(record)).toThrow('has the unknown format 2');
      expect(() => decodeUser(record)).toThrow('has the unknown format 2');
      expect(() => decodeRole(record)).toThrow('has the unknown format 2');
    }
  });
});
