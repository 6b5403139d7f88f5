import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { Command } from '../../src/kv/index.ts';
import { checkLevel, levelNeeded, readsLevel } from '../../src/kv/feature-level.ts';
import { type ApplyOutput, encodeCommand } from '../../src/kv/index.ts';
import { stateMetaKey } from '../../src/kv/key-layout.ts';
import { put } from './commands.ts';
import { Machine } from './map-store.ts';

const first = { oldest: 1, newest: 1 };
const addRole: Command = { type: 'auth', change: { type: 'roleAdd', role: 'r' } };

/** Applies commands as one batch, and settles it. */
function apply(machine: Machine, ...commands: readonly Command[]): ApplyOutput {
  const output = machine.apply(commands.map(encodeCommand));
  machine.settle();
  return output;
}

describe('the feature level of a state', () => {
  test('is the first one until an entry raises it, and never falls', () => {
    const raised = new Machine();
    expect(raised.machine.level).toBe(1);

    const { results, changes } = apply(raised, { type: 'raiseLevel', level: 2 });
    expect(results[0]).toMatchObject({ kind: 'ok', result: { type: 'raiseLevel', level: 2 } });
    expect(changes).toEqual([{ type: 'level', level: 2 }]);

    const again = apply(raised, { type: 'raiseLevel', level: 1 });
    expect(again.results[0]).toMatchObject({ result: { level: 2 } });
    expect(again.changes).toEqual([]);
    expect(raised.machine.level).toBe(2);
  });

  test('is stored, and found again', () => {
    const before = new Machine();
    apply(before, { type: 'raiseLevel', level: 2 }, put('a', '1'));

    expect(new Machine({ store: before.store }).machine.level).toBe(2);
  });

  test('is part of its hash', () => {
    const [plain, raised] = [new Machine(), new Machine()];
    apply(plain, { type: 'raiseLevel', level: 1 });
    apply(raised, { type: 'raiseLevel', level: 2 });

    expect(plain.machine.stateHash).not.toEqual(raised.machine.stateHash);
  });

  test('changes nothing of what is stored before it has risen', () => {
    const before = new Machine();
    apply(before, put('a', '1'));

    expect(before.store.get(stateMetaKey)?.[0]).toBe(4);
  });
});

describe('a member that does not read a level', () => {
  test('does not open a state of it, and says what to do', () => {
    const before = new Machine();
    apply(before, { type: 'raiseLevel', level: 2 });

    expect(() => new Machine({ store: before.store, levels: first })).toThrow(
      /is 2, and this member reads levels 1 to 1\. Nothing has been changed\. Start the newer/,
    );
  });

  test('applies nothing of a batch that raises to it', () => {
    const old = new Machine({ levels: first });

    expect(() => apply(old, put('a', '1'), { type: 'raiseLevel', level: 2 })).toThrow(
      expect.objectContaining({ code: 'VERSION_MISMATCH' }) as Error,
    );
    expect(old.machine.lastApplied.index).toBe(0);
    expect(old.store.get(stateMetaKey)).toBeUndefined();
  });
});

describe('levels', () => {
  test.each([
    [addRole, 2],
    [{ type: 'as', caller: { user: 'u', credentials: 1 }, command: addRole } as const, 2],
    [{ type: 'raiseLevel', level: 2 } as const, 2],
    [put('a', '1'), 1],
    [{ type: 'as', caller: { user: 'u', credentials: 1 }, command: put('a', '1') } as const, 1],
  ])('that commands need: %o needs %i', (command, level) => {
    expect(levelNeeded(command)).toBe(level);
  });

  test.each([
    [0, false, undefined],
    [1, false, /reads levels 2 to 3\. .* Start a build between/],
    [2, true, undefined],
    [3, true, undefined],
    [4, false, /Start the newer build/],
  ] as const)('from 2 to 3 read %i: %s', (level, isRead, message) => {
    const range = { oldest: 2, newest: 3 };
    expect(readsLevel(range, level)).toBe(isRead);
    const check = (): void => {
      checkLevel(range, level);
    };
    if (isRead) {
      check();
    } else {
      expect(check).toThrow(KvError);
      expect(check).toThrow(message ?? /reads levels 2 to 3/);
    }
  });
});
