/** The command `unsafe-recover`: its options and its help. */
import type { Command } from 'commander';
import type { RecoverOptions } from './unsafe-recover.ts';

/** Adds the command. */
export function registerUnsafeRecover(program: Command): void {
  program
    .command('unsafe-recover')
    .description('make a new cluster of one survivor when a majority is lost for good')
    .requiredOption('--data-dir <path>', 'data directory of the stopped survivor')
    .option('--confirm <name>', 'the member’s name: do it; without it nothing is changed')
    .addHelpText(
      'after',
      `
Run it without --confirm on every survivor first, and recover the one whose log is the newest:
the highest last term, and of those the highest last index. Add the others afterwards as new
members, with empty data directories.
`,
    )
    .action(async (options: RecoverOptions) => {
      const { recover } = await import('./unsafe-recover.ts');
      await recover(options);
    });
}
