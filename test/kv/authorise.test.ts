import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import {
  type AskedCommand,
  type Caller,
  type Command,
  type CommandResult,
  fingerprintOf,
  type OnceOperation,
  type Permission,
  verifyState,
} from '../../src/kv/index.ts';
import { accountNames, AuthModel, randomChange, randomOperation } from './auth-model.ts';
import { del, put, range, txn } from './commands.ts';
import { bytes, Machine } from './map-store.ts';

/** A machine on which everybody is asked, and ann has some permissions. */
function guarded(...permissions: readonly Permission[]): Machine {
  const machine = new Machine();
  const user = (name: string): Command => ({
    type: 'auth',
    change: { type: 'userAdd', user: name, passwordHash: bytes('h') },
  });
  machine.run(
    put('k', '1'),
    ...['root', 'ann', 'bob'].map(user),
    { type: 'auth', change: { type: 'userGrantRole', user: 'root', role: 'root' } },
    { type: 'auth', change: { type: 'roleAdd', role: 'r' } },
    ...permissions.map(
      (permission): Command => ({
        type: 'auth',
        change: { type: 'roleGrantPermission', role: 'r', permission },
      }),
    ),
    { type: 'auth', change: { type: 'userGrantRole', user: 'ann', role: 'r' } },
    { type: 'auth', change: { type: 'userGrantRole', user: 'bob', role: 'r' } },
    { type: 'auth', change: { type: 'enable', secret: bytes('s') } },
  );
  return machine;
}

function callerOf({ machine }: Machine, user: string): Caller {
  return { user, credentials: machine.auth.user(user)?.credentials ?? 0 };
}

function as(machine: Machine, user: string, command: AskedCommand): Command {
  return { type: 'as', caller: callerOf(machine, user), command };
}

function codeOf(result: CommandResult | undefined): string {
  return result?.kind === 'refused' ? result.code : 'ok';
}

/** What becomes of a command of a user. */
function tried(machine: Machine, user: string, command: AskedCommand): string {
  return codeOf(machine.run(as(machine, user, command))[0]);
}

const mayWrite = (key: string, rangeEnd?: string): Permission => ({
  access: 'write',
  key: bytes(key),
  rangeEnd: rangeEnd === undefined ? undefined : bytes(rangeEnd),
});
const mayRead = (key: string): Permission => ({ access: 'read', key: bytes(key) });

