import { beforeEach, describe, expect, test } from 'vitest';
import { verifyState } from '../../src/kv/index.ts';
import { keysTable, revisionOf, revisionsTable, userKeyOf } from '../../src/kv/key-layout.ts';
import { del, put, range, txn } from './commands.ts';
import { Machine, text } from './map-store.ts';

let machine: Machine;

/** Stored events as `2.0 3.0`. */
function events(): string {
  const keys = machine.store.records().filter(({ key }) => key[0] === revisionsTable);
  return keys.map(({ key }) => `${revisionOf(key).main}.${revisionOf(key).sub}`).join(' ');
}

/** Keys that have a current record. */
function current(): string {
  const keys = machine.store.records().filter(({ key }) => key[0] === keysTable);
  return keys.map(({ key }) => text(userKeyOf(key))).join(' ');
}

/** Compacts to the revision, logically; removal takes place in steps. */
function compact(revision: number): void {
  machine.run({ type: 'compact', revision });
}

function removeAll(limit = 1000): number {
  let steps = 0;
  while (machine.machine.hasCompactionWork) {
    machine.compactStep(limit);
    machine.settle();
    verifyState(machine.store.records());
    steps++;
  }
  return steps;
}

beforeEach(() => {
  machine = new Machine();
});

describe('compactStep', () => {
  test('superseded events go, the newest of each key stays', () => {
    machine.run(put('a', '1'), put('b', '1'), put('a', '2'), put('a', '3'), put('a', '4'));
    compact(4);
    removeAll();
    expect(events()).toBe('3.0 4.0 5.0 6.0');
    expect(current()).toBe('a b');
  });

  test('a deletion below the compaction goes with its key', () => {
    machine.run(put('a', '1'), del('a'), put('b', '1'));
    compact(4);
    removeAll();
    expect(events()).toBe('4.0');
    expect(current()).toBe('b');
  });

  test('a deletion at the compaction stays until the next one', () => {
    machine.run(put('a', '1'), del('a'), put('b', '1'));
    compact(3);
    removeAll();
    expect(events()).toBe('3.0 4.0');
    expect(current()).toBe('a b');
    compact(4);
    removeAll();
    expect(events()).toBe('4.0');
    expect(current()).toBe('b');
  });

  test('a key that was written again after its deletion keeps its current record', () => {
    machine.run(put('a', '1'), del('a'), put('b', '1'), put('a', '2'));
    compact(4);
    removeAll();
    expect(events()).toBe('4.0 5.0');
    expect(current()).toBe('a b');
  });

  test('all changes of the revision compacted to stay, also of one key', () => {
    machine.run(put('a', '0'), txn([], [put('a', '1'), put('a', '2'), put('b', '1')]));
    compact(3);
    removeAll();
    expect(events()).toBe('3.0 3.1 3.2');
    machine.run(put('c', '1'));
    compact(4);
    removeAll();
    expect(events()).toBe('3.1 3.2 4.0');
  });

  test('a step looks at no more events than its limit, and the next goes on there', () => {
    machine.run(...Array.from({ length: 10 }, (_, at) => put('a', String(at))));
    compact(11);
    expect(removeAll(4)).toBe(3);
    expect(events()).toBe('11.0');
  });

  test('a step looks at few events when they are large, and the next goes on there', () => {
    machine.run(...Array.from({ length: 10 }, (_, at) => put('a', String(at).repeat(1000))));
    compact(11);
    const { store } = machine;
    const before = store.needs.length;
    expect(machine.compactStep(1000, 2500).isDone).toBe(false);
    expect(store.needs[before]).toMatchObject({ type: 'scan', limit: 1000, bytesMax: 2500 });
    machine.settle();
    let steps = 1;
    while (machine.machine.hasCompactionWork) {
      machine.compactStep(1000, 2500);
      machine.settle();
      steps++;
    }
    expect(steps).toBe(4);
    expect(events()).toBe('11.0');
  });

  test('a plan may be made before other commands, and carried out after them', () => {
    machine.run(put('a', '1'), del('a'), put('b', '1'), del('b'), put('c', '1'));
    compact(6);
    const plan = machine.planCompaction(1000);
    machine.run(put('a', '2'), { type: 'compact', revision: 7 }, put('d', '1'));
    machine.settle();
    expect(machine.removeCompacted(plan).isDone).toBe(false);
    machine.settle();
    verifyState(machine.store.records());
    // What was written again after the plan was made stays; the other deletion went.
    expect(current()).toBe('a c d');
    removeAll();
    expect(events()).toBe('6.0 7.0 8.0');
  });

  test('events at a compaction are looked at again, though a plan spared them', () => {
    machine.run(txn([], [put('a', '1'), put('b', '1')]), del('a', 'c'), put('c', '1'));
    compact(3);
    const plan = machine.planCompaction(3);
    compact(4);
    machine.removeCompacted(plan);
    removeAll(1);
    expect(events()).toBe('4.0');
    expect(current()).toBe('c');
  });

  test('tells how far removal has come', () => {
    machine.run(...Array.from({ length: 10 }, (_, at) => put('a', String(at))));
    expect(machine.machine.removedRevision).toBe(-1);
    compact(11);
    expect(machine.compactStep(4).removals).toHaveLength(3);
    expect(machine.machine.removedRevision).toBe(5);
    machine.settle();
    removeAll();
    expect(machine.machine.removedRevision).toBe(11);
  });

  test('progress survives a restart', () => {
    machine.run(...Array.from({ length: 10 }, (_, at) => put('a', String(at))));
    compact(11);
    machine.compactStep(6);
    machine.settle();
    machine.run(put('b', '1'));
    machine.settle();
    const reopened = new Machine({ store: machine.store });
    expect(reopened.machine.hasCompactionWork).toBe(true);
    expect(reopened.compactStep(6).isDone).toBe(true);
    reopened.settle();
    expect(events()).toBe('11.0 12.0');
    reopened.run(put('b', '2'));
    reopened.settle();
    expect(new Machine({ store: machine.store }).machine.hasCompactionWork).toBe(false);
  });

  test('after a crash at any point of a step, the next one removes what it has left', () => {
    const commands = [put('a', '1'), del('a'), put('b', '1'), put('b', '2'), put('c', '1')];
    for (let crashAt = 0; crashAt < 4; crashAt++) {
      machine = new Machine();
      const { store } = machine;
      machine.run(...commands);
      compact(6);
      machine.settle();
      const { removals } = machine.compactStep(4);
      expect(removals).toHaveLength(3);
      if (crashAt === 1) {
        // The checkpoint alone has got through.
        store.flush();
      } else if (crashAt === 2) {
        machine.settle();
      } else if (crashAt === 3) {
        machine.settle();
        machine.run(put('d', '1'));
        machine.settle();
      }
      store.crash();
      verifyState(store.records());

      machine = new Machine({ store });
      expect(removeAll(4)).toBe(crashAt < 2 ? 2 : 1);
      expect(current()).toBe(crashAt < 3 ? 'b c' : 'b c d');
      expect(events()).toBe(crashAt < 3 ? '5.0 6.0' : '5.0 6.0 7.0');
    }
  });

  test('a step begins after the removals of the one before were given to the engine', () => {
    machine.run(put('a', '1'), put('a', '2'), put('a', '3'));
    compact(4);
    machine.settle();
    const step = (): unknown => {
      const plan = machine.planCompaction(2);
      return machine.machine.removeCompacted(plan).next();
    };
    step();
    expect(step).toThrow('removals of the step before');
    machine.machine.removalGiven();
    expect(step).not.toThrow();
  });

  test('a compaction asked for before the last one is done joins the same sweep', () => {
    machine.run(put('a', '1'), del('a'), put('b', '1'), del('b'), put('c', '1'));
    compact(3);
    machine.compactStep(1);
    compact(6);
    removeAll(1);
    expect(events()).toBe('6.0');
    expect(current()).toBe('c');
  });

  test('events at a compaction that has been looked at already are looked at again', () => {
    machine.run(txn([], [put('a', '1'), put('b', '1')]), del('a', 'c'), put('c', '1'));
    compact(3);
    // The sweep stops in the middle of revision 3, which it spares so far.
    machine.compactStep(3);
    compact(4);
    removeAll(1);
    expect(events()).toBe('4.0');
    expect(current()).toBe('c');
  });

  test('without work there is nothing to write', () => {
    machine.run(put('a', '1'));
    const output = machine.compactStep(10);
    expect(output).toEqual({ removals: [], isDone: true });
  });

  test('a key whose deletion is being removed can be written at once', () => {
    machine.run(put('a', '1'), del('a'), put('b', '1'), { type: 'compact', revision: 4 });
    machine.settle();
    machine.compactStep(10);
    machine.run(put('a', '2'));
    machine.settle();
    verifyState(machine.store.records());
    expect(events()).toBe('4.0 5.0');
    const outcome = machine.read(range('a'));
    expect(outcome.kind === 'ok' && outcome.result.kvs[0]?.version).toBe(1);
  });

  test('no record refers to a compacted deletion, removed or not', () => {
    const write = (isRemovedFirst: boolean): string => {
      const member = new Machine();
      member.run(put('a', '1'), del('a'), put('b', '1'), { type: 'compact', revision: 4 });
      if (isRemovedFirst) {
        member.compactStep(10);
      }
      member.run(put('a', '2'));
      while (member.machine.hasCompactionWork) {
        member.compactStep(10);
      }
      member.settle();
      const records = member.store.records().filter(({ key }) => key[0] !== 0x6d);
      return records.map(({ key, value }) => `${text(key)}:${text(value)}`).join();
    };
    expect(write(true)).toBe(write(false));
  });
});
