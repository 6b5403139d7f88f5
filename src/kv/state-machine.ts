/**
 * The replicated state machine: committed entries in, results and engine writes out.
 *
 * Pure and deterministic: equal entries give equal results and records on every member. It holds no
 * keyspace, only a bounded cache; what else it needs to know it asks for (`need.ts`). Reads of a
 * batch come first, in one request, so applying a batch of puts is one synchronous run over arrays.
 *
 * The caller runs `apply` and `removeCompacted` one after the other, and hands their events to the
 * engine in order, as it likes. All else goes as a checkpoint (`checkpoint.ts`), an atomic batch
 * that may stand for many outputs; the caller says once the engine holds it, and may start the next
 * run before that.
 *
 * Invariant: a checkpoint brings the engine from the state at the one before it to the state at the
 * last finished output, the meta record included; so a crash at any point leaves a state that is
 * exactly some applied index, with events after it at most.
 */
import { assert, must } from '../base/index.ts';
import { hasAlarm } from './alarms.ts';
import { AnswerTable } from './answer-table.ts';
import { AuthTable } from './auth-table.ts';
import { ApplyBatch, type EventWrite } from './apply-batch.ts';
import type { Alarm, Command, CommandResult, LeaseId, RangeOperation } from './command.ts';
import type { RequestId } from './command.ts';
import { decodeCommand } from './command-codec.ts';
import { Checkpoints } from './checkpoint.ts';
import {
  type CompactionPlan,
  type CompactionStepLimits,
  type CompactProgress,
  planCompaction,
  progressFor,
} from './compaction.ts';
import { isPoint, keysKey, leasesRange, stateMetaKey } from './key-layout.ts';
import { execute, maybeExecutePut } from './execute.ts';
import { KeyLoader } from './key-loader.ts';
import { checkLevel, featureLevels, type LevelRange } from './feature-level.ts';
import { ExpiryTable } from './expiry-table.ts';
import { LeaseTable } from './leases.ts';
import type { MetaChange } from './meta-changes.ts';
import { expectGet, type Reading, type StateWrite } from './need.ts';
import { pointResult, type RangeOutcome, type ReadPoint, resolveRevision } from './range.ts';
import { type CacheEntry, RecordCache } from './record-cache.ts';
import { resultBytes } from './result-size.ts';
import { ChunkedScan } from './scan.ts';
import { sessionOwner } from './session-owners.ts';
import { HashHistory, type HashWords, hashToBigint } from './state-hash.ts';
import { decodeMeta, encodeMeta, initialMeta, type StateMeta } from './state-meta.ts';

/** A committed log entry. An empty command only moves `lastApplied`. */
export interface AppliedEntry {
  readonly index: number;
  readonly term: number;
  readonly command: Uint8Array;
  /** The cluster's configuration from here on, opaque; the command of such an entry is empty. */
  readonly membership?: Uint8Array | undefined;
}

/** A position in the log. */
export interface AppliedPosition {
  readonly index: number;
  readonly term: number;
}

/** The hash of everything applied up to an entry, itself included. */
export interface StateHash {
  readonly index: number;
  readonly hash: bigint;
}

/** What one run of `apply` amounts to. */
export interface ApplyOutput {
  /** One per applied entry, in order; undefined for an empty command, and where nobody wants it. */
  readonly results: readonly (CommandResult | undefined)[];
  readonly lastApplied: AppliedPosition;
  readonly revision: number;
  readonly compactRevision: number;
  /** Whether history has become unreadable: some of it may have to be removed. */
  readonly hasCompacted: boolean;
  /** Records that come to the revisions table, in the order of the changes. */
  readonly events: readonly EventWrite[];
  /** What changed besides the keyspace, in order. */
  readonly changes: readonly MetaChange[];
}

