import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AskedCommand,
  type AuthChange,
  type Command,
  type CommandResult,
  fingerprintOf,
  type OnceCommand,
  type OnceOperation,
  verifyState,
} from '../../src/kv/index.ts';
import { leaseKey } from '../../src/kv/key-layout.ts';
import { leasesOf } from '../../src/kv/session-owners.ts';
import { put, range, txn } from './commands.ts';
import { bytes, Machine } from './map-store.ts';

let machine: Machine;

const lease = 7n;
const grant = (id = lease): OnceOperation => ({ type: 'leaseGrant', id, ttlMs: 60_000 });
const revoke: AskedCommand = { type: 'leaseRevoke', id: lease };
const auth = (change: AuthChange): AskedCommand => ({ type: 'auth', change });
const enable = auth({ type: 'enable', secret: bytes('s') });
const disable = auth({ type: 'disable' });
const userAdd = (user: string): AskedCommand =>
  auth({ type: 'userAdd', user, passwordHash: bytes('h') });

function numbered(sequence: number, command: OnceOperation = put(`s${sequence}`, '')): OnceCommand {
  const id = { type: 'session', session: lease, sequence, lowestUnanswered: 1 } as const;
  return { type: 'once', id, fingerprint: fingerprintOf(command), command };
}

/** Has a command carried out on behalf of a user; of nobody when the name is empty. */
function run(user: string, command: AskedCommand): CommandResult | undefined {
  const credentials = machine.machine.auth.user(user)?.credentials ?? 0;
  const asked: Command =
    user === '' ? command : { type: 'as', caller: { user, credentials }, command };
  const [result] = machine.run(asked);
  machine.settle();
  verifyState(machine.store.records());
  return result;
}

/** What becomes of a command. */
function tried(user: string, command: AskedCommand): string {
  const result = run(user, command);
  return result?.kind === 'refused' ? result.code : 'ok';
}

/** Two users who may write everything, and root; nobody is asked yet. */
function setUp(level: number): void {
  machine = new Machine();
  const everything = { access: 'readwrite', key: bytes('a'), rangeEnd: bytes('z') } as const;
  machine.run(
    { type: 'raiseLevel', level },
    ...['root', 'ann', 'bob'].map(userAdd),
    auth({ type: 'userGrantRole', user: 'root', role: 'root' }),
    auth({ type: 'roleAdd', role: 'r' }),
    auth({ type: 'roleGrantPermission', role: 'r', permission: everything }),
    auth({ type: 'userGrantRole', user: 'ann', role: 'r' }),
    auth({ type: 'userGrantRole', user: 'bob', role: 'r' }),
  );
  machine.settle();
}

function restart(): void {
  machine = new Machine({ store: machine.store });
}

/** Format of the lease's record. */
function recordFormat(): number | undefined {
  return machine.store.get(leaseKey(lease))?.[0];
}

beforeEach(() => {
  setUp(3);
});

describe('a session', () => {
  test('is used by the user alone who has opened it, and by nobody else, root included', () => {
    tried('', enable);
    expect(tried('ann', grant())).toBe('ok');
    expect(tried('ann', numbered(1))).toBe('ok');

    for (const other of ['bob', 'root']) {
      expect(tried(other, numbered(1))).toBe('SESSION_OF_ANOTHER');
      expect(tried(other, numbered(2))).toBe('SESSION_OF_ANOTHER');
      expect(tried(other, put('k', '1', { lease }))).toBe('SESSION_OF_ANOTHER');
      const nested = txn([], [], [txn([], [put('k', '1', { lease })])]);
      expect(tried(other, nested)).toBe('SESSION_OF_ANOTHER');
    }

    expect(machine.read(range('k'))).toMatchObject({ result: { kvs: [] } });
    expect(tried('ann', numbered(2))).toBe('ok');
    expect(tried('ann', put('k', '1', { lease }))).toBe('ok');
  });

  test('loses no answer and no number to a stranger who says which have arrived', () => {
    tried('', enable);
    tried('ann', grant());
    tried('ann', numbered(1));
    const id = { type: 'session', session: lease, sequence: 9, lowestUnanswered: 9 } as const;
    const stranger = { ...numbered(9), id };

    expect(tried('bob', stranger)).toBe('SESSION_OF_ANOTHER');
    expect(run('ann', numbered(1))).toMatchObject({ kind: 'ok', isRepeated: true });
  });

  test('is its owner’s from the grant of its lease on, before its first request', () => {
    tried('', enable);
    tried('ann', grant());

    expect(tried('bob', numbered(1))).toBe('SESSION_OF_ANOTHER');
    expect(tried('ann', numbered(1))).toBe('ok');
  });

  test('is ended by its owner, and by root', () => {
    tried('', enable);
    for (const user of ['ann', 'root']) {
      tried('ann', grant());
      tried('ann', numbered(1));
      expect(tried('bob', revoke)).toBe('SESSION_OF_ANOTHER');
      expect(tried(user, revoke)).toBe('ok');
      expect(tried('ann', numbered(2))).toBe('SESSION_EXPIRED');
    }
  });

  test('begins anew with the next grant of its lease, by whomever', () => {
    tried('', enable);
    tried('ann', grant());
    tried('ann', numbered(1));
    tried('ann', revoke);

    expect(tried('bob', grant())).toBe('ok');
    expect(tried('ann', numbered(1))).toBe('SESSION_OF_ANOTHER');
    expect(tried('bob', numbered(1))).toBe('ok');
  });

  test('may have been granted within another one', () => {
    tried('', enable);
    tried('ann', grant(8n));
    const within = { type: 'session', session: 8n, sequence: 1, lowestUnanswered: 1 } as const;
    const command = { ...numbered(1, grant()), id: within };
    expect(tried('ann', command)).toBe('ok');

    expect(tried('bob', numbered(1))).toBe('SESSION_OF_ANOTHER');
  });

  test('keeps its owner through renewals, stamps, a restart and another password', () => {
    tried('', enable);
    tried('ann', grant());
    tried('ann', numbered(1));
    machine.run(
      { type: 'leaseKeepAlive', ids: [lease] },
      { type: 'advanceTime', timeMs: 1_000, keepAnswersMs: 1 },
      { type: 'advanceTime', timeMs: 2_000, keepAnswersMs: 1 },
    );
    machine.settle();
    tried('root', auth({ type: 'userChangePassword', user: 'ann', passwordHash: bytes('new') }));
    restart();

    expect(machine.machine.sessionOwner(lease)).toBe('ann');
    expect(tried('bob', numbered(2))).toBe('SESSION_OF_ANOTHER');
    expect(tried('ann', numbered(2))).toBe('ok');
  });

  test('of a user who is gone is nobody else’s, and is the next one’s of that name', () => {
    tried('', enable);
    tried('ann', grant());
    tried('ann', numbered(1));
    tried('root', auth({ type: 'userDelete', user: 'ann' }));

    expect(tried('ann', numbered(2))).toBe('INVALID_AUTH_TOKEN');
    expect(tried('bob', numbered(2))).toBe('SESSION_OF_ANOTHER');
    tried('root', userAdd('ann'));
    tried('root', auth({ type: 'userGrantRole', user: 'ann', role: 'r' }));
    expect(tried('ann', numbered(2))).toBe('ok');
  });
});

