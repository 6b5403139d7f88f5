/**
 * The engine in memory: the reference that the real one is held against, and the store of tests and
 * the simulation. Nothing survives the process.
 *
 * A treap of immutable nodes, ordered by key: a change copies the path to it, so a state is one
 * reference and a snapshot costs nothing. All operations are O(log n). Priorities come from a fixed
 * seed: the same operations build the same tree.
 */
import { assert, compareBytes, createPrng, KvError } from '../base/index.ts';
import type { Engine, EngineOperation, EngineRecord, EngineScan, EngineSnapshot } from './ports.ts';
import { UseCount } from './use-count.ts';

interface TreapNode {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Invariant: not below the children's. */
  readonly priority: number;
  readonly left: Tree;
  readonly right: Tree;
}

type Tree = TreapNode | undefined;

/**
 * Creates an empty engine in memory.
 *
 * @internal for tests and simulations.
 */
export function createMemoryEngine(): Engine {
  return new MemoryEngine();
}

class MemoryEngine implements Engine {
  readonly #prng = createPrng(1);
  #root: Tree;
  #sizeBytes = 0;
  #isClosed = false;
  readonly #snapshots = new UseCount();

  async write(batch: readonly EngineOperation[]): Promise<void> {
    this.#checkOpen();
    let root = this.#root;
    for (const operation of batch) {
      root = this.#applied(root, operation);
    }
    this.#root = root;
    return Promise.resolve();
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#checkOpen();
    return Promise.resolve(getMany(this.#root, keys));
  }

  async scan(range: EngineScan): Promise<readonly EngineRecord[]> {
    this.#checkOpen();
    return Promise.resolve(scan(this.#root, range));
  }

  snapshot(): EngineSnapshot {
    this.#checkOpen();
    return new MemorySnapshot(this.#root, this.#snapshots, () => this.#isClosed);
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    return Promise.resolve();
  }

  async sizeBytes(): Promise<number> {
    return Promise.resolve(this.#sizeBytes);
  }

  async compactRange(): Promise<void> {
    this.#checkOpen();
    return Promise.resolve();
  }

  async retire(): Promise<void> {
    await this.#snapshots.unused();
    await this.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#snapshots.abandon();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    assert(!this.#isClosed, 'the engine is open');
  }

  #applied(root: Tree, operation: EngineOperation): Tree {
    const { key } = operation;
    switch (operation.type) {
      case 'put': {
        const [below, rest] = split(root, key, false);
        const [replaced, above] = split(rest, key, true);
        this.#sizeBytes += key.length + operation.value.length - bytesIn(replaced);
        const node = {
          key: key.slice(),
          value: operation.value.slice(),
          priority: this.#prng.nextUint32(),
          left: undefined,
          right: undefined,
        };
        return join(join(below, node), above);
      }
      case 'delete': {
        const [below, rest] = split(root, key, false);
        const [removed, above] = split(rest, key, true);
        this.#sizeBytes -= bytesIn(removed);
        return join(below, above);
      }
      case 'deleteRange': {
        const [below, rest] = split(root, key, false);
        const [removed, above] = split(rest, operation.end, false);
        if (compareBytes(key, operation.end) >= 0) {
          return root;
        }
        this.#sizeBytes -= bytesIn(removed);
        return join(below, above);
      }
    }
  }
}

/** Bytes of the keys and values of a tree. */
function bytesIn(tree: Tree): number {
  return tree === undefined
    ? 0
    : tree.key.length + tree.value.length + bytesIn(tree.left) + bytesIn(tree.right);
}

class MemorySnapshot implements EngineSnapshot {
  readonly #root: Tree;
  readonly #uses: UseCount;
  readonly #isStopped: () => boolean;
  #isClosed = false;

  constructor(root: Tree, uses: UseCount, isStopped: () => boolean) {
    this.#root = root;
    this.#uses = uses;
    this.#isStopped = isStopped;
    uses.begin();
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#checkOpen();
    return Promise.resolve(getMany(this.#root, keys));
  }

  async scan(range: EngineScan): Promise<readonly EngineRecord[]> {
    this.#checkOpen();
    return Promise.resolve(scan(this.#root, range));
  }

  close(): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#uses.end();
    }
  }

  #checkOpen(): void {
    assert(!this.#isClosed, 'the snapshot is open');
    if (this.#isStopped()) {
      throw new KvError('STOPPED');
    }
  }
}

/** Parts `tree` into the keys below `key` (with `key` itself if `isInclusive`) and the others. */
function split(tree: Tree, key: Uint8Array, isInclusive: boolean): [Tree, Tree] {
  if (tree === undefined) {
    return [undefined, undefined];
  }
  const order = compareBytes(tree.key, key);
  if (order < 0 || (order === 0 && isInclusive)) {
    const [below, above] = split(tree.right, key, isInclusive);
    return [{ ...tree, right: below }, above];
  }
  const [below, above] = split(tree.left, key, isInclusive);
  return [below, { ...tree, left: above }];
}

/** Joins two trees, every key of `below` being below every key of `above`. */
function join(below: Tree, above: Tree): Tree {
  if (below === undefined) {
    return above;
  }
  if (above === undefined) {
    return below;
  }
  return below.priority >= above.priority
    ? { ...below, right: join(below.right, above) }
    : { ...above, left: join(below, above.left) };
}

function getMany(root: Tree, keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
  return keys.map((key) => {
    let node = root;
    while (node !== undefined) {
      const order = compareBytes(key, node.key);
      if (order === 0) {
        return node.value.slice();
      }
      node = order < 0 ? node.left : node.right;
    }
    return undefined;
  });
}

function scan(root: Tree, range: EngineScan): EngineRecord[] {
  const { gte, lt, limit, bytesMax = Number.POSITIVE_INFINITY, reverse = false } = range;
  let bytes = 0;
  const records: EngineRecord[] = [];
  /** Nodes whose nearer side is done, the next one last. */
  const path: TreapNode[] = [];
  const descend = (from: Tree): void => {
    let node = from;
    while (node !== undefined) {
      const isInside = reverse ? compareBytes(node.key, lt) < 0 : compareBytes(node.key, gte) >= 0;
      if (isInside) {
        path.push(node);
        node = reverse ? node.right : node.left;
      } else {
        node = reverse ? node.left : node.right;
      }
    }
  };
  descend(root);
  while (records.length < limit && bytes < bytesMax) {
    const node = path.pop();
    if (node === undefined) {
      break;
    }
    const isPastEnd = reverse ? compareBytes(node.key, gte) < 0 : compareBytes(node.key, lt) >= 0;
    if (isPastEnd) {
      break;
    }
    bytes += node.key.length + node.value.length;
    records.push({ key: node.key.slice(), value: node.value.slice() });
    descend(reverse ? node.left : node.right);
  }
  return records;
}
