/**
 * Tests of the tests: the state machine with one bug at a time, and the property that must notice.
 * For each mutant `src/base` and `src/kv` are copied to a directory of its own, where one text is
 * replaced; a mutant that no longer fits the source fails loudly.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  alarmsSurviveRestarts,
  hashFollowsFromTheLogAlone,
  hashKvIgnoresProgress,
  hashKvIsOfOneRevision,
  hashShowsEveryDifference,
  type KvModule,
} from './properties.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Seeds that a mutant gets; the properties' own tests use more. */
const seeds = Array.from({ length: 10 }, (_, seed) => seed);

type Property = (kv: KvModule, seed: number) => void;

interface Mutant {
  /** What the mutated state machine does wrong. */
  readonly lesson: string;
  /** In `src/kv`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly caughtBy: Property;
}

const mutants: readonly Mutant[] = [
  {
    lesson: 'begins the hash anew with every batch',
    file: 'state-machine.ts',
    find: '      answers: this.#answers,\n    });',
    replace: '      answers: this.#answers,\n      stateHash: { low: 0, high: 0 },\n    });',
    caughtBy: hashFollowsFromTheLogAlone,
  },
  {
    lesson: 'hashes the place of an entry in its batch',
    file: 'apply-batch.ts',
    find: 'this.#hasher.number(this.#compactRevision + 1);',
    replace: 'this.#hasher.number(this.#compactRevision + 1 + this.#events.length);',
    caughtBy: hashFollowsFromTheLogAlone,
  },
  {
    lesson: 'forgets the hash when it restarts',
    file: 'state-machine.ts',
    find: 'this.#stateHash = meta.stateHash;',
    replace: 'this.#stateHash = { high: 0, low: 0 };',
    caughtBy: hashFollowsFromTheLogAlone,
  },
  {
    lesson: 'hashes what physical removal has done',
    file: 'state-machine.ts',
    find: '    this.#end(sequence, removed, writes);\n',
    replace:
      '    this.#stateHash = { high: this.#stateHash.high, low: writes.length };\n' +
      '    this.#end(sequence, removed, writes);\n',
    caughtBy: hashFollowsFromTheLogAlone,
  },
  {
    lesson: 'leaves events out of the hash',
    file: 'apply-batch.ts',
    find: 'this.#hasher.bytes(hashedEvent, event);',
    replace: '',
    caughtBy: hashShowsEveryDifference,
  },
  {
    lesson: 'leaves records that are not keys out of the hash',
    file: 'apply-batch.ts',
    find: "this.#hasher.bytes(hashedValue, write.type === 'put' ? write.value : emptyBytes);",
    replace: '',
    caughtBy: hashShowsEveryDifference,
  },
  {
    lesson: 'leaves alarms out of the hash',
    file: 'meta-changes.ts',
    find: 'this.#hasher.number(command.memberId);',
    replace: '',
    caughtBy: hashShowsEveryDifference,
  },
  {
    lesson: 'leaves the end of an event out of the hash',
    file: 'state-hash.ts',
    find: 'if (whole < length) {',
    replace: 'if (whole > length) {',
    caughtBy: hashShowsEveryDifference,
  },
  {
    lesson: 'forgets its alarms when it restarts',
    file: 'state-machine.ts',
    find: 'this.#alarms = meta.alarms;',
    replace: 'this.#alarms = [];',
    caughtBy: alarmsSurviveRestarts,
  },
  {
    lesson: 'stores no alarms',
    file: 'state-meta.ts',
    find: 'writer.varint(meta.alarms.length);\n  for (const { alarm, memberId } of meta.alarms) {',
    replace: 'writer.varint(0);\n  for (const { alarm, memberId } of [] as Alarm[]) {',
    caughtBy: alarmsSurviveRestarts,
  },
  {
    lesson: 'counts compacted events in HashKV as long as they are there',
    file: 'hash-kv.ts',
    find: '{ main: Math.max(0, compactRevision), sub: 0 }',
    replace: '{ main: 0, sub: 0 }',
    caughtBy: hashKvIgnoresProgress,
  },
  {
    lesson: 'counts compacted deletions in HashKV as long as they are there',
    file: 'hash-kv.ts',
    find: 'value !== undefined && !peekRecord(value).isTombstone',
    replace: 'value !== undefined',
    caughtBy: hashKvIgnoresProgress,
  },
  {
    lesson: 'counts what a change at the compact revision has superseded',
    file: 'hash-kv.ts',
    find: 'main > compactRevision && prevMain',
    replace: 'main >= compactRevision && prevMain',
    caughtBy: hashKvIgnoresProgress,
  },
  {
    lesson: 'counts the newest keys in the HashKV of an older revision',
    file: 'hash-kv.ts',
    find: 'visitRange(allKeys, { revision: hashRevision },',
    replace: 'visitRange(allKeys, { revision: at.revision },',
    caughtBy: hashKvIsOfOneRevision,
  },
];

let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kv-mutants-'));
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));
});

afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** Loads a copy of `src/kv`, with one text replaced. */
async function load(name: string, mutant?: Mutant): Promise<KvModule> {
  const place = join(scratch, name);
  for (const folder of ['src/base', 'src/kv']) {
    cpSync(join(root, folder), join(place, folder), {
      recursive: true,
      // The settings of the compiler refer to others that are not copied.
      filter: (path) => !path.endsWith('.json'),
    });
  }
  if (mutant !== undefined) {
    const path = join(place, 'src/kv', mutant.file);
    const parts = readFileSync(path, 'utf8').split(mutant.find);
    expect(parts, `${mutant.file} has this text once: ${mutant.find}`).toHaveLength(2);
    writeFileSync(path, parts.join(mutant.replace));
  }
  return (await import(/* @vite-ignore */ join(place, 'src/kv/index.ts'))) as KvModule;
}

function checkAll(property: Property, kv: KvModule): void {
  for (const seed of seeds) {
    property(kv, seed);
  }
}

describe('mutants of the state machine', () => {
  test('without a bug, a copy has all properties', async () => {
    const kv = await load('sound');
    for (const property of new Set(mutants.map(({ caughtBy }) => caughtBy))) {
      checkAll(property, kv);
    }
  });

  test.each(mutants.map((mutant) => [mutant.lesson, mutant] as const))(
    'one that %s is caught',
    async (_, mutant) => {
      const kv = await load(`mutant-${mutants.indexOf(mutant)}`, mutant);
      expect(() => {
        checkAll(mutant.caughtBy, kv);
      }).toThrow(/hash|alarm|put is still refused|revision/);
    },
  );
});
