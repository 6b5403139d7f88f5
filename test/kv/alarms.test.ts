import { beforeEach, describe, expect, test } from 'vitest';
import { alarmsMax } from '../../src/kv/alarms.ts';
import type { AlarmCommand, AlarmType, Command, CommandResult } from '../../src/kv/index.ts';
import { encodeCommand } from '../../src/kv/index.ts';
import { del, put, range, txn, when } from './commands.ts';
import { Machine } from './map-store.ts';

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
  machine.run(put('a', '1'), put('b', '1'));
});

function activate(alarm: AlarmType, memberId = 1): AlarmCommand {
  return { type: 'alarm', action: 'activate', alarm, memberId };
}

function deactivate(alarm: AlarmType, memberId = 1): AlarmCommand {
  return { type: 'alarm', action: 'deactivate', alarm, memberId };
}

function outcomeOf(command: Command): string {
  const [result] = machine.run(command) as readonly [CommandResult];
  return result.kind === 'ok' ? 'ok' : result.code;
}

function active(of = machine): string {
  return of.machine.alarms.map(({ alarm, memberId }) => `${alarm} ${memberId}`).join(', ');
}

describe('alarms', () => {
  test('are raised and lifted once, and the command says which one', () => {
    const one = { kind: 'ok', revision: 3, result: { type: 'alarm' } };
    const named = {
      ...one,
      result: { type: 'alarm', alarms: [{ memberId: 1, alarm: 'nospace' }] },
    };
    expect(machine.run(activate('nospace'), activate('nospace'))).toEqual([named, named]);
    expect(active()).toBe('nospace 1');
    const none = { ...one, result: { type: 'alarm', alarms: [] } };
    expect(machine.run(deactivate('corrupt'), deactivate('nospace', 2))).toEqual([none, none]);
    expect(machine.run(deactivate('nospace'), deactivate('nospace'))).toEqual([named, none]);
    expect(active()).toBe('');
  });

  test('are in one order, however they came about', () => {
    machine.run(activate('nospace', 2), activate('corrupt', 3), activate('nospace', 1));
    expect(active()).toBe('corrupt 3, nospace 1, nospace 2');
  });

  test('survive a restart', () => {
    machine.run(activate('nospace', 7));
    machine.settle();
    const reopened = new Machine({ store: machine.store });
    expect(active(reopened)).toBe('nospace 7');
    expect(reopened.run(put('a', '2'))[0]).toMatchObject({ kind: 'refused', code: 'NO_SPACE' });
  });

  test('tell of themselves in the output when they change', () => {
    const commands = [activate('nospace'), activate('nospace'), deactivate('corrupt')];
    const output = machine.apply(commands.map(encodeCommand));
    expect(output.changes).toEqual([
      { type: 'alarms', alarms: [{ memberId: 1, alarm: 'nospace' }] },
    ]);
  });

  test('are bounded in number', () => {
    for (let memberId = 0; memberId < alarmsMax; memberId++) {
      expect(outcomeOf(activate('nospace', memberId))).toBe('ok');
    }
    expect(outcomeOf(activate('nospace', alarmsMax))).toBe('INVALID_ARGUMENT');
    expect(outcomeOf(activate('nospace', 0))).toBe('ok');
    expect(machine.machine.alarms).toHaveLength(alarmsMax);
  });

  test('take effect from the next command of the same batch on', () => {
    const results = machine.run(
      ...[put('a', '2'), activate('nospace'), put('a', '3'), deactivate('nospace'), put('a', '4')],
    );
    expect(results.map((result) => result?.kind)).toEqual(['ok', 'ok', 'refused', 'ok', 'ok']);
  });
});

const grow = put('c', '1');
const isFirst = when('a', 'version', 'equal', 1);
const isSecond = when('a', 'version', 'equal', 2);

describe('with too little space', () => {
  beforeEach(() => {
    machine.run(activate('nospace', 9));
  });

  test.each<[string, Command]>([
    ['a put', grow],
    ['a put of a key that is there', put('a', '2')],
    ['a put that would be refused for its lease', put('a', '2', { lease: 5n })],
    ['a put that would be refused for its missing key', put('x', '', { ignoreValue: true })],
    ['a put in the branch taken', txn([isFirst], [grow])],
    ['a nested put in the branch taken', txn([], [txn([isSecond], [], [grow])])],
    ['a refused put in the branch taken', txn([], [put('x', '', { ignoreLease: true })])],
    ['a put beside a deletion', txn([], [del('a'), grow])],
  ])('%s is refused and changes nothing', (_what, command) => {
    expect(outcomeOf(command)).toBe('NO_SPACE');
    expect(machine.machine.revision).toBe(3);
  });

  test.each<[string, Command]>([
    ['a deletion', del('a')],
    ['a deletion in a transaction', txn([], [del('a'), range('b')])],
    ['a compaction', { type: 'compact', revision: 3 }],
    ['a read-only transaction', txn([], [range('a')])],
    ['a put in the branch not taken', txn([isSecond], [grow], [del('a')])],
    ['a record', { type: 'setRecord', name: 'n', value: Uint8Array.of(1) }],
  ])('%s goes through', (_what, command) => {
    expect(outcomeOf(command)).toBe('ok');
  });

  test('puts are refused until the last member has lifted the alarm', () => {
    machine.run(activate('nospace', 2), deactivate('nospace', 9));
    expect(outcomeOf(grow)).toBe('NO_SPACE');
    machine.run(deactivate('nospace', 2));
    expect(outcomeOf(grow)).toBe('ok');
  });
});

describe('with a corrupt member', () => {
  beforeEach(() => {
    machine.run(activate('corrupt', 9));
  });

  test.each<[string, Command]>([
    ['a put', grow],
    ['a deletion of nothing', del('x')],
    ['a compaction that is refused anyway', { type: 'compact', revision: 99 }],
    ['a transaction with a put in the branch not taken', txn([isSecond], [grow], [range('a')])],
    ['a transaction with another one inside', txn([], [txn([], [range('a')])])],
  ])('%s is refused and changes nothing', (_what, command) => {
    expect(outcomeOf(command)).toBe('CORRUPT');
    expect(machine.machine.revision).toBe(3);
  });

  test.each<[string, Command]>([
    ['an empty transaction', txn([isSecond], [])],
    ['a read-only transaction', txn([], [range('a')], [range('b')])],
    ['a record', { type: 'setRecord', name: 'n', value: Uint8Array.of(1) }],
    ['another alarm', activate('nospace')],
  ])('%s goes through', (_what, command) => {
    expect(outcomeOf(command)).toBe('ok');
  });

  test('it counts before a lack of space, and each goes on without the other', () => {
    machine.run(activate('nospace'));
    expect(outcomeOf(grow)).toBe('CORRUPT');
    machine.run(deactivate('corrupt', 9));
    expect(outcomeOf(grow)).toBe('NO_SPACE');
    machine.run(activate('corrupt', 9), deactivate('nospace'));
    expect(outcomeOf(grow)).toBe('CORRUPT');
  });
});
