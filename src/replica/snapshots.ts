/**
 * Snapshots of one member: serving its own to peers and for backup, and fetching one to catch up
 * (Raft thesis §5).
 *
 * A snapshot is made while it is read, from a pinned state of the engine, so writes go on. A
 * fetched one fills a staged generation beside the state in use; only when it is whole, verified
 * and on disk does Raft hear of it, and orders the switch. So a crash or a broken stream at any
 * point leaves the old state, and the next offer of the leader begins anew.
 */
import { KvError, must } from '../base/index.ts';
import {
  readSnapshotHead,
  type SnapshotHead,
  snapshotHeadKeys,
  snapshotRanges,
} from '../kv/index.ts';
import { decodeConfiguration, type SnapshotPosition } from '../raft/index.ts';
import type {
  Engine,
  EngineRecord,
  EngineSnapshot,
  SnapshotHeader,
  StagedState,
  StateStore,
} from '../storage/index.ts';
import type { SnapshotStream } from './api.ts';

/** Limit: snapshots served at a time; each pins the files of its state. */
const servedMax = 4;
/** Limit: backups among them: members that are behind find room whatever clients do. */
const backupsMax = 2;
/** Ticks after which one that nobody reads on is given up, or it would pin its state for ever. */
const idleTicksMax = 600;
/** Bytes of records read at a time. */
const scanBytesMax = 512 * 1024;
/** Limit: records read at a time. */
const scanRecordsMax = 4096;

/**
 * The format of snapshots, one for catch-up, backup and restore (design §4.11). What comes out of
 * either side is the caller's until it asks for more.
 */
export interface SnapshotFormat {
  /** Newest version that is read here. */
  readonly versionMax: number;
  /**
   * Writes the newest version up to `versionMax` which whoever wants it reads; that of files, which
   * every program reads, without it.
   */
  createEncoder(
    header: SnapshotHeader,
    versionMax?: number,
  ): {
    push(records: readonly EngineRecord[]): Iterable<Uint8Array>;
    finish(): Iterable<Uint8Array>;
  };
  /** Records come out only once they are verified; `finish` throws unless all was there. */
  createDecoder(): {
    readonly header: SnapshotHeader | undefined;
    push(bytes: Uint8Array): Iterable<readonly EngineRecord[]>;
    finish(): void;
  };
}

/** What the snapshots of a member need to know. */
export interface SnapshotsOptions {
  readonly clusterId: number;
  readonly format: SnapshotFormat;
  /** Written into the header. */
  readonly version: string;
  readonly epochMs: () => number;
  /** The member's current term. */
  readonly term: () => number;
  /** Called with true when a first snapshot moves, read or fetched; with false after the last. */
  readonly onMoving?: ((isMoving: boolean) => void) | undefined;
  /** The state could not be read for a snapshot; whoever fetches it is told, too. */
  readonly onReadFailed?: ((error: unknown) => void) | undefined;
}

/** A fetched snapshot, ready to be switched to. */
export interface FetchedSnapshot {
  readonly position: SnapshotPosition;
  /** The current term of the member that made it. */
  readonly senderTerm: number;
  readonly staged: StagedState;
  readonly bytes: number;
}

/** A member that fetches a snapshot. */
export interface SnapshotReader {
  /** The state must contain all entries up to here. */
  readonly minIndex: number;
  /** Newest version of the format that it reads. */
  readonly formatVersionMax: number;
}

/** A snapshot that is being read, or was. */
interface ServedSnapshot {
  readonly isBackup: boolean;
  /** The last entry of its state; 0 until that is known. */
  index: number;
  /** Since a piece was asked for last, and given. */
  idleTicks: number;
  /** Gives it up: whoever reads on is told so. */
  giveUp: () => void;
}

/** Ticks that the log is kept for after a snapshot has been read. */
const lingerTicks = 300;

