/**
 * Properties of the state machine that are more than one function's, as functions of the module
 * under test: `state-hash.test.ts` and others hold the real one to them, `mutants.test.ts` breaks
 * it and expects them to notice.
 */
import { assert, createPrng, type Prng } from '../../src/base/index.ts';
import type * as Kv from '../../src/kv/index.ts';
import type { AppliedEntry, ReadPoint } from '../../src/kv/index.ts';
import { chance, randomCommand } from './generators.ts';
import { bytes, eventsOf, MapStore, runReading } from './map-store.ts';

/** The facade of `src/kv`, or of a mutated copy. */
export type KvModule = typeof Kv;

/** A state machine over a store that applies whole entries. */
export class Member {
  readonly #kv: KvModule;
  readonly store: MapStore;
  machine: Kv.StateMachine;

  constructor(kv: KvModule, store = new MapStore()) {
    this.#kv = kv;
    this.store = store;
    this.machine = this.#open();
  }

  get readPoint(): ReadPoint {
    return { revision: this.machine.revision, compactRevision: this.machine.compactRevision };
  }

  /** Applies entries as one batch, which the engine then holds. */
  apply(entries: readonly AppliedEntry[]): Kv.ApplyOutput {
    const output = runReading(this.machine.apply(entries), this.store);
    this.#take(output);
    return output;
  }

  compactStep(events: number): void {
    const limits = { events, bytes: Number.MAX_SAFE_INTEGER };
    const plan = runReading(this.machine.planCompaction(limits), this.store);
    const output = runReading(this.machine.removeCompacted(plan), this.store);
    this.#take(output);
    this.store.writeNow(output.removals);
    this.machine.removalGiven();
  }

  restart(): void {
    this.machine = this.#open();
  }

  hashKv(revision: number): string {
    const outcome = runReading(this.#kv.hashKv(revision, this.readPoint), this.store);
    return outcome.kind === 'ok' ? `${outcome.hashRevision}: ${outcome.hash}` : outcome.code;
  }

  #open(): Kv.StateMachine {
    return runReading(this.#kv.StateMachine.open({ cacheBytesMax: 10_000 }), this.store);
  }

  #take(output: Kv.ApplyOutput | Kv.CompactOutput): void {
    const { sequence, writes } = this.machine.checkpoints.take();
    this.store.write([...eventsOf(output), ...writes]);
    this.store.flush();
    this.machine.checkpoints.settled(sequence);
  }
}

/** A log of random commands, with empty entries, configurations and new terms among them. */
export function randomLog(kv: KvModule, prng: Prng, length: number): readonly AppliedEntry[] {
  let term = 1;
  return Array.from({ length }, (_, at) => {
    term += chance(prng, 3) ? 1 : 0;
    const position = { index: at + 1, term };
    const dice = prng.nextInt(0, 100);
    if (dice < 4) {
      return { ...position, command: new Uint8Array(0) };
    }
    if (dice < 8) {
      const membership = bytes(`configuration ${prng.nextInt(0, 100)}`);
      return { ...position, command: new Uint8Array(0), membership };
    }
    const command = randomCommand({ prng, revision: 1 + Math.floor(at / 2) });
    return { ...position, command: kv.encodeCommand(command) };
  });
}

/** Splits `entries` at random places; pieces are not empty. */
export function randomSplit<T>(prng: Prng, entries: readonly T[]): readonly (readonly T[])[] {
  const pieces: (readonly T[])[] = [];
  for (let start = 0; start < entries.length; ) {
    const end = start + prng.nextInt(1, 12);
    pieces.push(entries.slice(start, end));
    start = end;
  }
  return pieces;
}

/**
 * However a log is split into batches, with restarts and physical compaction at any place, the hash
 * at every index is the same.
 */
export function hashFollowsFromTheLogAlone(kv: KvModule, seed: number): void {
  const prng = createPrng(seed);
  const log = randomLog(kv, prng, 150);
  const straight = new Member(kv);
  straight.apply(log);
  const member = new Member(kv);
  for (const piece of randomSplit(prng, log)) {
    if (chance(prng, 15)) {
      member.restart();
    }
    member.apply(piece);
    if (chance(prng, 20)) {
      member.compactStep(prng.nextInt(1, 8));
    }
    for (const { index } of piece) {
      const hash = member.machine.hashAt(index);
      assert(hash !== undefined, `the hash at ${index} is known`);
      assert(hash === straight.machine.hashAt(index), `the hashes at ${index} agree`);
    }
    const { index, hash } = member.machine.stateHash;
    assert(index === member.machine.lastApplied.index, 'the hash is of the newest state');
    assert(hash === straight.machine.hashAt(index), 'the newest hash agrees');
  }
}

