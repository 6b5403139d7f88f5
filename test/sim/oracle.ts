/**
 * The end of a run: what clients were told, against the naive store that does what the ledger says
 * (`ledger-model.ts`).
 *
 * - Every acknowledged command is in the ledger where its client was told, with the result that the
 *   store gives there: nothing acknowledged is lost.
 * - No command that a client was told had no effect is in the ledger.
 * - A command takes effect between its call and its return; so does what a linearizable read shows.
 * - A read shows exactly the keys of the store at its revision.
 * - What is done on somebody's behalf was asked for by that user.
 */
import { equalBytes } from '../../src/base/index.ts';
import { encodeCommand } from '../../src/kv/index.ts';
import { mapKeyOf } from '../../src/kv/key-layout.ts';
import type { BareCommand } from '../kv/auth-model.ts';
import { bareOf, type Model } from '../kv/model.ts';
import { holds } from './failure.ts';
import type { Operation } from './history.ts';
import { describe, type LedgerModel, type TrueEntry } from './ledger-model.ts';

const name = 'history';

/** Fails unless the history is one that a single store could have given. */
export function checkHistory(history: readonly Operation[], ledger: LedgerModel): void {
  const byIndex = new Map<number, Operation>();
  const failed = new Map<string, Operation>();
  const tags = new Set<string>();
  for (const operation of history) {
    const { outcome, request } = operation;
    if (outcome.kind === 'applied') {
      byIndex.set(outcome.index, operation);
    } else if (outcome.kind === 'fail' && request.type === 'command') {
      const tag = tagOf(bareOf(request.command));
      if (tag !== undefined) {
        failed.set(tag, operation);
      }
    }
  }
  for (const entry of ledger.entries) {
    const { command } = entry;
    const tag = tagOf(command);
    holds(tag === undefined || !tags.has(tag), name, () => {
      return `the command of entry ${entry.index} takes effect a second time`;
    });
    tags.add(tag ?? '');
    const denied = tag === undefined ? undefined : failed.get(tag);
    holds(denied === undefined, name, () => {
      return `client ${denied?.client ?? 0} was told that entry ${entry.index} had no effect`;
    });
    const operation = byIndex.get(entry.index);
    byIndex.delete(entry.index);
    if (operation !== undefined) {
      checkCommand(operation, entry);
    }
  }
  for (const [index, { client }] of byIndex) {
    holds(false, name, () => `client ${client} was told of entry ${index}, which is not committed`);
  }
  for (const operation of history) {
    checkRead(operation, ledger.model);
  }
}

/** Commands that write something unique are known by it. */
function tagOf(command: BareCommand): string | undefined {
  const isTagged =
    command.type === 'put' ||
    (command.type === 'txn' && command.success.some(({ type }) => type === 'put'));
  return isTagged ? mapKeyOf(encodeCommand(command)) : undefined;
}

function checkCommand(
  { client, user, request, outcome, invokedUs, completedUs }: Operation,
  { index, command, caller, committedUs, result: expected }: TrueEntry,
): void {
  const isTheirs =
    request.type === 'command' &&
    equalBytes(encodeCommand(request.command), encodeCommand(command));
  holds(isTheirs, name, () => `client ${client} was told of entry ${index}, which is another's`);
  holds(caller === undefined || caller.user === user, name, () => {
    return `entry ${index} is on behalf of ${caller?.user ?? ''}, ${user ?? 'nobody'} asked for it`;
  });
  const isInTime = invokedUs <= committedUs && committedUs <= (completedUs ?? committedUs);
  holds(isInTime, name, () => {
    return `entry ${index} was committed outside its call by client ${client}`;
  });
  if (outcome.kind !== 'applied') {
    return;
  }
  const told = describe(outcome.result);
  const truly = describe(expected);
  holds(told === truly, name, () => {
    return `client ${client} was told of entry ${index}: ${told}; it is ${truly}`;
  });
}

function checkRead({ client, request, outcome, member }: Operation, model: Model): void {
  if (request.type !== 'range' || outcome.kind !== 'read') {
    return;
  }
  const { revision, result } = outcome;
  holds(revision <= model.revision, name, () => `client ${client} read revision ${revision}`);
  const told = describe(result.kvs);
  // The member had not compacted what the log has by now.
  const truly = describe(model.keysAt(request.range, revision));
  holds(told === truly, name, () => {
    return `client ${client} read at ${revision} from ${member}: ${told}; it is ${truly}`;
  });
}
