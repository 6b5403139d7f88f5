/**
 * How long the answer to a write of ranges may be, asked before it is proposed.
 *
 * What a transaction reads, and what a deletion tells of, every member reads that applies it: as a
 * whole, into memory, and again after each restart for as long as its entry is in the log. A few
 * ranges over a large store would be the end of all members at once. So the member that is asked
 * reads the ranges of many keys first, and takes nothing whose answer would be longer than
 * `writtenAnswerBytesMax`, whichever branch is taken.
 *
 * It is an estimate, of the state as it is on this member now: what is written between then and the
 * entry's turn is not in it, nor what the transaction itself writes before it reads; so it keeps
 * out what is too large by design or by mistake, and is no rule of the state machine. Reads of
 * single keys are not asked for: so many requests of the largest size are their bound.
 *
 * Another attempt at a request that was answered reads nothing where it is applied, however much
 * there is by now. To refuse it would tell its caller, untruly, that nothing has happened.
 */
import { KvError } from '../base/index.ts';
import type {
  DeleteRangeOperation,
  OnceCommand,
  OnceOperation,
  Operation,
  RangeOperation,
} from '../kv/index.ts';
import type { CallOptions, Charge } from '../replica/index.ts';
import type { ServiceContext } from './service.ts';

/**
 * Limit: bytes of keys and values that one answer to a transaction or a deletion tells of.
 *
 * @internal Exported for tests.
 */
export const writtenAnswerBytesMax: number = 64 * 1024 * 1024;

/** Reads of one request. */
type Reads = readonly RangeOperation[];

/**
 * Asks how long the answer to a write would be; `charge` is told, as for a range.
 *
 * @throws {KvError} ANSWER_TOO_LARGE — longer than the limit; nothing was proposed. What `charge`
 *   throws, and a range.
 */
export async function checkWrittenAnswer(
  context: Pick<ServiceContext, 'member'>,
  command: OnceOperation | OnceCommand,
  { charge, ...options }: CallOptions & { readonly charge?: Charge | undefined },
): Promise<void> {
  try {
    await measure(context, operationOf(command), { charge, ...options });
  } catch (error) {
    const id = command.type === 'once' && isTooLarge(error) ? command.id : undefined;
    if (id === undefined || !(await context.member.hasAnswered(id, options))) {
      throw error;
    }
  }
}

/** Whether there is anything to ask about: reads of many keys, a deletion that tells of them. */
export function readsManyKeys(command: OnceOperation | OnceCommand): boolean {
  return branchesOf(operationOf(command)).some((reads) => reads.length > 0);
}

function operationOf(command: OnceOperation | OnceCommand): OnceOperation {
  return command.type === 'once' ? command.command : command;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof KvError && error.code === 'ANSWER_TOO_LARGE';
}

async function measure(
  { member }: Pick<ServiceContext, 'member'>,
  operation: OnceOperation,
  { charge, ...options }: CallOptions & { readonly charge?: Charge | undefined },
): Promise<void> {
  for (const reads of branchesOf(operation)) {
    let before = 0;
    for (const range of reads) {
      let bytes = 0;
      const grow = (kept: number): void => {
        bytes = kept;
        if (before + kept > writtenAnswerBytesMax) {
          throw new KvError('ANSWER_TOO_LARGE');
        }
        charge?.(before + kept);
      };
      try {
        await member.range(range, { ...options, isSerializable: true, charge: grow });
      } catch (error) {
        if (!isOfItsTurn(error)) {
          throw error;
        }
      }
      before += bytes;
    }
  }
}

/** The reads of many keys of each way that a write can go; one may be taken with any of others. */
function branchesOf(operation: OnceOperation): readonly Reads[] {
  switch (operation.type) {
    case 'deleteRange':
      return [readsOf(operation)];
    case 'txn':
      return [operation.success.flatMap(readsOf), operation.failure.flatMap(readsOf)];
    default:
      return [];
  }
}

/** Of a transaction within one, both ways: which one it goes depends on others. */
function readsOf(operation: Operation): Reads {
  switch (operation.type) {
    case 'range':
      return isLong(operation) && !operation.countOnly ? [operation] : [];
    case 'deleteRange':
      return isLong(operation) && operation.prevKv ? [toldBy(operation)] : [];
    case 'txn':
      return [...operation.success, ...operation.failure].flatMap(readsOf);
    case 'put':
      return [];
  }
}

function isLong({ rangeEnd }: RangeOperation | DeleteRangeOperation): boolean {
  return rangeEnd !== undefined && rangeEnd.length > 0;
}

/** The read of what a deletion tells of. */
function toldBy({ key, rangeEnd }: DeleteRangeOperation): RangeOperation {
  return {
    ...{ type: 'range', key, rangeEnd, limit: 0, revision: 0 },
    ...{ sortOrder: 'none', sortTarget: 'key' },
    ...{ keysOnly: false, countOnly: false, noCount: true },
    ...{ minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 },
  };
}

/** What the entry's turn decides: a revision that is not there, a permission not known here yet. */
function isOfItsTurn(error: unknown): boolean {
  const code = error instanceof KvError ? error.code : undefined;
  return code === 'COMPACTED' || code === 'FUTURE_REVISION' || code === 'PERMISSION_DENIED';
}
