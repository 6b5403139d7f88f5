/**
 * The commands that talk to members: `put get del txn compact`, `status health hashkv members` and
 * `endpoint`, `member`, `alarm defrag move-leader`, `snapshot`, `watch`, `lease`, `lock`, `elect`,
 * `auth`, `user`, `role`.
 */
import type { Command } from 'commander';
import { registerAuthCommands } from './auth-commands.ts';
import { registerClusterCommands } from './cluster-commands.ts';
import { registerElectCommand } from './elect-command.ts';
import { registerKvCommands } from './kv-commands.ts';
import { registerLeaseCommands } from './lease-commands.ts';
import { registerLockCommand } from './lock-command.ts';
import { registerMaintenanceCommands } from './maintenance-commands.ts';
import { registerMemberCommands } from './member-commands.ts';
import { addSharedOptionsInFront } from './options.ts';
import { registerSnapshotCommands } from './snapshot-commands.ts';
import { registerWatchCommand } from './watch-command.ts';

/** Adds the commands. */
export function registerClientCommands(program: Command): void {
  const commands = [
    ...registerKvCommands(program),
    ...registerClusterCommands(program),
    ...registerMemberCommands(program),
    ...registerMaintenanceCommands(program),
    ...registerSnapshotCommands(program),
    ...registerWatchCommand(program),
    ...registerLeaseCommands(program),
    ...registerLockCommand(program),
    ...registerElectCommand(program),
    ...registerAuthCommands(program),
  ];
  addSharedOptionsInFront(program, commands);
}
