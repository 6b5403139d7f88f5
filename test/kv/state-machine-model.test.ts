/**
 * The state machine against its naive twin, under random commands, batches, settlement, eviction,
 * partial compactions and crashes. A failing seed is named in the test's title; `KV_SEED=n` runs
 * that one alone.
 */
import { describe, expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/index.ts';
import {
  type CommandResult,
  encodeCommand,
  type RangeOutcome,
  rangeQuery,
  readRecords,
  type ReadPoint,
  type StoredRecord,
  verifyState,
} from '../../src/kv/index.ts';
import { storedSessions } from '../../src/kv/answer-table.ts';
import { isIn, metaTable, sessionAnswersRange, sessionsRange } from '../../src/kv/key-layout.ts';
import { chance, choose, randomCommand, randomRange } from './generators.ts';
import { Machine, MapStore, runReading, text } from './map-store.ts';
import { Model } from './model.ts';

const seedCount = 60;
const stepsPerSeed = 120;
const seeds =
  process.env['KV_SEED'] === undefined
    ? Array.from({ length: seedCount }, (_, seed) => seed)
    : [Number(process.env['KV_SEED'])];

/**
 * One text for equal results, whatever the identity of their byte strings and the order of their
 * fields.
 */
function show(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner instanceof Uint8Array) {
      return `bytes ${text(inner)}`;
    }
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return typeof inner === 'bigint' ? `${inner}n` : inner;
  });
}

/** A machine, its twin, and the log that both have applied. */
class Trial {
  readonly prng: Prng;
  readonly model = new Model();
  readonly store = new MapStore();
  readonly log: { readonly command: Uint8Array; readonly result: CommandResult }[] = [];
  readonly #cacheBytesMax: number;
  machine: Machine;

  constructor(seed: number) {
    this.prng = createPrng(seed);
    this.#cacheBytesMax = choose(this.prng, [0, 1000, 3000, 1_000_000]);
    this.machine = this.#open();
  }

  step(): void {
    const { prng } = this;
    this.#applyBatch();
    if (chance(prng, 50)) {
      this.machine.settle(prng.nextInt(1, 4));
    }
    while (chance(prng, 40)) {
      this.machine.compactStep(prng.nextInt(1, 6));
    }
    for (let reads = 0; reads < 4; reads++) {
      this.#read();
    }
    if (chance(prng, 10)) {
      this.machine.settle();
      verifyState(this.store.records());
    }
    if (chance(prng, 4)) {
      this.#crash();
    }
  }

  finish(): readonly StoredRecord[] {
    while (this.machine.machine.hasCompactionWork) {
      this.machine.compactStep(5);
    }
    this.machine.settle();
    verifyState(this.store.records());
    return this.store.records();
  }

  #open(): Machine {
    return new Machine({ store: this.store, cacheBytesMax: this.#cacheBytesMax });
  }

  #applyBatch(): void {
    const { prng, model } = this;
    const before = { revision: model.revision, compactRevision: model.compactRevision };
    const commands = Array.from({ length: prng.nextInt(1, 7) }, () =>
      randomCommand({ prng, revision: model.revision }),
    );
    const encoded = commands.map(encodeCommand);
    const output = this.machine.apply(encoded, () => {
      // Halfway through a batch, readers still see the state before it.
      this.#readCached(before);
      if (chance(prng, 50)) {
        this.machine.settle(1);
      }
    });
    const expected = commands.map((command) => model.apply(command));
    for (const [index, result] of expected.entries()) {
      expect(show(output.results[index]), show(commands[index])).toBe(show(result));
      this.log.push({ command: encoded[index] as Uint8Array, result });
    }
    expect(output.revision).toBe(model.revision);
    expect(output.compactRevision).toBe(model.compactRevision);
    this.#compareMeta();
  }

  #compareMeta(): void {
    const { machine } = this.machine;
    const alarms = machine.alarms.map(({ alarm, memberId }) => `${alarm} ${memberId}`);
    expect(alarms).toEqual([...this.model.alarms].sort());
    const records = runReading(readRecords(''), this.store);
    const shown = records.map(({ name, value }) => [name, text(value)]);
    expect(shown).toEqual([...this.model.records].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #read(): void {
    const { prng, model } = this;
    const lowest = Math.max(1, model.compactRevision);
    const revision = chance(prng, 60) ? model.revision : prng.nextInt(lowest, model.revision + 1);
    const range = randomRange({ prng, revision });
    const at = { revision, compactRevision: model.compactRevision };
    const outcome = runReading(rangeQuery(range, at), this.store);
    this.#compare(outcome, model.range(range, revision), `${show(range)} at ${revision}`);
    this.#readCached(at);
  }

  #readCached(at: ReadPoint): void {
    const range = randomRange({ prng: this.prng, revision: at.revision });
    const outcome = this.machine.machine.cachedPoint(range, at);
    if (outcome !== undefined) {
      this.#compare(outcome, this.model.range(range, at.revision), show(range));
    }
  }

  #compare(outcome: RangeOutcome, expected: ReturnType<Model['range']>, what: string): void {
    const actual = outcome.kind === 'ok' ? outcome.result : outcome.code;
    expect(show(actual), what).toBe(show(expected));
  }

  /** Loses what is not visible, opens what is left, and applies the rest of the log again. */
  #crash(): void {
    this.store.crash();
    verifyState(this.store.records());
    this.machine = this.#open();
    const { index } = this.machine.machine.lastApplied;
    const rest = this.log.slice(index);
    for (let at = 0; at < rest.length; at += 10) {
      const part = rest.slice(at, at + 10);
      const output = this.machine.apply(part.map(({ command }) => command));
      expect(show(output.results)).toBe(show(part.map(({ result }) => result)));
    }
    this.#compareMeta();
  }
}

/** What the records say: which answers stand together depends on how the log was cut. */
function comparable(records: readonly StoredRecord[]): readonly unknown[] {
  const others = records.filter(({ key }) => {
    return key[0] !== metaTable && !isIn(sessionsRange, key) && !isIn(sessionAnswersRange, key);
  });
  const sessions = [...storedSessions(records)].map(([id, { floor, answers }]) => {
    return { id: String(id), floor, answers: [...answers] };
  });
  return [...others, ...sessions];
}

describe('StateMachine', () => {
  test.each(seeds)('agrees with its naive twin on seed %d', (seed) => {
    const trial = new Trial(seed);
    for (let step = 0; step < stepsPerSeed; step++) {
      trial.step();
    }

    const records = trial.finish();

    // Another member that applies the same log one by one and compacts only now holds the same
    // records.
    const twin = new Machine();
    for (const { command } of trial.log) {
      twin.apply([command]);
    }
    while (twin.machine.hasCompactionWork) {
      twin.compactStep(1000);
    }
    twin.settle();
    expect(show(comparable(twin.store.records()))).toBe(show(comparable(records)));
    expect(twin.machine.stateHash).toEqual(trial.machine.machine.stateHash);
  });
});
