/** The commands that talk to members: `put get del txn compact status health members`. */
import type { Command } from 'commander';
import { registerClusterCommands } from './cluster-commands.ts';
import { registerKvCommands } from './kv-commands.ts';
import { addSharedOptionsInFront } from './options.ts';

/** Adds the commands. */
export function registerClientCommands(program: Command): void {
  const commands = [...registerKvCommands(program), ...registerClusterCommands(program)];
  addSharedOptionsInFront(program, commands);
}