describe('a command on behalf of somebody', () => {
  test('is carried out just when a naive model permits it, for random users and operations', () => {
    const prng = createPrng(3);
    const machine = new Machine();
    const model = new AuthModel();
    const outcomes = new Map<string, number>();
    for (let run = 0; run < 6000; run++) {
      if (prng.nextInt(0, 3) > 0) {
        const change = randomChange(prng);
        if (change.type !== 'disable') {
          const command = { type: 'auth', change } as const;
          machine.run(model.isEnabled ? as(machine, 'root', command) : command);
          model.change(change);
        }
        continue;
      }
      const operation = randomOperation(prng);
      if (operation.type === 'range' || !model.isEnabled) {
        continue;
      }
      const user = accountNames[prng.nextInt(0, accountNames.length)] ?? '';
      const caller = model.callerOf(user);
      const before = machine.machine.revision;
      const [result] = machine.run({ type: 'as', caller, command: operation });
      const isKnown = model.users.has(user);
      const refusal = isKnown ? 'PERMISSION_DENIED' : 'INVALID_AUTH_TOKEN';
      const expected = isKnown && model.may(caller, operation) ? 'ok' : refusal;
      outcomes.set(expected, (outcomes.get(expected) ?? 0) + 1);

      expect(codeOf(result)).toBe(expected);
      if (expected !== 'ok') {
        expect(machine.machine.revision).toBe(before);
      }
    }
    machine.settle();
    verifyState(machine.store.records());
    expect(outcomes.size).toBe(3);
    expect(Math.min(...outcomes.values())).toBeGreaterThan(100);
  });

  test('is judged where it is applied: a revocation before it in the log counts', () => {
    const machine = guarded(mayWrite('k'));
    const write = as(machine, 'ann', put('k', '2'));
    const revoke = as(machine, 'root', {
      type: 'auth',
      change: { type: 'userRevokeRole', user: 'ann', role: 'r' },
    });

    expect(machine.run(write, revoke, write).map(codeOf)).toEqual([
      ...['ok', 'ok', 'PERMISSION_DENIED'],
    ]);
  });

  test('of a user who has another password by now, or is another one, is nobody’s', () => {
    const machine = guarded(mayWrite('k'));
    const write = as(machine, 'ann', put('k', '2'));
    const passwordHash = bytes('new');

    expect(machine.run(write).map(codeOf)).toEqual(['ok']);
    tried(machine, 'root', {
      type: 'auth',
      change: { type: 'userChangePassword', user: 'ann', passwordHash },
    });
    expect(machine.run(write).map(codeOf)).toEqual(['INVALID_AUTH_TOKEN']);
    const again = as(machine, 'ann', put('k', '2'));
    for (const change of [
      { type: 'userDelete', user: 'ann' },
      { type: 'userAdd', user: 'ann', passwordHash },
      { type: 'userGrantRole', user: 'ann', role: 'r' },
    ] as const) {
      tried(machine, 'root', { type: 'auth', change });
    }
    expect(machine.run(again).map(codeOf)).toEqual(['INVALID_AUTH_TOKEN']);
    expect(tried(machine, 'ann', put('k', '2'))).toBe('ok');
  });

  test('needs leave to read for what its answer tells', () => {
    const machine = guarded(mayWrite('k'), mayWrite('b', 'c'), mayRead('b'));

    expect(tried(machine, 'ann', put('k', '2'))).toBe('ok');
    expect(tried(machine, 'ann', put('k', '2', { prevKv: true }))).toBe('PERMISSION_DENIED');
    expect(tried(machine, 'ann', del('k'))).toBe('ok');
    expect(tried(machine, 'ann', del('k', undefined, true))).toBe('PERMISSION_DENIED');
    expect(tried(machine, 'ann', del('b', undefined, true))).toBe('ok');
    expect(tried(machine, 'ann', del('b', 'bb', true))).toBe('PERMISSION_DENIED');
    const nested = txn([], [txn([], [txn([], [range('k')])])]);
    expect(tried(machine, 'ann', nested)).toBe('PERMISSION_DENIED');
    expect(tried(machine, 'ann', txn([], [txn([], [txn([], [put('k', '3')])])]))).toBe('ok');
    // The branch that is not taken counts too.
    expect(tried(machine, 'ann', txn([], [put('k', '3')], [put('secret', '3')]))).toBe(
      'PERMISSION_DENIED',
    );
  });

  test('puts a key under a lease, or ends one, only with leave for all keys of the lease', () => {
    const machine = guarded(mayWrite('k'), mayWrite('l'));
    machine.run(
      as(machine, 'root', { type: 'leaseGrant', id: 1n, ttlMs: 60_000 }),
      as(machine, 'ann', { type: 'leaseGrant', id: 2n, ttlMs: 60_000 }),
      as(machine, 'root', put('secret', '1', { lease: 1n })),
      as(machine, 'ann', put('k', '1', { lease: 2n })),
    );

    expect(tried(machine, 'ann', put('l', '1', { lease: 1n }))).toBe('PERMISSION_DENIED');
    expect(tried(machine, 'ann', txn([], [txn([], [put('l', '1', { lease: 1n })])]))).toBe(
      'PERMISSION_DENIED',
    );
    expect(tried(machine, 'ann', { type: 'leaseRevoke', id: 1n })).toBe('PERMISSION_DENIED');
    expect(tried(machine, 'ann', put('l', '1', { lease: 2n }))).toBe('ok');
    expect(tried(machine, 'ann', { type: 'leaseRevoke', id: 2n })).toBe('ok');
    expect(tried(machine, 'ann', { type: 'leaseRevoke', id: 9n })).toBe('LEASE_NOT_FOUND');
    expect(tried(machine, 'root', { type: 'leaseRevoke', id: 1n })).toBe('ok');
  });

  test('puts many keys under a lease and reads those before them once', () => {
    const machine = guarded(mayWrite('k', 'l'), mayWrite('s'));
    machine.run(as(machine, 'ann', { type: 'leaseGrant', id: 1n, ttlMs: 60_000 }));
    const attach = (user: string, key: string): string => {
      const outcome = tried(machine, user, put(key, '1', { lease: 1n }));
      machine.settle();
      return outcome;
    };
    const scans = (): number => machine.store.needs.filter(({ type }) => type === 'scan').length;
    attach('ann', 'k1');
    const before = scans();
    for (let i = 2; i < 50; i++) {
      expect(attach('ann', `k${i}`)).toBe('ok');
    }
    expect(scans()).toBe(before);

    // Another one's key, a permission less: each is noticed at once.
    expect(attach('root', 'other')).toBe('ok');
    expect(attach('ann', 'k50')).toBe('PERMISSION_DENIED');
    expect(tried(machine, 'root', del('other'))).toBe('ok');
    machine.settle();
    expect(attach('ann', 'k50')).toBe('ok');
    expect(attach('ann', 's')).toBe('ok');
    expect(attach('ann', 'k51')).toBe('ok');
    tried(machine, 'root', {
      type: 'auth',
      change: { type: 'roleRevokePermission', role: 'r', keys: { key: bytes('s') } },
    });
    machine.settle();
    expect(attach('ann', 'k52')).toBe('PERMISSION_DENIED');
    machine.settle();
    verifyState(machine.store.records());
  });

  test('compacts, raises alarms and changes users only as root', () => {
    const machine = guarded(mayWrite('k'));
    const commands: readonly AskedCommand[] = [
      { type: 'compact', revision: 1 },
      { type: 'alarm', action: 'activate', alarm: 'nospace', memberId: 1 },
      { type: 'auth', change: { type: 'roleAdd', role: 'x' } },
      { type: 'auth', change: { type: 'userGrantRole', user: 'ann', role: 'root' } },
      { type: 'auth', change: { type: 'disable' } },
    ];
    for (const command of commands) {
      expect(tried(machine, 'ann', command)).toBe('PERMISSION_DENIED');
    }
    for (const command of commands) {
      expect(tried(machine, 'root', command)).toBe('ok');
    }
  });
});

