import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { type AuthChange, type Command, encodeCommand, verifyState } from '../../src/kv/index.ts';
import { AuthModel, randomChange } from './auth-model.ts';
import { pictureOf, pictureOfModel } from './auth-picture.ts';
import { put } from './commands.ts';
import { bytes, Machine } from './map-store.ts';

/** The command as root's, while somebody must ask. */
function asRoot(machine: Machine, change: AuthChange): Command {
  const { auth } = machine.machine;
  const command = { type: 'auth', change } as const;
  const credentials = auth.user('root')?.credentials ?? 0;
  return auth.isEnabled ? { type: 'as', caller: { user: 'root', credentials }, command } : command;
}

describe('users and roles', () => {
  test('are what a naive model says after random changes, restarts included', () => {
    const prng = createPrng(5);
    let machine = new Machine();
    const model = new AuthModel();
    const seen = new Set<string>();
    for (let run = 0; run < 4000; run++) {
      const change = randomChange(prng);
      const [result] = machine.run(asRoot(machine, change));
      const expected = model.change(change);
      seen.add(expected ?? change.type);

      expect(result?.kind === 'refused' ? result.code : undefined).toBe(expected);
      expect(pictureOf(machine.machine.auth)).toEqual(pictureOfModel(model));
      if (run % 50 === 0) {
        machine.settle();
        verifyState(machine.store.records());
        const { hash } = machine.machine.stateHash;
        machine = new Machine({ store: machine.store });
        expect(pictureOf(machine.machine.auth)).toEqual(pictureOfModel(model));
        expect(machine.machine.stateHash.hash).toBe(hash);
      }
    }
    // All that can happen has happened.
    expect(seen.size).toBe(22);
  });

  test('do not touch the revision of the keyspace', () => {
    const machine = new Machine();

    machine.run({ type: 'auth', change: { type: 'roleAdd', role: 'r' } }, put('a', '1'));

    expect(machine.machine.revision).toBe(2);
  });

  test('tell who changed what about whom, without secrets', () => {
    const machine = new Machine();
    const passwordHash = bytes('hash');
    const add = (user: string): Command => ({
      type: 'auth',
      change: { type: 'userAdd', user, passwordHash },
    });
    const changes = (command: Command): readonly object[] =>
      machine.apply([encodeCommand(command)]).changes;

    expect(changes(add('root'))).toEqual([
      { type: 'auth', by: undefined, change: 'userAdd', user: 'root', role: undefined },
    ]);
    machine.run({ type: 'auth', change: { type: 'userGrantRole', user: 'root', role: 'root' } });
    machine.run({ type: 'auth', change: { type: 'enable', secret: bytes('s') } });
    const change = { type: 'userGrantRole', user: 'root', role: 'root' } as const;
    expect(changes(asRoot(machine, { type: 'roleAdd', role: 'r' }))).toEqual([
      { type: 'auth', by: 'root', change: 'roleAdd', user: undefined, role: 'r' },
    ]);
    // Nothing has changed, and nothing was done.
    expect(changes(asRoot(machine, change))).toEqual([]);
    expect(changes(add('eve'))).toEqual([]);
  });

  test('have limits', () => {
    const machine = new Machine();
    machine.run({ type: 'auth', change: { type: 'roleAdd', role: 'r' } });
    const grant = (at: number): Command => ({
      type: 'auth',
      change: {
        type: 'roleGrantPermission',
        role: 'r',
        permission: { access: 'read', key: bytes(`k${at}`) },
      },
    });
    machine.run(...Array.from({ length: 1024 }, (_, at) => grant(at)));

    expect(machine.run(grant(1024))).toMatchObject([{ code: 'TOO_MANY_ACCOUNTS' }]);
    // One that is there is replaced.
    expect(machine.run(grant(1))).toMatchObject([{ kind: 'ok' }]);
  });
});
