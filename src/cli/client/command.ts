/** What every client command does around its own work: connect, print, end. */
import type { Command } from 'commander';
import { print } from '../standard-output.ts';
import { Connection } from './connection.ts';
import { type ClientOptions, clientOptionsOf } from './options.ts';

/**
 * Runs `work` with a connection to the endpoints that `command` was given, and prints what it
 * returns. `timeoutMs` is how long it may take unless `command` was told.
 */
export async function runClient(
  command: Command,
  work: (connection: Connection, options: ClientOptions) => Promise<Uint8Array>,
  timeoutMs?: number,
): Promise<void> {
  const options = clientOptionsOf(command, timeoutMs);
  const connection = new Connection(options.endpoints, options.timeoutMs, options.dialler);
  try {
    await print(await work(connection, options));
  } finally {
    connection.close();
  }
}
