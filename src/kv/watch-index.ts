/**
 * Who wants to know of a key: watchers by the keys and ranges that they watch.
 *
 * Single keys stand in a map, so an event costs nothing for those who watch others. Ranges stand in
 * a treap ordered by their start, each node knowing the furthest end below it: finding the k ranges
 * around a key takes O(k log n). Equal ranges share a node.
 *
 * Keys are strings of one character a byte (`mapKeyOf`), which compare as their bytes do.
 */
import type { KeySelector } from './command.ts';
import { isPoint, mapKeyOf } from './key-layout.ts';

/** Keys that are watched: one, or all from `start` on up to `end`. */
export interface WatchedRange {
  readonly start: string;
  /** Exclusive; undefined: the key `start` alone. */
  readonly end: string | undefined;
}

/** Watchers that watch the same key or range: a single one of a key stands for itself. */
export type WatchGroup<T> = T | ReadonlySet<T>;

/** A range of keys, and who watches it. */
interface RangeNode<T> {
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
  readonly watchers: Set<T>;
  /** The largest `end` here and below. */
  endMax: string;
  /** Invariant: none below has a higher one. */
  readonly priority: number;
  left: RangeNode<T> | undefined;
  right: RangeNode<T> | undefined;
}

/** Above every key. */
const endOfKeys = '\u{ffff}';

/** See the module comment. */
export class WatchIndex<T> {
  /** A set takes many times what its only watcher takes: it is made for the second one. */
  readonly #watchersByKey = new Map<string, T | Set<T>>();
  readonly #nodesByRange = new Map<string, RangeNode<T>>();
  #root: RangeNode<T> | undefined;
  #nodesMade = 0;

  /** Whether nobody watches anything. */
  get isEmpty(): boolean {
    return this.#watchersByKey.size === 0 && this.#root === undefined;
  }

  /** Adds a watcher of a key or a range; an empty range is watched by nobody. */
  add({ start, end }: WatchedRange, watcher: T): void {
    if (end === undefined) {
      this.#addToKey(start, watcher);
      return;
    }
    if (start >= end) {
      return;
    }
    const name = nameOf(start, end);
    const node = this.#nodesByRange.get(name);
    if (node !== undefined) {
      node.watchers.add(watcher);
      return;
    }
    const added: RangeNode<T> = {
      start,
      end,
      endMax: end,
      watchers: new Set([watcher]),
      priority: mix(++this.#nodesMade),
      left: undefined,
      right: undefined,
    };
    this.#nodesByRange.set(name, added);
    this.#root = inserted(this.#root, added);
  }

  /** Takes out what `add` with the same arguments has put in. */
  remove({ start, end }: WatchedRange, watcher: T): void {
    if (end === undefined) {
      this.#removeFromKey(start, watcher);
      return;
    }
    const name = nameOf(start, end);
    const node = this.#nodesByRange.get(name);
    node?.watchers.delete(watcher);
    if (node?.watchers.size === 0) {
      this.#nodesByRange.delete(name);
      this.#root = removed(this.#root, node);
    }
  }

  /** Calls `visit` for each range, and for the key, that `key` is in. */
  visit(key: Uint8Array, visit: (watchers: WatchGroup<T>) => void): void {
    if (this.isEmpty) {
      return;
    }
    const name = mapKeyOf(key);
    const watchers = this.#watchersByKey.get(name);
    if (watchers !== undefined) {
      visit(watchers);
    }
    visitAround(this.#root, name, visit);
  }

  #addToKey(key: string, watcher: T): void {
    const watchers = this.#watchersByKey.get(key);
    if (watchers === undefined) {
      this.#watchersByKey.set(key, watcher);
    } else if (watchers instanceof Set) {
      watchers.add(watcher);
    } else {
      this.#watchersByKey.set(key, new Set([watchers, watcher]));
    }
  }

  #removeFromKey(key: string, watcher: T): void {
    const watchers = this.#watchersByKey.get(key);
    if (watchers instanceof Set) {
      watchers.delete(watcher);
    }
    if (watchers === watcher || (watchers instanceof Set && watchers.size === 0)) {
      this.#watchersByKey.delete(key);
    }
  }
}

/** What an index takes, of a selector. */
export function watchedRange(selector: KeySelector): WatchedRange {
  const { key, rangeEnd = key } = selector;
  if (isPoint(selector)) {
    return { start: mapKeyOf(key), end: undefined };
  }
  const isFromKey = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return { start: mapKeyOf(key), end: isFromKey ? endOfKeys : mapKeyOf(rangeEnd) };
}

/** Whether a selector names no key at all, whatever keys there are. */
export function isEmptyRange(selector: KeySelector): boolean {
  const { start, end } = watchedRange(selector);
  return end !== undefined && start >= end;
}

function nameOf(start: string, end: string): string {
  return `${start.length}:${start}${end}`;
}

function isBefore<T>(a: RangeNode<T>, b: RangeNode<T>): boolean {
  return a.start < b.start || (a.start === b.start && a.end < b.end);
}

function visitAround<T>(
  node: RangeNode<T> | undefined,
  key: string,
  visit: (watchers: WatchGroup<T>) => void,
): void {
  if (node === undefined || node.endMax <= key) {
    return;
  }
  visitAround(node.left, key, visit);
  if (node.start <= key) {
    if (key < node.end) {
      visit(node.watchers);
    }
    visitAround(node.right, key, visit);
  }
}

function inserted<T>(node: RangeNode<T> | undefined, added: RangeNode<T>): RangeNode<T> {
  if (node === undefined) {
    return added;
  }
  if (added.priority > node.priority) {
    [added.left, added.right] = split(node, added);
    return settle(added);
  }
  if (isBefore(added, node)) {
    node.left = inserted(node.left, added);
  } else {
    node.right = inserted(node.right, added);
  }
  return settle(node);
}

function removed<T>(node: RangeNode<T> | undefined, gone: RangeNode<T>): RangeNode<T> | undefined {
  if (node === undefined || node === gone) {
    return merged(node?.left, node?.right);
  }
  if (isBefore(gone, node)) {
    node.left = removed(node.left, gone);
  } else {
    node.right = removed(node.right, gone);
  }
  return settle(node);
}

/** Parts a tree into what is before `at` and what comes after it. */
function split<T>(
  node: RangeNode<T> | undefined,
  at: RangeNode<T>,
): [RangeNode<T> | undefined, RangeNode<T> | undefined] {
  if (node === undefined) {
    return [undefined, undefined];
  }
  if (isBefore(node, at)) {
    const [before, after] = split(node.right, at);
    node.right = before;
    return [settle(node), after];
  }
  const [before, after] = split(node.left, at);
  node.left = after;
  return [before, settle(node)];
}

/** Joins two trees of which all of the first comes before all of the second. */
function merged<T>(
  before: RangeNode<T> | undefined,
  after: RangeNode<T> | undefined,
): RangeNode<T> | undefined {
  if (before === undefined || after === undefined) {
    return before ?? after;
  }
  if (before.priority > after.priority) {
    before.right = merged(before.right, after);
    return settle(before);
  }
  after.left = merged(before, after.left);
  return settle(after);
}

/** Restores `endMax` of a node whose children have changed. */
function settle<T>(node: RangeNode<T>): RangeNode<T> {
  let { end } = node;
  for (const child of [node.left, node.right]) {
    if (child !== undefined && child.endMax > end) {
      end = child.endMax;
    }
  }
  node.endMax = end;
  return node;
}

/** Spreads ascending numbers evenly: a treap is as deep as its priorities are in order. */
function mix(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