/** See the module comment. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #serving = new Set<ServedSnapshot>();
  /** Those that have been read: whoever did still has to install them and to go on from there. */
  readonly #lingering = new Map<ServedSnapshot, { ticksLeft: number }>();
  /** How many are being read or fetched. */
  #movingCount = 0;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /**
   * The log after this index is still needed by members that are fetching; Infinity when none is.
   * Nobody goes on from a backup by this log.
   */
  get retainIndex(): number {
    let index = Number.POSITIVE_INFINITY;
    for (const served of [...this.#serving, ...this.#lingering.keys()]) {
      index = served.isBackup ? index : Math.min(index, served.index);
    }
    return index;
  }

  /**
   * Counts down how long the log is kept for those that have fetched a snapshot, and how long one
   * waits to be read on.
   */
  tick(): void {
    for (const served of this.#serving) {
      served.idleTicks++;
      if (served.idleTicks >= idleTicksMax) {
        served.giveUp();
      }
    }
    for (const [served, lingering] of this.#lingering) {
      lingering.ticksLeft--;
      if (lingering.ticksLeft <= 0) {
        this.#lingering.delete(served);
      }
    }
  }

  /** Newest version of the format that is read here. */
  get formatVersionMax(): number {
    return this.#options.format.versionMax;
  }

  get serving(): number {
    return this.#serving.size;
  }

  /**
   * Opens a snapshot of the engine's present state: for a member, or as a backup.
   *
   * @throws {KvError} TOO_MANY_REQUESTS; UNHEALTHY — this member has not applied that far.
   */
  async open(engine: Engine, reader?: SnapshotReader): Promise<SnapshotStream> {
    const { minIndex, formatVersionMax } = reader ?? { minIndex: 0, formatVersionMax: 0 };
    const isBackup = reader === undefined;
    this.#checkRoom(isBackup);
    const pinned = engine.snapshot();
    const served: ServedSnapshot = { isBackup, index: 0, idleTicks: 0, giveUp: () => undefined };
    this.#serving.add(served);
    this.#moves(1);
    const release = (): void => {
      if (this.#serving.delete(served)) {
        this.#moves(-1);
        if (served.index > 0 && !isBackup) {
          this.#lingering.set(served, { ticksLeft: lingerTicks });
        }
      }
      pinned.close();
    };
    try {
      const head = readSnapshotHead(await this.#told(pinned.getMany(snapshotHeadKeys)));
      if (head === undefined || head.appliedIndex < minIndex) {
        throw new KvError('UNHEALTHY', {
          message: `etcdserver: unhealthy cluster (this member has not applied entry ${minIndex})`,
        });
      }
      served.index = head.appliedIndex;
      const estimatedBytes = await engine.sizeBytes();
      const header = this.#headerOf(head, estimatedBytes);
      const chunks = releasing(this.#read(pinned, header, formatVersionMax), served, release);
      return { estimatedBytes, revision: head.revision, chunks };
    } catch (error) {
      release();
      throw error;
    }
  }

  #checkRoom(isBackup: boolean): void {
    const backups = [...this.#serving].filter((served) => served.isBackup).length;
    if (this.#serving.size >= servedMax || (isBackup && backups >= backupsMax)) {
      throw new KvError('TOO_MANY_REQUESTS');
    }
  }

  /**
   * Fills a staged generation from a stream of another member.
   *
   * @throws {KvError} DATA_CORRUPT — the bytes are not what they should be; CLUSTER_ID_MISMATCH;
   *   and
   *   whatever the stream throws. Nothing has changed then.
   */
  async fetch(store: StateStore, chunks: AsyncIterable<Uint8Array>): Promise<FetchedSnapshot> {
    const staged = await store.stage();
    this.#moves(1);
    try {
      const decoder = this.#options.format.createDecoder();
      let bytes = 0;
      for await (const chunk of chunks) {
        bytes += chunk.length;
        for (const records of decoder.push(chunk)) {
          await staged.engine.write(records.map(({ key, value }) => ({ type: 'put', key, value })));
        }
      }
      decoder.finish();
      const header = must(decoder.header, 'the header of a whole snapshot');
      if (header.clusterId !== this.#options.clusterId) {
        throw new KvError('CLUSTER_ID_MISMATCH');
      }
      await staged.engine.flush();
      const { senderTerm } = header;
      return { position: await positionOf(staged.engine, header), senderTerm, staged, bytes };
    } catch (error) {
      await staged.discard();
      throw error;
    } finally {
      this.#moves(-1);
    }
  }

  #moves(by: 1 | -1): void {
    const wasMoving = this.#movingCount > 0;
    this.#movingCount += by;
    const isMoving = this.#movingCount > 0;
    if (isMoving !== wasMoving) {
      this.#options.onMoving?.(isMoving);
    }
  }

  #headerOf(head: SnapshotHead, estimatedBytes: number): SnapshotHeader {
    const { clusterId, version, epochMs, term } = this.#options;
    return {
      clusterId,
      index: head.appliedIndex,
      term: head.appliedTerm,
      revision: head.revision,
      membership: head.membership?.membership ?? new Uint8Array(0),
      createdBy: version,
      createdMs: epochMs(),
      estimatedBytes,
      // Read once the state is pinned: what that state has applied is known in this term.
      senderTerm: term(),
    };
  }

  async *#read(
    pinned: EngineSnapshot,
    header: SnapshotHeader,
    formatVersionMax: number,
  ): AsyncGenerator<Uint8Array, undefined> {
    const encoder = this.#options.format.createEncoder(header, formatVersionMax);
    for (const range of snapshotRanges(header.revision)) {
      for await (const records of this.#scan(pinned, range)) {
        yield* encoder.push(records);
      }
    }
    yield* encoder.finish();
    return undefined;
  }

  /** The same reading; that it fails is told to the member, too. */
  async #told<T>(reading: Promise<T>): Promise<T> {
    return reading.catch((error: unknown) => {
      this.#options.onReadFailed?.(error);
      throw error;
    });
  }

  /** All records of a range, a piece at a time. */
  async *#scan(
    pinned: EngineSnapshot,
    range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
  ): AsyncIterable<readonly EngineRecord[]> {
    let { gte } = range;
    for (;;) {
      const piece = { gte, lt: range.lt, limit: scanRecordsMax, bytesMax: scanBytesMax };
      const records = await this.#told(pinned.scan(piece));
      const last = records.at(-1);
      if (last === undefined) {
        return;
      }
      yield records;
      gte = successorOf(last.key);
    }
  }
}