describe('a command on behalf of nobody', () => {
  test('is refused once everybody is asked, unless members do it by themselves', () => {
    const machine = guarded(mayWrite('k'));
    const once = (command: OnceOperation): Command => {
      const id = { type: 'key', key: bytes('n') } as const;
      return { type: 'once', id, fingerprint: fingerprintOf(command), command };
    };
    const refused: readonly Command[] = [
      put('k', '2'),
      del('k'),
      txn([], []),
      once(put('k', '2')),
      { type: 'leaseGrant', id: 1n, ttlMs: 1000 },
      { type: 'leaseRevoke', id: 1n },
      { type: 'auth', change: { type: 'disable' } },
    ];
    const own: readonly Command[] = [
      { type: 'advanceTime', timeMs: 5, keepAnswersMs: 1000 },
      { type: 'setRecord', name: 'n', value: bytes('v') },
      { type: 'alarm', action: 'activate', alarm: 'nospace', memberId: 1 },
      { type: 'leaseKeepAlive', ids: [1n] },
      { type: 'compact', revision: 1 },
    ];

    expect(machine.run(...refused).map(codeOf)).toEqual(refused.map(() => 'USER_EMPTY'));
    expect(machine.run(...own).map(codeOf)).toEqual(own.map(() => 'ok'));
  });

  test('goes on ending leases and keys whose time is up', () => {
    const machine = guarded(mayWrite('k'));
    const time = (timeMs: number): Command => ({
      type: 'advanceTime',
      ...{ timeMs, keepAnswersMs: 1000 },
    });
    machine.run(
      as(machine, 'root', { type: 'leaseGrant', id: 1n, ttlMs: 10 }),
      as(machine, 'root', put('secret', '1', { lease: 1n })),
      time(1),
      time(2),
      time(50),
    );

    expect(machine.read(range('secret'))).toMatchObject({ result: { kvs: [] } });
  });

  test('has the cluster tell the time, since tokens end by it', () => {
    expect(new Machine().machine.time.isNeeded).toBe(false);
    expect(guarded().machine.time.isNeeded).toBe(true);
  });
});

