/** The command `dev`: its options and their checks. */
import { type Command, InvalidArgumentError } from 'commander';
import type { DevOptions } from './dev.ts';

/** Adds the command. */
export function registerDev(program: Command): void {
  program
    .command('dev')
    .description('run a cluster of local processes')
    .option('--nodes <count>', 'number of members: 1 to 7', parseCount, 3)
    .option('--data-dir <path>', 'folder of the members’ data, kept between runs', '.holdfast/dev')
    .option('--client-port <port>', 'client port of the first member', parsePort, 2379)
    .option('--fresh', 'begin with empty members')
    .option('--log-level <level>', 'log level of the members', 'warn')
    .action(async (options: DevOptions) => {
      const { runDev } = await import('./dev.ts');
      await runDev(options);
    });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 7) {
    throw new InvalidArgumentError('must be a whole number from 1 to 7');
  }
  return count;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_533) {
    throw new InvalidArgumentError('must be a port number');
  }
  return port;
}
