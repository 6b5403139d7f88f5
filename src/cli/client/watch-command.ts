/** `watch`: prints what happens to keys, or runs a command for each event, until it is stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Command } from 'commander';
import { ExitError } from '../exit.ts';
import { print } from './command.ts';
import { exitCodes } from './failure.ts';
import { quoted } from './fields.ts';
import { addSharedOptions, clientOptionsOf, parseCount, usageError } from './options.ts';
import { formatEvents } from './output.ts';
import { bytesOf, rangeOf } from './requests.ts';
import { watch, type WatchAnswer, type WatchCreation } from './watch.ts';

/** Options of `watch` besides its arguments. */
interface WatchOptions {
  readonly prefix?: true;
  readonly fromKey?: true;
  readonly rev?: number;
  readonly prevKv?: true;
  readonly keysOnly?: true;
  readonly hex?: true;
}

/** Adds the command. */
export function registerWatchCommand(program: Command): Command[] {
  const command = program
    .command('watch')
    .description('print what happens to keys, as it happens')
    .argument('<key>', 'key to watch, or the first of a range')
    .argument('[range_end]', 'end of the range, itself not watched')
    .argument('[command...]', 'after "--": what to run for each event')
    .option('--prefix', 'watch all keys that begin with the key')
    .option('--from-key', 'watch all keys from the key on')
    .option('--rev <revision>', 'begin with the events of this revision; 0 is now', parseCount)
    .option('--prev-kv', 'also print the key as it was before')
    .option('--keys-only', 'without values')
    .option('--hex', 'print keys and values as \\x61\\x62')
    .addHelpText(
      'after',
      `
It goes on at the next revision when a connection breaks, and says so on standard error.
A command after "--" gets ETCD_WATCH_REVISION, ETCD_WATCH_EVENT_TYPE, ETCD_WATCH_KEY and
ETCD_WATCH_VALUE, quoted, as from etcdctl.

Examples:
  holdfast watch --prefix config/ --prev-kv
  holdfast watch jobs --rev 1042 -- sh -c 'echo $ETCD_WATCH_KEY'`,
    );
  return [
    addSharedOptions(command).action(
      async (_key: string, _rest: unknown, _run: unknown, options: WatchOptions) => {
        const { endpoints, format = 'simple' } = clientOptionsOf(command);
        if (format === 'table') {
          throw usageError('watch', 'has no end, so it is no table: use simple, json or fields');
        }
        const { operands, run } = divided(command.args, process.argv);
        const style = { format, isHex: options.hex };
        await watch({
          endpoints,
          creation: creationOf(operands, options),
          onAnswer: async (answer) =>
            run === undefined ? print(formatEvents(answer, style)) : runForEach(run, answer),
          onBroken: (reason, nextRevision) => {
            process.stderr.write(
              `holdfast: watch: ${reason}; going on from revision ${nextRevision}\n`,
            );
          },
        });
      },
    ),
  ];
}

interface Divided {
  readonly operands: readonly string[];
  /** What to run for each event; undefined: nothing. */
  readonly run: readonly string[] | undefined;
}

/** Parts the operands at the "--" of the command line. */
function divided(operands: readonly string[], argv: readonly string[]): Divided {
  const dashes = argv.indexOf('--');
  const run = dashes < 0 ? [] : argv.slice(dashes + 1);
  const own = operands.slice(0, operands.length - run.length);
  if (own.length === 0 || own.length > 2) {
    throw usageError('watch', 'takes a key and at most a range_end, then "--" and a command');
  }
  if (dashes >= 0 && run.length === 0) {
    throw usageError('watch', 'needs a command after "--"');
  }
  return { operands: own, run: run.length === 0 ? undefined : run };
}

function creationOf([key = '', end]: readonly string[], options: WatchOptions): WatchCreation {
  const rangeEnd = end === undefined ? undefined : bytesOf('watch', end, 'utf8');
  return {
    ...rangeOf('watch', bytesOf('watch', key, 'utf8'), rangeEnd, options),
    start_revision: options.rev ?? 0,
    prev_kv: options.prevKv === true,
    keys_only: options.keysOnly === true,
  };
}

/**
 * Runs a command for one event after the other.
 *
 * @throws {ExitError} it does not start, or ends with another code than 0.
 */
async function runForEach(
  [file = '', ...args]: readonly string[],
  answer: WatchAnswer,
): Promise<void> {
  for (const { type, kv } of answer.events) {
    const child = spawn(file, args, {
      stdio: 'inherit',
      env: {
        ...process.env,
        ETCD_WATCH_REVISION: answer.header?.revision,
        ETCD_WATCH_EVENT_TYPE: quoted(type),
        ETCD_WATCH_KEY: quoted(kv?.key ?? ''),
        ETCD_WATCH_VALUE: quoted(kv?.value ?? ''),
      },
    });
    const [code, signal] = (await once(child, 'close').catch((error: unknown) => {
      throw new ExitError(
        exitCodes.failed,
        `holdfast: watch: ${file} does not run: ${String(error)}`,
      );
    })) as [number | null, string | null];
    if (code !== 0) {
      throw new ExitError(
        exitCodes.failed,
        `holdfast: watch: ${file} has ended with ${code ?? signal ?? 'an unknown code'}`,
      );
    }
  }
}