describe('a request at most once', () => {
  function keyed(command: OnceOperation): AskedCommand {
    const id = { type: 'key', key: bytes('n') } as const;
    return { type: 'once', id, fingerprint: fingerprintOf(command), command };
  }

  test('gives its answer to the user who asked, and to nobody else', () => {
    const machine = guarded({ access: 'readwrite', key: bytes('k') });
    const request = keyed(put('k', '2', { prevKv: true }));

    const [answer] = machine.run(as(machine, 'ann', request));
    expect(answer).toMatchObject({ kind: 'ok', result: { prevKv: { value: bytes('1') } } });
    expect(machine.run(as(machine, 'ann', request))).toMatchObject([{ isRepeated: true }]);
    expect(tried(machine, 'bob', request)).toBe('REQUEST_MISMATCH');
    expect(tried(machine, 'root', request)).toBe('REQUEST_MISMATCH');
  });

  test('has a name that is taken for all users: another one’s request under it is refused', () => {
    const machine = guarded({ access: 'readwrite', key: bytes('k') });
    tried(machine, 'ann', keyed(put('k', 'of ann')));

    expect(tried(machine, 'bob', keyed(put('k', 'of bob')))).toBe('REQUEST_MISMATCH');
    expect(machine.read(range('k'))).toMatchObject({
      result: { kvs: [{ value: bytes('of ann'), version: 2 }] },
    });
    const [again] = machine.run(as(machine, 'ann', keyed(put('k', 'of ann'))));
    expect(again).toMatchObject({ kind: 'ok', isRepeated: true });
  });

  test('that is denied is not kept: it is carried out once it may be', () => {
    const machine = guarded();
    const request = keyed(put('k', '2'));
    const permission = mayWrite('k');

    expect(tried(machine, 'ann', request)).toBe('PERMISSION_DENIED');
    tried(machine, 'root', {
      type: 'auth',
      change: { type: 'roleGrantPermission', role: 'r', permission },
    });
    expect(tried(machine, 'ann', request)).toBe('ok');
  });

  test('gives no answer to a user who may not ask for it any more', () => {
    const machine = guarded(mayWrite('k'));
    const request = keyed(put('k', '2'));
    tried(machine, 'ann', request);

    tried(machine, 'root', {
      type: 'auth',
      change: { type: 'userRevokeRole', user: 'ann', role: 'r' },
    });

    expect(tried(machine, 'ann', request)).toBe('PERMISSION_DENIED');
  });

  test('that was answered before anybody was asked is answered to who may ask for it', () => {
    const machine = new Machine();
    const request = keyed(put('k', '1'));
    machine.run(request);
    const answered = guardedOver(machine);

    expect(answered.run(as(answered, 'root', request))).toMatchObject([{ isRepeated: true }]);
  });

  function guardedOver(machine: Machine): Machine {
    machine.run(
      {
        type: 'auth',
        change: { type: 'userAdd', user: 'root', passwordHash: bytes('h') },
      },
      { type: 'auth', change: { type: 'userGrantRole', user: 'root', role: 'root' } },
      { type: 'auth', change: { type: 'enable', secret: bytes('s') } },
    );
    return machine;
  }
});
