/**
 * What a member keeps on disk, opened. A damaged state is moved aside when other members have it
 * whole: the member then starts with an empty one, and rebuilds it from the log and from them.
 */
import { randomBytes } from 'node:crypto';
import { revisionsTable } from '../kv/index.ts';
import type { Logger } from '../observability/index.ts';
import { isEngineDamage } from '../replica/index.ts';
import {
  type DataDirectory,
  type LogStore,
  type MemberIdentity,
  nodeFileSystem,
  openDataDirectory,
  openPeerRegistry,
  openStateStore,
  openWal,
  type PeerRegistry,
  recordLease,
  type StateStore,
} from '../storage/index.ts';

/** Where the stores are, and whose they are. */
export interface StoresOptions {
  readonly path: string;
  readonly identity: MemberIdentity;
  /** Whether the flags name other members. Those that this member has met count in any case. */
  readonly hasPeers: boolean;
  /** Milliseconds of the promises that this member gives to leaders; 0 for none. */
  readonly leaseMs: number;
  readonly logger: Pick<Logger, 'error'>;
}

/** See the module comment. */
export class Stores {
  readonly directory: DataDirectory;
  readonly log: LogStore;
  readonly incarnations: PeerRegistry;
  /** No other member can have the state. */
  readonly isAlone: boolean;
  /** Milliseconds of the longest promise that an earlier run of this member may have given. */
  readonly earlierLeaseMs: number;
  readonly #logger: Pick<Logger, 'error'>;
  #state: StateStore;

  private constructor(
    opened: Pick<Stores, 'directory' | 'log' | 'incarnations' | 'isAlone' | 'earlierLeaseMs'>,
    state: StateStore,
    logger: Pick<Logger, 'error'>,
  ) {
    this.directory = opened.directory;
    this.log = opened.log;
    this.incarnations = opened.incarnations;
    this.isAlone = opened.isAlone;
    this.earlierLeaseMs = opened.earlierLeaseMs;
    this.#state = state;
    this.#logger = logger;
  }

  get state(): StateStore {
    return this.#state;
  }

  /** Opens the engine before the log: its lock holds where that of the directory cannot be seen. */
  static async open(options: StoresOptions): Promise<Stores> {
    const { path, identity, hasPeers, leaseMs, logger } = options;
    const fileSystem = nodeFileSystem;
    const directory = await openDataDirectory({ path, identity, fileSystem, randomUint32 });
    let state: StateStore | undefined;
    try {
      const incarnations = await openPeerRegistry({ folder: directory.path, fileSystem });
      const earlierLeaseMs = await recordLease({ folder: directory.path, fileSystem, leaseMs });
      const isAlone = !hasPeers && incarnations.count === 0;
      const place = { directory, isAlone, logger };
      state = await openState(directory).catch(async (error: unknown) => replaced(error, place));
      const log = await openWal({ folder: directory.walFolder, fileSystem, randomUint32 });
      const opened = { directory, log, incarnations, isAlone, earlierLeaseMs };
      return new Stores(opened, state, logger);
    } catch (error) {
      await state?.close();
      await directory.close();
      throw error;
    }
  }

  /**
   * Calls `use`, which rests on the state, and again with an empty state when it has found this one
   * damaged.
   */
  async withSoundState<Result>(use: () => Promise<Result>): Promise<Result> {
    try {
      return await use();
    } catch (error) {
      if (!isEngineDamage(error) || this.isAlone) {
        throw error;
      }
      await this.#state.close();
      const { directory, isAlone } = this;
      this.#state = await replaced(error, { directory, isAlone, logger: this.#logger });
      return use();
    }
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.#state.close();
    await this.directory.close();
  }
}

/** Unpredictable, for what must not be drawn twice. */
function randomUint32(): number {
  return randomBytes(4).readUInt32BE();
}

async function openState(
  { engineFolder: folder }: DataDirectory,
  rebuild = false,
): Promise<StateStore> {
  return openStateStore({
    ...{ folder, fileSystem: nodeFileSystem, rebuild },
    ascendingTable: revisionsTable,
  });
}

/** An empty state in the place of a damaged one, which is kept for whoever wants to look at it. */
async function replaced(
  error: unknown,
  place: Pick<Stores, 'directory' | 'isAlone'> & { readonly logger: Pick<Logger, 'error'> },
): Promise<StateStore> {
  const { directory, isAlone, logger } = place;
  if (!isEngineDamage(error) || isAlone) {
    throw error;
  }
  const aside = `${directory.engineFolder}.damaged`;
  await nodeFileSystem.removeFolder(aside);
  nodeFileSystem.rename(directory.engineFolder, aside);
  await nodeFileSystem.syncDirectory(directory.path);
  logger.error({
    event: 'state-moved-aside',
    reason: error.message,
    movedTo: aside,
    remedy:
      'none needed while other members serve: the state is rebuilt from the log and from them',
  });
  return openState(directory, true);
}