/** A change of one entry shows in the hash from there on, and not before. */
export function hashShowsEveryDifference(kv: KvModule, seed: number): void {
  const prng = createPrng(seed);
  const log = Array.from({ length: 30 }, (_, at): AppliedEntry => {
    return { index: at + 1, term: 1, command: kv.encodeCommand(setterOf(prng, at)) };
  });
  const position = prng.nextInt(0, log.length);
  const entry = log[position] as AppliedEntry;
  const variants: readonly AppliedEntry[] = [
    { ...entry, command: new Uint8Array(0) },
    { ...entry, command: new Uint8Array(0), membership: bytes('m') },
    { ...entry, command: new Uint8Array(0), membership: bytes('n') },
    ...['x', 'y', 'xx', 'xxxxxxxxxxxx'].flatMap((value): readonly AppliedEntry[] => [
      { ...entry, command: kv.encodeCommand(putOf('other', value)) },
      {
        ...entry,
        command: kv.encodeCommand({ type: 'setRecord', name: 'other', value: bytes(value) }),
      },
    ]),
    { ...entry, command: kv.encodeCommand(alarmOf(1)) },
    { ...entry, command: kv.encodeCommand(alarmOf(2)) },
    { ...entry, command: kv.encodeCommand({ type: 'compact', revision: 1 }) },
  ];
  const members = [log, ...variants.map((variant) => log.with(position, variant))].map(
    (entries) => {
      const member = new Member(kv);
      member.apply(entries);
      return member;
    },
  );
  for (const { index } of log) {
    const hashes = new Set(members.map(({ machine }) => machine.hashAt(index)));
    const expected = index <= position ? 1 : members.length;
    assert(hashes.size === expected, `${hashes.size} of ${expected} hashes at ${index}`);
  }
}

/** Members at different places of the log and of physical compaction agree on common revisions. */
export function hashKvIgnoresProgress(kv: KvModule, seed: number): void {
  const prng = createPrng(seed);
  const log = randomLog(kv, prng, 200);
  const first = new Member(kv);
  const second = new Member(kv);
  for (const piece of randomSplit(prng, log)) {
    first.apply(piece);
    for (const half of randomSplit(prng, piece)) {
      second.apply(half);
      if (chance(prng, 30)) {
        second.compactStep(prng.nextInt(1, 6));
      }
    }
    const lowest = Math.max(1, first.machine.compactRevision);
    for (const revision of [0, prng.nextInt(lowest, first.machine.revision + 2)]) {
      const expected = first.hashKv(revision);
      assert(second.hashKv(revision) === expected, `the hashes of revision ${revision} agree`);
    }
  }
}

/** What was hashed at a revision gives the same hash later, as long as nothing was compacted. */
export function hashKvIsOfOneRevision(kv: KvModule, seed: number): void {
  const prng = createPrng(seed);
  const member = new Member(kv);
  const known = new Map<number, string>();
  let { compactRevision } = member.machine;
  for (const entry of randomLog(kv, prng, 150)) {
    member.apply([entry]);
    if (member.machine.compactRevision !== compactRevision) {
      ({ compactRevision } = member.machine);
      known.clear();
    }
    if (member.machine.revision > compactRevision) {
      known.set(member.machine.revision, member.hashKv(0));
    }
    for (const [revision, hash] of known) {
      assert(member.hashKv(revision) === hash, `the hash of revision ${revision} stays`);
    }
  }
  assert(new Set(known.values()).size === known.size, 'every revision has its own hash');
}

/** Alarms are active, and refuse, after a restart as before it. */
export function alarmsSurviveRestarts(kv: KvModule): void {
  const member = new Member(kv);
  member.apply([{ index: 1, term: 1, command: kv.encodeCommand(alarmOf(4)) }]);
  member.restart();
  assert(member.machine.alarms.length === 1, 'an alarm is still active');
  const command = kv.encodeCommand(putOf('a', '1'));
  const { results } = member.apply([{ index: 2, term: 1, command }]);
  assert(results[0]?.kind === 'refused', 'a put is still refused');
}

function putOf(key: string, value: string): Kv.PutOperation {
  return {
    ...{ type: 'put', key: bytes(key), value: bytes(value), lease: 0n },
    ...{ prevKv: false, ignoreValue: false, ignoreLease: false },
    ...{ ttlMs: 0, ttlRefreshOnWrite: false },
  };
}

function setterOf(prng: Prng, at: number): Kv.Command {
  const value = String(at);
  return chance(prng, 60)
    ? putOf(`key ${prng.nextInt(0, 4)}`, value)
    : { type: 'setRecord', name: `record${prng.nextInt(0, 3)}`, value: bytes(value) };
}

function alarmOf(memberId: number): Kv.AlarmCommand {
  return { type: 'alarm', action: 'activate', alarm: 'nospace', memberId };
}
