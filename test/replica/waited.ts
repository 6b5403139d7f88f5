/** What a command comes to for whom it is told, as a promise. */
import type { CommandResult } from '../../src/kv/index.ts';
import type { CommandWaiter } from '../../src/replica/index.ts';

/** Hands a waiter to `ask`, and resolves or rejects as the waiter is told. */
export async function waited(ask: (waiter: CommandWaiter) => void): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    ask({ resolve, reject });
  });
}
