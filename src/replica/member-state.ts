/**
 * The applied state of one member: its engine, the state machine over it, the lane in which entries
 * become state, and what reads see; as one thing that a snapshot can replace.
 *
 * Invariant: a read sees one state. One that is cut short when another takes its place begins anew
 * there, unless that is older than what the read may rest on: then it fails with STOPPED.
 */
import { KvError } from '../base/index.ts';
import {
  type Alarm,
  attributesPrefix,
  eventsAhead,
  hashKv,
  type LevelRange,
  membershipMetaKey,
  type RangeOperation,
  type Reading,
  readRecords,
  type RequestId,
  StateMachine,
  decodeMembershipRecord,
} from '../kv/index.ts';
import { type Configuration, decodeConfiguration } from '../raft/index.ts';
import type { Engine, LogPosition, StagedState, StateStore } from '../storage/index.ts';
import type { KeyspaceHash, RangeAnswer, RangeOptions } from './api.ts';
import { eachTrip, RangeReader } from './range-reader.ts';
import { StateLane, type StateLaneHandler } from './state-lane.ts';

/** What a state tells its member; see {@link StateLaneHandler}. */
export interface MemberStateOptions {
  readonly cacheBytesMax: number;
  readonly levels?: LevelRange | undefined;
  readonly handler: StateLaneHandler;
}

/** What reads are made with; all of it sees the same state. */
export interface ReadableState {
  readonly machine: StateMachine;
  readonly lane: StateLane;
  readonly reader: RangeReader;
}

/** What stands on one generation of the engine. */
interface Generation extends ReadableState {
  readonly configuration: Configuration | undefined;
  readonly attributes: ReadonlyMap<string, Uint8Array>;
}

/** See the module comment. */
export class MemberState {
  readonly #store: StateStore;
  readonly #options: MemberStateOptions;
  #generation: Generation;
  /** Settles once the state that takes the place of this one has done so; never rejects. */
  #replacing: Promise<void> | undefined;

  private constructor(store: StateStore, options: MemberStateOptions, generation: Generation) {
    this.#store = store;
    this.#options = options;
    this.#generation = generation;
  }

  static async open(store: StateStore, options: MemberStateOptions): Promise<MemberState> {
    return new MemberState(store, options, await openGeneration(store.engine, options));
  }

  /** The engine in use; while the state is being replaced, the one that is to be in use. */
  get engine(): Engine {
    return this.#store.engine;
  }

  get machine(): StateMachine {
    return this.#generation.machine;
  }

  get lane(): StateLane {
    return this.#generation.lane;
  }

  get alarms(): readonly Alarm[] {
    return this.machine.alarms;
  }

  /** The newest applied configuration when this generation was opened; undefined if none was. */
  get openedConfiguration(): Configuration | undefined {
    return this.#generation.configuration;
  }

  /** What members had published about themselves when this generation was opened, by name. */
  get openedAttributes(): ReadonlyMap<string, Uint8Array> {
    return this.#generation.attributes;
  }

  /** @throws {KvError} as {@link RangeReader.read}. */
  async readRange(
    range: RangeOperation,
    options?: Pick<RangeOptions, 'charge' | 'bytesMax'>,
  ): Promise<RangeAnswer> {
    const cached = this.#generation.reader.maybeReadCached(range);
    return cached ?? this.read(async ({ reader }) => reader.read(range, options));
  }

  /** Whether an attempt at a request has been answered, be the answer still kept or not. */
  async hasAnswered(id: RequestId): Promise<boolean> {
    return this.read(async ({ lane, machine }) => lane.read(machine.hasAnswered(id)));
  }

  /** @throws {KvError} COMPACTED, FUTURE_REVISION; the reason of `signal`. */
  async hashKv(revision: number, signal?: AbortSignal): Promise<KeyspaceHash> {
    return this.read(async (state) => hashOf(state, revision, signal));
  }

  /** Reads of the state in use; see the module comment. */
  async read<T>(reading: (state: ReadableState) => Promise<T>): Promise<T> {
    for (;;) {
      const generation = this.#generation;
      try {
        return await reading(generation);
      } catch (error) {
        if (!(error instanceof KvError) || error.code !== 'STOPPED') {
          throw error;
        }
        await this.#replacing;
        const isReplaced = this.#generation !== generation;
        if (!isReplaced || this.#generation.lane.readableIndex < generation.lane.readableIndex) {
          throw error;
        }
      }
    }
  }

  /**
   * Puts a staged generation in the place of this one; what was under way in the lane is dropped.
   */
  async install(staged: StagedState, position: LogPosition): Promise<void> {
    const switching = this.#switchTo(staged, position);
    this.#replacing = switching.catch(() => undefined);
    await switching;
  }

  /** Waits until the engine has what was applied, and closes it. */
  async close(): Promise<void> {
    await this.#generation.lane.close();
    await this.#store.close();
  }

  async #switchTo(staged: StagedState, position: LogPosition): Promise<void> {
    await this.#generation.lane.close();
    await staged.activate(position);
    this.#generation = await openGeneration(this.#store.engine, this.#options);
  }
}

async function openGeneration(engine: Engine, options: MemberStateOptions): Promise<Generation> {
  const { cacheBytesMax, levels, handler } = options;
  const [membership] = await engine.getMany([membershipMetaKey]);
  const machine = await runOver(engine, StateMachine.open({ cacheBytesMax, levels }));
  await engine.write(await runOver(engine, eventsAhead(machine.revision)));
  const lane = new StateLane(engine, machine, handler);
  const records = await lane.read(readRecords(attributesPrefix));
  return {
    machine,
    lane,
    reader: new RangeReader(machine, lane),
    configuration: membership === undefined ? undefined : configurationOf(membership),
    attributes: new Map(records.map(({ name, value }) => [name, value])),
  };
}

async function hashOf(
  { lane, machine }: ReadableState,
  revision: number,
  signal: AbortSignal | undefined,
): Promise<KeyspaceHash> {
  await lane.upToDate();
  for (;;) {
    const readable = lane.readableRevision;
    const compactRevision = Math.min(machine.compactRevision, readable);
    const hashing = hashKv(revision, { revision: readable, compactRevision });
    const outcome = await lane.read(eachTrip(hashing, () => signal?.throwIfAborted()));
    if (outcome.kind === 'refused') {
      throw new KvError(outcome.code);
    }
    if (lane.removedRevision <= compactRevision) {
      const { hash, hashRevision } = outcome;
      return { hash, hashRevision, compactRevision, revision: readable };
    }
    // Compacted meanwhile: what it has seen may be incomplete.
  }
}

/** Runs a reading over an engine to which nothing is written meanwhile. */
async function runOver<T>(engine: Engine, reading: Reading<T>): Promise<T> {
  let step = reading.next();
  while (step.done !== true) {
    const need = step.value;
    step = reading.next(
      need.type === 'scan'
        ? { type: 'scan', records: await engine.scan(need) }
        : { type: 'get', values: await engine.getMany(need.keys) },
    );
  }
  return step.value;
}

function configurationOf(record: Uint8Array): Configuration {
  const { index, membership } = decodeMembershipRecord(record);
  return { index, ...decodeConfiguration(membership) };
}