/** Calls `release` once nobody reads any more, even if nobody ever has. */
function releasing(
  source: AsyncGenerator<Uint8Array, undefined>,
  served: ServedSnapshot,
  release: () => void,
): AsyncIterable<Uint8Array> {
  let isGivenUp = false;
  let isReading = false;
  served.giveUp = () => {
    // A read that takes long is the disk's doing, and ends by itself.
    isGivenUp = !isReading;
    if (isGivenUp) {
      release();
    }
  };
  const iterator: AsyncIterator<Uint8Array, undefined> = {
    next: async () => {
      if (isGivenUp) {
        throw new KvError('TIMEOUT', {
          message: `nobody has read on for ${idleTicksMax} ticks; begin the snapshot anew`,
        });
      }
      isReading = true;
      try {
        const item = await source.next();
        if (item.done === true) {
          release();
        }
        return item;
      } catch (error) {
        release();
        throw error;
      } finally {
        isReading = false;
        served.idleTicks = 0;
      }
    },
    return: async () => {
      try {
        return await source.return(undefined);
      } finally {
        release();
      }
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

function successorOf(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

/** The head of the staged state must say what the header has promised. */
async function positionOf(engine: Engine, header: SnapshotHeader): Promise<SnapshotPosition> {
  const head = readSnapshotHead(await engine.getMany(snapshotHeadKeys));
  const isAsPromised = head?.appliedIndex === header.index && head.appliedTerm === header.term;
  if (head?.membership === undefined || !isAsPromised) {
    throw new KvError('DATA_CORRUPT', {
      message: 'the snapshot does not hold the state that its header speaks of; fetch it again',
    });
  }
  const { appliedIndex: index, appliedTerm: term, membership } = head;
  return {
    index,
    term,
    configuration: { index: membership.index, ...decodeConfiguration(membership.membership) },
  };
}