/** What one step of physical compaction amounts to. */
export interface CompactOutput {
  /**
   * Removals of events: for the engine once it has a checkpoint of this output, and then they may
   * go ahead of the next one, as events do. See {@link StateMachine.removalGiven}.
   */
  readonly removals: readonly StateWrite[];
  /** True once history is physically gone up to the compact revision. */
  readonly isDone: boolean;
}

/** How a state machine is started. */
export interface StateMachineOptions {
  /** Bound of the cache of current records; records on their way to the engine come on top. */
  readonly cacheBytesMax: number;
  /** What this member reads; all that the build does by default. */
  readonly levels?: LevelRange | undefined;
}

/** What the log says about time, for those who keep it (design §4.6). */
export interface TimeState {
  /** The newest stamp, milliseconds of cluster time. */
  readonly timeMs: number;
  /** Whether anything depends on time going on. */
  readonly isNeeded: boolean;
  /** The first moment at which a stamp ends something; undefined while there is none. */
  readonly nextDeadlineMs: number | undefined;
}

/**
 * Limit: bytes that the results of one batch may come to that somebody waits for; those of the last
 * command come on top.
 */
const wantedBytesMax = 32 * 1024 * 1024;

/** What is in memory besides the cache. */
interface Tables {
  readonly leases: LeaseTable;
  readonly expiries: ExpiryTable;
  readonly answers: AnswerTable;
  readonly auth: AuthTable;
}

/** The replicated state machine of one member. */
export class StateMachine {
  readonly #cache: RecordCache;
  readonly #loader: KeyLoader;
  #lastApplied: AppliedPosition;
  /** Revision of the newest change; 1 in a fresh store, as in etcd. Never decreases. */
  #revision: number;
  /**
   * History below is not readable; -1 before the first compaction, so that one to revision 0 is
   * accepted once, as in etcd. Invariant: at most `#revision`, never decreases.
   */
  #compactRevision: number;
  readonly #baseRevision: number;
  /** Invariant: removal never runs ahead of `#compactRevision`. */
  #progress: CompactProgress;
  /** Before a step whose removals are still to be given: what checkpoints tell until then. */
  #progressBefore: CompactProgress | undefined;
  #alarms: readonly Alarm[];
  /** Of the state at `#lastApplied`. */
  #stateHash: HashWords;
  #timeMs: number;
  #level: number;
  readonly #levels: LevelRange;
  /** The leases at `#lastApplied`; while a batch is applied, at its last entry. */
  readonly leases: LeaseTable;
  /** Users and roles; the same. */
  readonly auth: AuthTable;
  readonly #expiries: ExpiryTable;
  readonly #answers: AnswerTable;
  readonly #hashHistory = new HashHistory();
  /** Number of the last output. */
  #sequence = 0;
  #isRunning = false;
  /** What is not history, on its way to the engine. */
  readonly checkpoints: Checkpoints;

