/**
 * The end of a run: what clients were told, against a naive store that does what the ledger says,
 * one command at a time, and keeps every past state.
 *
 * - Every acknowledged command is in the ledger where its client was told, with the result that the
 *   store gives there: nothing acknowledged is lost.
 * - No command that a client was told had no effect is in the ledger.
 * - A command takes effect between its call and its return; so does what a linearizable read shows.
 * - A read shows exactly the keys of the store at its revision.
 */
import { equalBytes } from '../../src/base/index.ts';
import {
  type Command,
  type CommandResult,
  decodeCommand,
  encodeCommand,
  type KeyValue,
  type Operation as KvOperation,
  type OperationResult,
  type RangeOperation,
} from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import { decodeEnvelope } from '../../src/replica/proposals.ts';
import { holds } from './failure.ts';
import type { Operation } from './history.ts';
import type { Ledger } from './ledger.ts';

const name = 'history';

/** One key from a revision on; no value: it is gone. */
interface Version {
  readonly revision: number;
  readonly kv: KeyValue | undefined;
}

/** The naive store. */
class NaiveStore {
  revision = 1;
  compactRevision = -1;
  readonly #versionsByKey = new Map<string, Version[]>();

  /** Executes a command; refusals change nothing. */
  execute(command: Command): { readonly isOk: boolean; readonly result?: OperationResult } {
    switch (command.type) {
      case 'put':
      case 'deleteRange':
      case 'txn': {
        const next = this.revision + 1;
        const result = this.#run(command, next);
        if (this.#hasChanged(next)) {
          this.revision = next;
        }
        return { isOk: true, result };
      }
      case 'compact': {
        const { revision } = command;
        const isOk = revision > this.compactRevision && revision <= this.revision;
        if (isOk) {
          this.compactRevision = revision;
        }
        return { isOk };
      }
      default:
        return { isOk: true };
    }
  }

  /** Live keys that a range selects, as they were at `revision`. */
  select(range: Pick<RangeOperation, 'key' | 'rangeEnd'>, revision: number): KeyValue[] {
    const low = mapKeyOf(range.key);
    const high = range.rangeEnd === undefined ? `${low}\0` : mapKeyOf(range.rangeEnd);
    const keys = [...this.#versionsByKey.keys()].filter((key) => key >= low && key < high);
    return keys.sort().flatMap((key) => {
      const kv = this.#at(key, revision);
      return kv === undefined ? [] : [kv];
    });
  }

  #run(operation: KvOperation, next: number): OperationResult {
    switch (operation.type) {
      case 'put': {
        const { key, value } = operation;
        const before = this.#at(mapKeyOf(key), next);
        const kv: KeyValue = {
          ...{ key, value, lease: 0n, modRevision: next },
          createRevision: before?.createRevision ?? next,
          version: (before?.version ?? 0) + 1,
        };
        this.#add(mapKeyOf(key), { revision: next, kv });
        return { type: 'put', prevKv: operation.prevKv ? before : undefined };
      }
      case 'deleteRange': {
        const gone = this.select(operation, next);
        for (const { key } of gone) {
          this.#add(mapKeyOf(key), { revision: next, kv: undefined });
        }
        const prevKvs = operation.prevKv ? gone : [];
        return { type: 'deleteRange', deleted: gone.length, prevKvs };
      }
      case 'range': {
        const kvs = this.select(operation, next);
        return { type: 'range', kvs, more: false, count: kvs.length };
      }
      case 'txn': {
        const succeeded = operation.compare.every((compare) => {
          const kv = this.#at(mapKeyOf(compare.key), next);
          return compare.target === 'mod' && (kv?.modRevision ?? 0) === compare.operand;
        });
        const branch = succeeded ? operation.success : operation.failure;
        return { type: 'txn', succeeded, responses: branch.map((each) => this.#run(each, next)) };
      }
    }
  }

  #hasChanged(next: number): boolean {
    for (const versions of this.#versionsByKey.values()) {
      if (versions.at(-1)?.revision === next) {
        return true;
      }
    }
    return false;
  }

  #add(mapKey: string, version: Version): void {
    const versions = this.#versionsByKey.get(mapKey) ?? [];
    versions.push(version);
    this.#versionsByKey.set(mapKey, versions);
  }

  #at(mapKey: string, revision: number): KeyValue | undefined {
    const versions = this.#versionsByKey.get(mapKey) ?? [];
    for (let i = versions.length - 1; i >= 0; i--) {
      const version = versions[i];
      if (version !== undefined && version.revision <= revision) {
        return version.kv;
      }
    }
    return undefined;
  }
}