describe('a session from when nobody was asked', () => {
  test('is the user’s who is the first to go on with it', () => {
    tried('', grant());
    tried('', numbered(1));
    expect(machine.machine.sessionOwner(lease)).toBeUndefined();
    expect(recordFormat()).toBe(1);
    tried('', enable);

    expect(tried('ann', numbered(2))).toBe('ok');
    expect(recordFormat()).toBe(2);
    restart();
    expect(tried('bob', numbered(3))).toBe('SESSION_OF_ANOTHER');
    expect(tried('root', numbered(3))).toBe('SESSION_OF_ANOTHER');
  });

  test('is nobody’s yet for one who may not do what is asked for', () => {
    tried('', grant());
    tried('', numbered(1));
    tried('', enable);

    expect(tried('bob', numbered(2, put('zz', '1')))).toBe('PERMISSION_DENIED');
    expect(tried('ann', numbered(2))).toBe('ok');
  });

  test('is ended by whoever may by the keys of its lease', () => {
    tried('', grant());
    tried('', numbered(1));
    tried('', enable);

    expect(tried('bob', revoke)).toBe('ok');
  });
});

test('while nobody is asked a session is anybody’s, and after that its owner’s again', () => {
  tried('', enable);
  tried('ann', grant());
  tried('ann', numbered(1));
  tried('root', disable);

  expect(tried('', numbered(2))).toBe('ok');
  expect(tried('bob', numbered(3))).toBe('ok');
  tried('', enable);
  expect(tried('bob', numbered(4))).toBe('SESSION_OF_ANOTHER');
  expect(tried('ann', numbered(4))).toBe('ok');
});

test('a lease that is no session is used as in etcd: by whoever may write its keys', () => {
  tried('', enable);
  tried('ann', grant());

  expect(tried('bob', put('k', '1', { lease }))).toBe('ok');
  expect(machine.machine.sessionOwner(lease)).toBeUndefined();
  expect(tried('bob', revoke)).toBe('ok');
});

describe('below feature level 3', () => {
  beforeEach(() => {
    setUp(2);
    tried('', enable);
  });

  test('a session is anybody’s, and nothing new is written', () => {
    tried('ann', grant());
    tried('ann', numbered(1));

    expect(tried('bob', numbered(2))).toBe('ok');
    expect(tried('bob', put('k', '1', { lease }))).toBe('ok');
    expect(recordFormat()).toBe(1);
    expect(tried('bob', revoke)).toBe('ok');
  });

  test('what was begun there is the user’s who goes on with it above', () => {
    tried('ann', grant());
    tried('ann', numbered(1));
    machine.run({ type: 'raiseLevel', level: 3 });
    machine.settle();

    expect(tried('ann', numbered(2))).toBe('ok');
    expect(tried('bob', numbered(3))).toBe('SESSION_OF_ANOTHER');
  });
});

test('the leases of an operation are those of its puts at every depth, each once', () => {
  expect(leasesOf(put('k', '1'))).toEqual([]);
  expect(leasesOf(put('k', '1', { lease: 3n }))).toEqual([3n]);
  const inner = txn([], [put('a', '', { lease: 4n })], [put('b', '', { lease: 3n })]);
  expect(leasesOf(txn([], [put('c', '', { lease: 3n }), range('a')], [inner]))).toEqual([3n, 4n]);
});
