/**
 * Random commands and reads for the state machine, over few keys and small numbers, so that
 * everything meets everything: overwrites, deletions, overlapping ranges, revisions in and out of
 * range.
 */
import type { Prng } from '../../src/base/index.ts';
import {
  type AlarmCommand,
  type Command,
  type Compare,
  fingerprintOf,
  type OnceCommand,
  type OnceOperation,
  type Operation,
  type PutOperation,
  type RangeOperation,
  type SortOrder,
  type SortTarget,
  ttlNone,
  type TxnOperation,
} from '../../src/kv/index.ts';
import { bytes } from './map-store.ts';

const keys = [
  '\0',
  'a',
  'a\0',
  'aa',
  'ab',
  'b',
  'ba',
  'bb',
  'c',
  'ca',
  'd',
  '\xfe',
  '\xff',
  '\xff\xff',
];
const rangeEnds = ['\0', '\0\0', 'a', 'ab', 'b', 'c', 'd', '\xff', '\xff\xff\xff'];
const values = ['', '0', '1', '22', '\xff\0'];

/** What random operations refer to. */
export interface GeneratorContext {
  readonly prng: Prng;
  /** The store's revision at about the time of execution; chosen numbers lie around it. */
  readonly revision: number;
}

/** Returns one of `choices`. */
export function choose<T>(prng: Prng, choices: readonly T[]): T {
  return choices[prng.nextInt(0, choices.length)] as T;
}

/** True with a chance of `percent`. */
export function chance(prng: Prng, percent: number): boolean {
  return prng.nextInt(0, 100) < percent;
}

const leases = [7n, 8n, -9n, 2n ** 62n];

/** Returns a random command. */
export function randomCommand(context: GeneratorContext): Command {
  const { prng } = context;
  const dice = prng.nextInt(0, 100);
  if (dice < 45) {
    return randomPut(context);
  }
  if (dice < 60) {
    return { type: 'deleteRange', ...randomSelector(context), prevKv: chance(prng, 50) };
  }
  if (dice < 79) {
    return randomTxn(context, 1);
  }
  if (dice < 89) {
    return randomOnce(context);
  }
  if (dice < 92) {
    return {
      type: 'setRecord',
      name: choose(prng, ['a', 'b/1', 'b/2', 'c']),
      value: bytes(choose(prng, values)),
    };
  }
  if (dice < 94) {
    return randomAlarm(prng);
  }
  if (dice < 98) {
    return randomLeaseCommand(context);
  }
  return { type: 'compact', revision: Math.max(0, randomRevision(context)) };
}

function randomLeaseCommand({ prng }: GeneratorContext): Command {
  const id = choose(prng, leases);
  const dice = prng.nextInt(0, 10);
  if (dice < 4) {
    return { type: 'leaseGrant', id, ttlMs: prng.nextInt(1, 300) };
  }
  if (dice < 5) {
    return { type: 'leaseRevoke', id };
  }
  if (dice < 7) {
    return { type: 'leaseKeepAlive', ids: [id, choose(prng, leases)] };
  }
  // Time mostly goes on; a stamp of the past changes nothing.
  return { type: 'advanceTime', timeMs: prng.nextInt(0, 4000), keepAnswersMs: 300 };
}

/** One of few requests, so that most are attempted again, and some by others. */
function randomOnce(context: GeneratorContext): OnceCommand {
  const { prng } = context;
  const dice = prng.nextInt(0, 10);
  const command: OnceOperation =
    dice < 5
      ? randomPut(context)
      : dice < 7
        ? { type: 'deleteRange', ...randomSelector(context), prevKv: chance(prng, 50) }
        : dice < 9
          ? randomTxn(context, 2)
          : { type: 'leaseGrant', id: choose(prng, leases), ttlMs: prng.nextInt(1, 300) };
  const fingerprint = chance(prng, 90) ? 1n : fingerprintOf(command);
  if (chance(prng, 50)) {
    const key = bytes(choose(prng, ['i', 'j', 'k', 'l']));
    return { type: 'once', id: { type: 'key', key }, fingerprint, command };
  }
  const sequence = chance(prng, 5) ? prng.nextInt(1, 3000) : prng.nextInt(1, 12);
  const lowestUnanswered = prng.nextInt(Math.max(1, sequence - 6), sequence + 1);
  const session = choose(prng, leases);
  const id = { type: 'session', session, sequence, lowestUnanswered } as const;
  return { type: 'once', id, fingerprint, command };
}