/** Fails unless the history is one that a single store could have given. */
export function checkHistory(history: readonly Operation[], ledger: Ledger): void {
  const store = new NaiveStore();
  const byIndex = new Map<number, Operation>();
  const failed = new Map<string, Operation>();
  const tags = new Set<string>();
  for (const operation of history) {
    const { outcome, request } = operation;
    if (outcome.kind === 'applied') {
      byIndex.set(outcome.index, operation);
    } else if (outcome.kind === 'fail' && request.type === 'command') {
      const tag = tagOf(request.command);
      if (tag !== undefined) {
        failed.set(tag, operation);
      }
    }
  }
  for (const { entry, committedUs } of ledger.slots) {
    if (entry.type !== 'normal' || entry.data.length === 0) {
      continue;
    }
    const command = decodeCommand(decodeEnvelope(entry.data).command);
    const tag = tagOf(command);
    holds(tag === undefined || !tags.has(tag), name, () => {
      return `the command of entry ${entry.index} takes effect a second time`;
    });
    tags.add(tag ?? '');
    const denied = tag === undefined ? undefined : failed.get(tag);
    holds(denied === undefined, name, () => {
      return `client ${denied?.client ?? 0} was told that entry ${entry.index} had no effect`;
    });
    const expected = store.execute(command);
    const operation = byIndex.get(entry.index);
    byIndex.delete(entry.index);
    if (operation !== undefined) {
      checkCommand(operation, entry.index, { command, committedUs, expected, store });
    }
  }
  for (const [index, { client }] of byIndex) {
    holds(false, name, () => `client ${client} was told of entry ${index}, which is not committed`);
  }
  for (const operation of history) {
    checkRead(operation, store);
  }
}

/** Commands that write something unique are known by it. */
function tagOf(command: Command): string | undefined {
  const isTagged =
    command.type === 'put' ||
    (command.type === 'txn' && command.success.some(({ type }) => type === 'put'));
  return isTagged ? mapKeyOf(encodeCommand(command)) : undefined;
}

function checkCommand(
  { client, request, outcome, invokedUs, completedUs }: Operation,
  index: number,
  truth: {
    readonly command: Command;
    readonly committedUs: number;
    readonly expected: ReturnType<NaiveStore['execute']>;
    readonly store: NaiveStore;
  },
): void {
  const { command, committedUs, expected, store } = truth;
  const isTheirs =
    request.type === 'command' &&
    equalBytes(encodeCommand(request.command), encodeCommand(command));
  holds(isTheirs, name, () => `client ${client} was told of entry ${index}, which is another's`);
  const isInTime = invokedUs <= committedUs && committedUs <= (completedUs ?? committedUs);
  holds(isInTime, name, () => {
    return `entry ${index} was committed outside its call by client ${client}`;
  });
  if (outcome.kind !== 'applied') {
    return;
  }
  const { result } = outcome;
  const isRight =
    result.revision === store.revision &&
    (result.kind === 'ok') === expected.isOk &&
    (expected.result === undefined || isEqualResult(result, expected.result));
  holds(isRight, name, () => {
    const told = describe(result);
    const truly = `${describe(expected)} at revision ${store.revision}`;
    return `client ${client} was told of entry ${index}: ${told}; it is ${truly}`;
  });
}

function checkRead({ client, request, outcome, member }: Operation, store: NaiveStore): void {
  if (request.type !== 'range' || outcome.kind !== 'read') {
    return;
  }
  const { revision, result } = outcome;
  holds(revision <= store.revision, name, () => `client ${client} read revision ${revision}`);
  const kvs = store.select(request.range, revision);
  holds(describe(kvs) === describe(result.kvs), name, () => {
    const truly = describe(kvs);
    return (
      `client ${client} read at ${revision} from ` +
      `${member}: ${describe(result.kvs)}; it is ${truly}`
    );
  });
}

function isEqualResult(told: CommandResult, expected: OperationResult): boolean {
  return told.kind === 'ok' && describe(told.result) === describe(expected);
}

/** Plain data as text, in one order of fields, bytes as their characters. */
function describe(value: unknown): string {
  if (value instanceof Uint8Array) {
    return mapKeyOf(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(describe).join(' ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([field, each]) => `${field}=${describe(each)}`).join(' ')}}`;
  }
  return String(value);
}
