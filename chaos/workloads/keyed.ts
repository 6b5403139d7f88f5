/**
 * Workloads on keys that clients share: registers, a set, lists, a bank, counters, and a mixture of
 * everything that etcd's key-value service can be asked.
 *
 * Every value is written once, so that whatever is read tells who wrote it.
 */
import { balanceOf, checkBank } from '../checkers/bank.ts';
import { checkExactlyOnce } from '../checkers/exactly-once.ts';
import { checkLists } from '../checkers/lists.ts';
import { checkRegisters } from '../checkers/registers.ts';
import { checkSet } from '../checkers/sets.ts';
import type { Compare, KeyValue, RangeRequest, StoreRequest, TxnPart } from '../checkers/store.ts';
import type { CallRecord } from '../history.ts';
import { choose } from './random.ts';
import type { Session } from './session.ts';
import type { Workload } from './workload.ts';

/** Calls that one register lives for: the general search must stay small. */
const registerCalls = 120;
const registerCount = 5;
/** Elements of one set or list, which is written whole each time. */
const elementsMax = 150;
const accounts = ['bank/a', 'bank/b', 'bank/c', 'bank/d', 'bank/e'];
const initialBalance = 100;

/**
 * Reads, writes and compare-and-sets of single keys. Every second client only reads: at a member
 * that can write no more, the others soon wait for an answer, and would see no stale read.
 */
export function registers(): Workload {
  let calls = 0;
  let serial = 0;
  return {
    name: 'register',
    about: 'reads, writes and compare-and-sets of single keys; half of the clients only read',
    async step(session, worker) {
      const epoch = Math.floor(calls / (registerCalls * registerCount));
      const key = `register/${epoch}-${calls % registerCount}`;
      calls += 1;
      const dice = session.prng.nextInt(0, 100);
      if (worker % 2 === 1 || dice < 20) {
        await session.call({ type: 'range', key });
      } else if (dice < 60) {
        await session.call({ type: 'put', key, value: `w${(serial += 1)}` });
      } else {
        const found = oneOf(await session.call({ type: 'range', key }));
        if (found !== undefined) {
          await session.call({
            type: 'txn',
            compare: [{ key, target: 'value', result: 'equal', operand: found.value }],
            success: [{ type: 'put', key, value: `c${(serial += 1)}` }],
            failure: [],
          });
        }
      }
    },
    check: checkRegisters,
  };
}

/** Elements added to a set by guarded writes, and read all the time. */
export function sets(): Workload {
  let serial = 0;
  const step = growing('set', () => `${(serial += 1)}`);
  return {
    name: 'set',
    about: 'elements added to one key by compare-and-swap, and read back',
    step,
    check: checkSet,
  };
}

/** Lists appended to in transactions over two keys. */
export function lists(): Workload {
  let serial = 0;
  const names = ['x', 'y', 'z'];
  return {
    name: 'append',
    about: 'appends to two lists at once, and reads of several in one transaction',
    async step(session) {
      const epoch = Math.floor(serial / elementsMax);
      const keys = names.map((name) => `list/${epoch}-${name}`);
      const read: StoreRequest = {
        type: 'txn',
        compare: [],
        success: keys.map((key) => ({ type: 'range', key })),
        failure: [],
      };
      const { result } = await session.call(read);
      if (result?.type !== 'txn' || session.prng.nextInt(0, 100) < 40) {
        return;
      }
      const records = result.responses.map((each) =>
        each.type === 'range' ? each.kvs[0] : undefined,
      );
      const skipped = session.prng.nextInt(0, names.length);
      const element = `${(serial += 1)}`;
      const touched = keys.flatMap((key, i) => (i === skipped ? [] : [{ key, at: records[i] }]));
      await session.call({
        type: 'txn',
        compare: touched.map(({ key, at }) => unchanged(key, at)),
        success: touched.map(({ key, at }) => ({
          type: 'put',
          key,
          value: at === undefined ? element : `${at.value} ${element}`,
        })),
        failure: [],
      });
    },
    check: checkLists,
  };
}

/** Transfers between accounts; the total stays. */
export function bank(): Workload {
  let serial = 0;
  const valueOf = (balance: number) => `${balance} ${(serial += 1)}`;
  return {
    name: 'bank',
    about: 'transfers between five accounts by guarded transactions; the total must stay',
    async setup(session) {
      await untilOk(session, {
        type: 'txn',
        compare: accounts.map((key) => unchanged(key, undefined)),
        success: accounts.map((key) => ({ type: 'put', key, value: valueOf(initialBalance) })),
        failure: [],
      });
    },
    async step(session) {
      const all = await session.call({ type: 'range', key: 'bank/', rangeEnd: 'bank0' });
      if (all.result?.type !== 'range' || session.prng.nextInt(0, 100) < 40) {
        return;
      }
      const from = choose(session.prng, all.result.kvs);
      const to = choose(session.prng, all.result.kvs);
      const amount = session.prng.nextInt(1, 20);
      if (from.key === to.key || balanceOf(from.value) < amount) {
        return;
      }
      await session.call({
        type: 'txn',
        compare: [unchanged(from.key, from), unchanged(to.key, to)],
        success: [
          { type: 'put', key: from.key, value: valueOf(balanceOf(from.value) - amount) },
          { type: 'put', key: to.key, value: valueOf(balanceOf(to.value) + amount) },
        ],
        failure: [],
      });
    },
    check: (view) => checkBank(view, accounts, accounts.length * initialBalance),
  };
}