/** Mostly lifts alarms, so that most of the time nothing is refused for one. */
function randomAlarm(prng: Prng): AlarmCommand {
  return {
    type: 'alarm',
    action: chance(prng, 12) ? 'activate' : 'deactivate',
    alarm: choose(prng, ['nospace', 'corrupt']),
    memberId: prng.nextInt(1, 3),
  };
}

/** Returns a random read. */
export function randomRange(context: GeneratorContext): RangeOperation {
  const { prng } = context;
  const isFiltered = chance(prng, 30);
  const bound = (): number => (isFiltered && chance(prng, 50) ? randomRevision(context) : 0);
  return {
    type: 'range',
    ...randomSelector(context),
    limit: chance(prng, 50) ? prng.nextInt(-1, 8) : 0,
    revision: chance(prng, 50) ? randomRevision(context) : 0,
    sortOrder: choose<SortOrder>(prng, ['none', 'none', 'ascend', 'descend']),
    sortTarget: choose<SortTarget>(prng, ['key', 'key', 'version', 'create', 'mod', 'value']),
    keysOnly: chance(prng, 20),
    countOnly: chance(prng, 15),
    noCount: chance(prng, 25),
    minModRevision: bound(),
    maxModRevision: bound(),
    minCreateRevision: bound(),
    maxCreateRevision: bound(),
  };
}

function randomPut({ prng }: GeneratorContext): PutOperation {
  return {
    type: 'put',
    key: bytes(choose(prng, keys)),
    value: bytes(choose(prng, values)),
    lease: chance(prng, 25) ? choose(prng, leases) : 0n,
    prevKv: chance(prng, 30),
    ignoreValue: chance(prng, 10),
    ignoreLease: chance(prng, 10),
    ...randomTtl(prng),
  };
}

function randomTtl(prng: Prng): Pick<PutOperation, 'ttlMs' | 'ttlRefreshOnWrite'> {
  const dice = prng.nextInt(0, 100);
  if (dice < 75) {
    return { ttlMs: dice < 5 ? ttlNone : 0, ttlRefreshOnWrite: false };
  }
  return { ttlMs: prng.nextInt(1, 300), ttlRefreshOnWrite: chance(prng, 50) };
}

function randomTxn(context: GeneratorContext, depth: number): TxnOperation {
  const { prng } = context;
  const operations = (): Operation[] =>
    Array.from({ length: prng.nextInt(0, 4) }, () => randomOperation(context, depth));
  return {
    type: 'txn',
    compare: Array.from({ length: prng.nextInt(0, 3) }, () => randomCompare(context)),
    success: operations(),
    failure: operations(),
  };
}

function randomOperation(context: GeneratorContext, depth: number): Operation {
  const { prng } = context;
  const dice = prng.nextInt(0, 100);
  if (dice < 40) {
    return randomPut(context);
  }
  if (dice < 60) {
    return { type: 'deleteRange', ...randomSelector(context), prevKv: chance(prng, 50) };
  }
  if (dice < 85 || depth >= 3) {
    return randomRange(context);
  }
  return randomTxn(context, depth + 1);
}

function randomCompare(context: GeneratorContext): Compare {
  const { prng } = context;
  const selector = randomSelector(context);
  const result = choose<Compare['result']>(prng, ['equal', 'greater', 'less', 'notEqual']);
  const target = choose<Compare['target']>(prng, ['version', 'create', 'mod', 'value', 'lease']);
  if (target === 'value') {
    return { ...selector, result, target, operand: bytes(choose(prng, values)) };
  }
  if (target === 'lease') {
    return { ...selector, result, target, operand: choose(prng, [0n, 7n, -1n]) };
  }
  const operand = target === 'version' ? prng.nextInt(-1, 4) : randomRevision(context);
  return { ...selector, result, target, operand };
}

function randomSelector({ prng }: GeneratorContext): { key: Uint8Array; rangeEnd?: Uint8Array } {
  const key = bytes(choose(prng, keys));
  return chance(prng, 50) ? { key } : { key, rangeEnd: bytes(choose(prng, rangeEnds)) };
}

/** Mostly a recent revision, sometimes a distant or a future one. */
function randomRevision({ prng, revision }: GeneratorContext): number {
  return chance(prng, 80)
    ? Math.max(0, revision - prng.nextInt(0, 12))
    : prng.nextInt(-1, revision + 4);
}
