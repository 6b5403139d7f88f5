/**
 * Remembers the incarnation of every other member, in `peers.json` of the data directory. A member
 * that shows up with another one has lost its disk: it must not vote or acknowledge under its old
 * id (Raft thesis §3.8), since what it promised there is forgotten.
 *
 * Only durable knowledge is acted upon: an incarnation is on disk before it is told to be new.
 */
import { KvError } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import { corruptData } from './corruption.ts';
import type { FileSystem } from './file-system.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';
import { storageError } from './storage-error.ts';

const FORMAT_VERSION = 1;
const registryFileName = 'peers.json';
/** Limit: members known at a time, removed ones included. Far above any cluster's size. */
const PEERS_MAX = 1000;

/** What is known of an incarnation that a peer shows up with. */
export type KnownIncarnation = 'new' | 'same' | 'other';

/** The incarnations of the peers. */
export interface PeerRegistry {
  /** How many peers are known. */
  readonly count: number;
  /** The incarnation known of `peer`, or undefined. */
  incarnationOf(peer: NodeId): number | undefined;
  /**
   * Tells whether `peer` is known under this incarnation. An unknown peer is recorded, durably,
   * before this answers `new`; another incarnation is never recorded.
   *
   * @throws {KvError} STORAGE_FAILED; DISK_FULL — it could not be recorded, and is not known.
   * @throws {KvError} TOO_MANY_REQUESTS — more peers than any cluster has.
   */
  record(peer: NodeId, incarnation: number): Promise<KnownIncarnation>;
  /** Forgets a peer that has left for good; durable before it resolves. */
  forget(peer: NodeId): Promise<void>;
}

/** Where the registry is kept. */
export interface PeerRegistryOptions {
  /** The data directory. */
  readonly folder: string;
  readonly fileSystem: FileSystem;
}

/**
 * Opens the registry of an open data directory; one that is not there is empty.
 *
 * @throws {KvError} DATA_CORRUPT — the file is damaged.
 */
export async function openPeerRegistry(options: PeerRegistryOptions): Promise<PeerRegistry> {
  const { folder, fileSystem } = options;
  if (!fileSystem.list(folder).includes(registryFileName)) {
    return new FilePeerRegistry(options, new Map());
  }
  const path = `${folder}/${registryFileName}`;
  const fields = await readJsonFile(path, fileSystem);
  const incarnations = typeof fields === 'string' ? fields : incarnationsOf(fields);
  if (typeof incarnations === 'string') {
    throw corruptData('identity', path, 0, `the list of peers is damaged: ${incarnations}`);
  }
  return new FilePeerRegistry(options, incarnations);
}

class FilePeerRegistry implements PeerRegistry {
  readonly #options: PeerRegistryOptions;
  /** What is on disk. Limit: {@link PEERS_MAX}. */
  #incarnations: ReadonlyMap<NodeId, number>;
  /** Settles with the last change called; never rejects. One is at work at a time. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: PeerRegistryOptions, incarnations: ReadonlyMap<NodeId, number>) {
    this.#options = options;
    this.#incarnations = incarnations;
  }

  get count(): number {
    return this.#incarnations.size;
  }

  incarnationOf(peer: NodeId): number | undefined {
    return this.#incarnations.get(peer);
  }

  async record(peer: NodeId, incarnation: number): Promise<KnownIncarnation> {
    return this.#inTurn(async () => {
      const known = this.#incarnations.get(peer);
      if (known !== undefined) {
        return known === incarnation ? 'same' : 'other';
      }
      if (this.#incarnations.size >= PEERS_MAX) {
        throw new KvError('TOO_MANY_REQUESTS', {
          message: `${PEERS_MAX} peers are known already; member ${peer} is not recorded`,
        });
      }
      await this.#replace(new Map([...this.#incarnations, [peer, incarnation]]));
      return 'new';
    });
  }

  async forget(peer: NodeId): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#incarnations.has(peer)) {
        await this.#replace(new Map([...this.#incarnations].filter(([id]) => id !== peer)));
      }
    });
  }

  async #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const turn = this.#changing.then(change);
    this.#changing = turn.catch(() => undefined);
    return turn;
  }

  async #replace(incarnations: ReadonlyMap<NodeId, number>): Promise<void> {
    const { folder, fileSystem } = this.#options;
    const peers = [...incarnations].sort(([a], [b]) => a - b);
    try {
      const fields = { formatVersion: FORMAT_VERSION, peers };
      await writeJsonFile(folder, registryFileName, fields, fileSystem);
    } catch (error) {
      throw storageError(error, `${folder}/${registryFileName} could not be written`, 'rejected');
    }
    this.#incarnations = incarnations;
  }
}

/** A string says what is wrong. */
function incarnationsOf({
  formatVersion,
  peers,
}: Readonly<Record<string, unknown>>): ReadonlyMap<NodeId, number> | string {
  if (formatVersion !== FORMAT_VERSION) {
    return `it has format version ${String(formatVersion)}, this program reads ${FORMAT_VERSION}`;
  }
  const incarnations = new Map<NodeId, number>();
  for (const pair of Array.isArray(peers) ? (peers as readonly unknown[]) : [undefined]) {
    const [peer, incarnation] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    if (!Number.isSafeInteger(peer) || !Number.isSafeInteger(incarnation)) {
      return 'it is not a list of peers and incarnations';
    }
    incarnations.set(peer as number, incarnation as number);
  }
  return incarnations;
}
