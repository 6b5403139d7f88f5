/**
 * The `holdfast` command: what it can do, and how it ends.
 *
 * What a command needs beyond its flags and gRPC is loaded when it runs, so that one does not pay
 * for another: no member, engine or logger is loaded to read a key or to show a help text.
 */
import { Command, CommanderError } from 'commander';
import { registerClientCommands } from './client/index.ts';
import { registerBench } from './bench/command.ts';
import { registerCertificates } from './certificates-command.ts';
import { registerDev } from './dev-command.ts';
import { ExitError } from './exit.ts';
import { registerServer } from './server-command.ts';
import { OutputError, watchStandardOutput } from './standard-output.ts';
import { registerUnsafeRecover } from './unsafe-recover-command.ts';
import { version } from './version.ts';
import { wrongUsage } from './wrong-usage.ts';

/** Runs the command line `argv` (as of `process.argv`). */
export async function main(argv: readonly string[]): Promise<void> {
  watchStandardOutput();
  const program = new Command('holdfast')
    .description('A replicated, linearizable key-value store that speaks the etcd v3 API')
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      outputError: (text, write) => {
        write(`${wrongUsage(text)}\n`);
      },
    });
  registerServer(program);
  registerDev(program);
  registerUnsafeRecover(program);
  registerCertificates(program);
  registerBench(program);
  registerClientCommands(program);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof OutputError) {
      process.exitCode = error.exitCode;
    } else if (error instanceof ExitError) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = error.exitCode;
    } else if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (isFolderGone(error)) {
      process.stderr.write(
        'holdfast: the working directory has been removed; change to another one, ' +
          'or give absolute paths\n',
      );
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}

/** Whether a relative path could not be resolved: the process stands in no folder any more. */
function isFolderGone(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd';
}