  private constructor(options: StateMachineOptions, meta: StateMeta, tables: Tables) {
    this.#cache = new RecordCache(options.cacheBytesMax);
    this.#loader = new KeyLoader(this.#cache);
    this.checkpoints = new Checkpoints(this.#cache);
    this.#timeMs = meta.timeMs;
    this.#level = meta.level;
    this.#levels = options.levels ?? featureLevels;
    this.leases = tables.leases;
    this.auth = tables.auth;
    this.#expiries = tables.expiries;
    this.#answers = tables.answers;
    this.#lastApplied = { index: meta.appliedIndex, term: meta.appliedTerm };
    this.#revision = meta.revision;
    this.#compactRevision = meta.compactRevision;
    this.#baseRevision = meta.baseRevision;
    this.#progress = { compactedRevision: meta.compactedRevision, cursor: meta.compactCursor };
    this.#alarms = meta.alarms;
    this.#stateHash = meta.stateHash;
    this.#hashHistory.record(meta.appliedIndex, meta.stateHash);
    assert(this.#compactRevision <= this.#revision, 'compacted beyond the store revision');
  }

  /**
   * Reads from the engine what it has to know of its state, and begins there.
   *
   * @throws {KvError} VERSION_MISMATCH — the state is of a feature level that is not read here.
   */
  static *open(options: StateMachineOptions): Reading<StateMachine> {
    const get = { type: 'get', keys: [stateMetaKey], afterWrites: false } as const;
    const [metaBytes] = expectGet(yield get).values;
    const meta = metaBytes === undefined ? initialMeta : decodeMeta(metaBytes);
    checkLevel(options.levels ?? featureLevels, meta.level);
    const leases = new LeaseTable();
    const scan = new ChunkedScan(leasesRange);
    while (!scan.isDone) {
      leases.load(scan.take(yield scan.need));
    }
    const expiries = yield* ExpiryTable.open();
    const answers = yield* AnswerTable.open(meta.keyedAnswers);
    const auth = yield* AuthTable.open();
    return new StateMachine(options, meta, { leases, expiries, answers, auth });
  }

  /** Position of the last entry of the last finished `apply`. */
  get lastApplied(): AppliedPosition {
    return this.#lastApplied;
  }

  /** Revision of the newest change. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads below this revision are refused; -1 before the first compaction. */
  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Active alarms of all members, in a fixed order. */
  get alarms(): readonly Alarm[] {
    return this.#alarms;
  }

  /** The cluster's feature level, as of `lastApplied`. */
  get level(): number {
    return this.#level;
  }

  /** What the log says about time. */
  get time(): TimeState {
    const canEnd = !hasAlarm(this.#alarms, 'corrupt');
    const nextMs = Math.min(
      this.leases.nextDeadlineMs ?? Infinity,
      this.#expiries.nextDeadlineMs ?? Infinity,
    );
    return {
      timeMs: this.#timeMs,
      isNeeded: this.#needsTime,
      nextDeadlineMs: canEnd && nextMs < Infinity ? nextMs : undefined,
    };
  }

  /** The user whose session a lease is; undefined when it is no session, or nobody's. */
  sessionOwner(id: LeaseId): string | undefined {
    return sessionOwner({ leases: this.leases, answers: this.#answers }, id);
  }

  /** Whether an attempt at a request has been answered, be the answer still kept or not. */
  hasAnswered(id: RequestId): Reading<boolean> {
    return this.#answers.hasAnswered(id);
  }

  /** Tokens end by the cluster's time too. */
  get #needsTime(): boolean {
    return (
      this.leases.size > 0 ||
      this.#expiries.isNeeded ||
      this.#answers.keyed.count > 0 ||
      this.auth.isEnabled
    );
  }

  /** The hash at `lastApplied`; equal on all members whose state is. */
  get stateHash(): StateHash {
    return { index: this.#lastApplied.index, hash: hashToBigint(this.#stateHash) };
  }

  /**
   * The hash right after the entry at `index`; undefined when that is not applied yet, too long ago
   * (`hashHistoryMax` entries), or before this start.
   */
  hashAt(index: number): bigint | undefined {
    return index > this.#lastApplied.index ? undefined : this.#hashHistory.at(index);
  }

  /** Tells whether compacted history is still to be removed. */
  get hasCompactionWork(): boolean {
    return this.#progress.compactedRevision < this.#compactRevision;
  }

  /** How far removal has come: the compact revision once it is done. */
  get removedRevision(): number {
    return this.hasCompactionWork ? this.#progress.cursor.main : this.#compactRevision;
  }

  /** Estimated memory that cached records take, for metrics. */
  get cacheBytes(): number {
    return this.#cache.bytes;
  }

  /**
   * Applies entries in order: the first, and as many after it as there is memory for their keys'
   * records, and for their results. The results tell how many; the others are to be handed over
   * again.
   *
   * A result that nobody wants (`isWanted`, by its entry's place) is forgotten at once: a
   * transaction may have read much.
   *
   * @throws {InvariantViolation} when a command cannot be decoded: members must not part silently.
   * @throws {KvError} VERSION_MISMATCH — an entry raises the feature level beyond what is read
   *   here; no entry of the batch has been applied.
   */
  *apply(
    entries: readonly AppliedEntry[],
    isWanted: (at: number) => boolean = () => true,
  ): Reading<ApplyOutput> {
    const sequence = this.#begin();
    const commands = this.#decode(entries);
    const { putEntries, timedKeys } = yield* this.#loader.loadNamed(commands);
    const batch = new ApplyBatch(this.#cache, this.#loader, {
      sequence,
      revision: this.#revision,
      compactRevision: this.#compactRevision,
      stateHash: this.#stateHash,
      alarms: this.#alarms,
      timeMs: this.#timeMs,
      level: this.#level,
      leases: this.leases,
      expiries: this.#expiries,
      auth: this.auth,
      answers: this.#answers,
    });
    yield* batch.loadExpiries(timedKeys);
    const results: (CommandResult | undefined)[] = [];
    let wantedBytes = 0;
    let stateHash = this.#stateHash;
    for (let at = 0; at < putEntries.length && wantedBytes < wantedBytesMax; at++) {
      const entry = must(entries[at], 'an entry of the batch');
      const command = commands[at];
      batch.beginEntry(entry.index, entry.term);
      if (entry.membership !== undefined) {
        batch.meta.setMembership(entry.index, entry.membership);
      }
      if (command === undefined) {
        results.push(undefined);
      } else {
        const keyEntry = this.auth.isEnabled ? undefined : putEntries[at];
        const done = keyEntry && maybeExecutePut(batch, command, keyEntry);
        const result = done ?? (yield* execute(batch, command));
        const wanted = isWanted(at) ? result : undefined;
        wantedBytes += wanted === undefined ? 0 : resultBytes(wanted);
        results.push(wanted);
      }
      stateHash = batch.finishEntry();
      this.#hashHistory.record(entry.index, stateHash);
    }
    this.#stateHash = stateHash;
    const last = entries[results.length - 1];
    if (last !== undefined) {
      this.#lastApplied = { index: last.index, term: last.term };
    }
    return this.#finishApply(batch, results);
  }

  /**
   * Answers a range of one key without reading, when its record is cached and tells; otherwise
   * undefined, and `rangeQuery` must be asked.
   */
  cachedPoint(range: RangeOperation, at: ReadPoint): RangeOutcome | undefined {
    if (!isPoint(range)) {
      return undefined;
    }
    const revision = resolveRevision(range.revision, at);
    if (typeof revision === 'string') {
      return { kind: 'refused', code: revision };
    }
    const entry = this.#cache.lookup(range.key);
    if (entry === undefined || (entry.record !== undefined && entry.record.main > revision)) {
      return undefined;
    }
    return { kind: 'ok', result: pointResult(range, entry.record) };
  }

  /**
   * Looks for a piece of the history that compactions have made unreadable. It may run beside
   * `apply`; one at a time, and what it finds goes to `removeCompacted` before the next one begins.
   */
  *planCompaction(limits: CompactionStepLimits): Reading<CompactionPlan> {
    return yield* planCompaction(this.#progress, this.#compactRevision, limits);
  }

  /**
   * Removes what was planned; runs in turn with `apply`. It reads at most the current records of
   * the plan's deletions.
   *
   * @remarks
   * Current records go with the checkpoint, events after it, and the checkpoint after that tells
   * of both. So after a crash at any point the next step finds what is left, by its events.
   */
  *removeCompacted(plan: CompactionPlan): Reading<CompactOutput> {
    assert(this.#progressBefore === undefined, 'the removals of the step before were given');
    const sequence = this.#begin();
    const tombstones = yield* this.#loader.load(plan.tombstones.map(({ key }) => key));
    const writes: StateWrite[] = [];
    const removed: CacheEntry[] = [];
    for (const [index, { key, main, sub }] of plan.tombstones.entries()) {
      const entry = must(tombstones[index], 'the entry of a tombstone');
      if (entry.record?.main === main && entry.record.sub === sub) {
        writes.push({ type: 'delete', key: keysKey(key) });
        this.#cache.write(entry, sequence, undefined, undefined);
        removed.push(entry);
      }
    }
    this.#progressBefore = this.#progress;
    this.#progress = progressFor(plan.progress, plan.compactRevision, this.#compactRevision);
    this.#end(sequence, removed, writes);
    const removals = plan.removedEvents.map((key): StateWrite => ({ type: 'delete', key }));
    return { removals, isDone: !this.hasCompactionWork };
  }

  /** The engine has been given the removals of the last step, ahead of the next checkpoint. */
  removalGiven(): void {
    this.#progressBefore = undefined;
  }

  /** Decodes all commands first: a malformed one stops the member before anything is changed. */
  #decode(entries: readonly AppliedEntry[]): (Command | undefined)[] {
    let previous = this.#lastApplied;
    return entries.map((entry) => {
      assert(entry.index === previous.index + 1, () => {
        return `entry ${entry.index} does not follow ${previous.index}, the last one applied`;
      });
      assert(entry.term >= previous.term, 'terms never decrease along the log');
      previous = entry;
      assert(
        entry.membership === undefined || entry.command.length === 0,
        'an entry brings a command or a configuration',
      );
      const command = entry.command.length === 0 ? undefined : decodeCommand(entry.command);
      if (command?.type === 'raiseLevel') {
        checkLevel(this.#levels, Math.max(command.level, this.#level));
      }
      return command;
    });
  }

  #begin(): number {
    assert(!this.#isRunning, 'apply and removeCompacted run one after the other');
    this.#isRunning = true;
    this.#cache.hold();
    return ++this.#sequence;
  }

  #end(sequence: number, written: readonly CacheEntry[], writes: readonly StateWrite[]): void {
    this.#isRunning = false;
    this.#cache.release(written);
    const { index } = this.#lastApplied;
    const meta = this.#metaWrite();
    this.checkpoints.add({ sequence, writes, index, revision: this.#revision, meta });
  }

  #finishApply(batch: ApplyBatch, results: ApplyOutput['results']): ApplyOutput {
    this.#revision = batch.revision;
    this.#alarms = batch.meta.alarms;
    this.#timeMs = batch.timeMs;
    this.#level = batch.meta.level;
    const hasCompacted = batch.compactRevision > this.#compactRevision;
    if (hasCompacted) {
      const { compactRevision } = batch;
      const onwards = (from: CompactProgress): CompactProgress =>
        progressFor(from, this.#compactRevision, compactRevision);
      this.#progress = onwards(this.#progress);
      this.#progressBefore = this.#progressBefore && onwards(this.#progressBefore);
      this.#compactRevision = compactRevision;
    }
    this.#end(batch.sequence, batch.changed, batch.finish());
    return {
      results,
      lastApplied: this.#lastApplied,
      revision: this.#revision,
      compactRevision: this.#compactRevision,
      hasCompacted,
      events: batch.events,
      changes: batch.meta.changes,
    };
  }

  #metaWrite(): StateWrite {
    const { compactedRevision, cursor } = this.#progressBefore ?? this.#progress;
    const value = encodeMeta({
      appliedIndex: this.#lastApplied.index,
      appliedTerm: this.#lastApplied.term,
      revision: this.#revision,
      compactRevision: this.#compactRevision,
      baseRevision: this.#baseRevision,
      compactedRevision,
      compactCursor: cursor,
      stateHash: this.#stateHash,
      alarms: this.#alarms,
      timeMs: this.#timeMs,
      keyedAnswers: this.#answers.keyed,
      level: this.#level,
    });
    return { type: 'put', key: stateMetaKey, value };
  }
}