/** Writes that are repeated until they are answered, under idempotency keys. */
export function counters(): Workload {
  let serial = 0;
  return {
    name: 'counter',
    about: 'increments repeated at any member until answered; each must count once',
    async step(session, worker) {
      if (session.prng.nextInt(0, 100) < 25) {
        await session.call({ type: 'range', key: 'counter/', rangeEnd: 'counter0' });
        return;
      }
      const id = (serial += 1);
      const key = `counter/${worker % 3}`;
      await session.callOnce({ type: 'put', key, value: `i${id}` }, `chaos-${id}`);
    },
    check: checkExactlyOnce,
  };
}

/** Everything that the key-value service can be asked, old and serializable reads included. */
export function mixed(): Workload {
  let serial = 0;
  let lastRevision = 1;
  const keys = Array.from({ length: 10 }, (_, i) => `mixed/${i}`);
  const part = (session: Session): TxnPart => {
    const key = choose(session.prng, keys);
    const dice = session.prng.nextInt(0, 100);
    if (dice < 45) {
      return { type: 'put', key, value: `m${(serial += 1)}`, prevKv: dice < 15 };
    }
    const rangeEnd = dice % 3 === 0 ? 'mixed0' : undefined;
    return dice < 60
      ? { type: 'deleteRange', key, rangeEnd, prevKv: dice < 50 }
      : { type: 'range', key, rangeEnd };
  };
  return {
    name: 'mixed',
    about: 'puts, deletions, ranges now and in the past, serializable reads, transactions',
    async step(session) {
      const dice = session.prng.nextInt(0, 100);
      const request =
        dice < 60
          ? part(session)
          : dice < 75
            ? readOf(session, keys, lastRevision)
            : randomTxn(session, keys, part, lastRevision);
      const { revision } = await session.call(request);
      lastRevision = Math.max(lastRevision, revision ?? 0);
    },
    check: () => [],
  };
}

/** Keys that come and go, for watchers that come and go. */
export function watched(): Workload {
  let serial = 0;
  const keys = Array.from({ length: 8 }, (_, i) => `watched/${i}`);
  return {
    name: 'watch',
    about: 'keys written and deleted while watchers come, go and resume',
    async step(session) {
      const key = choose(session.prng, keys);
      const dice = session.prng.nextInt(0, 100);
      if (dice < 60) {
        await session.call({ type: 'put', key, value: `v${(serial += 1)}` });
      } else if (dice < 75) {
        await session.call({ type: 'deleteRange', key });
      } else {
        await session.call({
          type: 'txn',
          compare: [],
          success: keys.slice(0, 3).map((each) => ({
            type: 'put',
            key: each,
            value: `v${(serial += 1)}`,
          })),
          failure: [],
        });
      }
    },
    check: () => [],
  };
}

/** Reads one key and writes it back with one element more, unless it has changed. */
function growing(prefix: string, next: () => string): Workload['step'] {
  let added = 0;
  return async (session) => {
    const key = `${prefix}/${Math.floor(added / elementsMax)}`;
    const read = await session.call({ type: 'range', key });
    if (read.outcome !== 'ok' || session.prng.nextInt(0, 100) < 30) {
      return;
    }
    const found = oneOf(read);
    const element = next();
    const { outcome, result } = await session.call({
      type: 'txn',
      compare: [unchanged(key, found)],
      success: [
        { type: 'put', key, value: found === undefined ? element : `${found.value} ${element}` },
      ],
      failure: [],
    });
    added += outcome === 'ok' && result?.type === 'txn' && result.succeeded ? 1 : 0;
  };
}

function readOf(session: Session, keys: readonly string[], lastRevision: number): RangeRequest {
  const key = choose(session.prng, keys);
  const rangeEnd = session.prng.nextInt(0, 2) === 0 ? 'mixed0' : undefined;
  if (session.prng.nextInt(0, 2) === 0) {
    return { type: 'range', key, rangeEnd, serializable: true };
  }
  const revision = session.prng.nextInt(Math.max(1, lastRevision - 30), lastRevision + 1);
  return { type: 'range', key, rangeEnd, revision };
}

function randomTxn(
  session: Session,
  keys: readonly string[],
  part: (session: Session) => TxnPart,
  lastRevision: number,
): StoreRequest {
  const key = choose(session.prng, keys);
  const compare: Compare = {
    key,
    target: 'mod',
    result: choose(session.prng, ['equal', 'less', 'greater'] as const),
    operand: session.prng.nextInt(Math.max(0, lastRevision - 20), lastRevision + 1),
  };
  return {
    type: 'txn',
    compare: [compare],
    success: distinct([part(session), part(session)]),
    failure: distinct([part(session), { type: 'range', key }]),
  };
}

/** A branch may write a key once: with two writes that may meet, only the first is kept. */
function distinct(parts: readonly TxnPart[]): readonly TxnPart[] {
  let hasWrite = false;
  return parts.filter((part) => {
    const isFirst = !hasWrite;
    hasWrite ||= part.type !== 'range';
    return part.type === 'range' || isFirst;
  });
}

/** Holds while the key is as it was read. */
function unchanged(key: string, read: KeyValue | undefined): Compare {
  return { key, target: 'mod', result: 'equal', operand: read?.modRevision ?? 0 };
}

function oneOf({ result }: CallRecord): KeyValue | undefined {
  return result?.type === 'range' ? result.kvs[0] : undefined;
}

async function untilOk(session: Session, request: StoreRequest): Promise<void> {
  while (!session.isStopped) {
    const { outcome } = await session.call(request);
    if (outcome === 'ok') {
      return;
    }
  }
}
