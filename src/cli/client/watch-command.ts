/**
 * `watch`: prints what happens to keys, or runs a command for each event, until it is stopped. With
 * `-i` it reads from its input what is to be watched, a watch a line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command, CommanderError } from 'commander';
import { ExitError } from '../exit.ts';
import { OutputError, print } from '../standard-output.ts';
import { exitCodes } from './failure.ts';
import { quoted } from './fields.ts';
import {
  addSharedOptions,
  type ClientOptions,
  clientOptionsOf,
  parseCount,
  usageError,
} from './options.ts';
import { formatEvents } from './output.ts';
import { type ArgumentEncoding, bytesOf, rangeOf } from './requests.ts';
import { linesOf, splitWords } from './txn-text.ts';
import { watch, type WatchAnswer, type WatchCreation } from './watch.ts';

/** Options of `watch` besides its arguments. */
interface WatchOptions {
  readonly interactive?: true;
  readonly progressNotify?: true;
  readonly prefix?: true;
  readonly fromKey?: true;
  readonly rev?: number;
  readonly prevKv?: true;
  readonly keysOnly?: true;
  readonly hex?: true;
}

/** Adds the command. */
export function registerWatchCommand(program: Command): Command[] {
  const command = describeWatch(program.command('watch'))
    .option('-i, --interactive', 'read watches from standard input, one a line, until it ends')
    .addHelpText(
      'after',
      `
It goes on at the next revision when a connection breaks, and says so on standard error.
A command after "--" gets ETCD_WATCH_REVISION, ETCD_WATCH_EVENT_TYPE, ETCD_WATCH_KEY and
ETCD_WATCH_VALUE, quoted, as from etcdctl.

Examples:
  holdfast watch --prefix config/ --prev-kv
  holdfast watch jobs --rev 1042 -- sh -c 'echo $ETCD_WATCH_KEY'
  holdfast watch -i`,
    );
  return [
    addSharedOptions(command).action(
      async (_key: unknown, _rest: unknown, _run: unknown, options: WatchOptions) => {
        const client = clientOptionsOf(command);
        if (client.format === 'table') {
          throw usageError('watch', 'has no end, so it is no table: use simple, json or fields');
        }
        if (options.interactive !== true) {
          const what = divided(command.args, process.argv);
          await watchOne({ ...what, options, encoding: 'utf8' }, client);
        } else if (command.args.length > 0) {
          throw usageError('watch', '-i reads what to watch from its input: leave out the key');
        } else {
          await watchInteractively(client);
        }
      },
    ),
  ];
}

/** Adds what a watch takes, on the command line and in a line of input alike. */
function describeWatch(command: Command): Command {
  return command
    .description('print what happens to keys, as it happens')
    .argument('[key]', 'key to watch, or the first of a range')
    .argument('[range_end]', 'end of the range, itself not watched')
    .argument('[command...]', 'after "--": what to run for each event')
    .option('--prefix', 'watch all keys that begin with the key')
    .option('--from-key', 'watch all keys from the key on')
    .option('--rev <revision>', 'begin with the events of this revision; 0 is now', parseCount)
    .option('--prev-kv', 'also print the key as it was before')
    .option('--progress-notify', 'say up to which revision all is told, when nothing happens')
    .option('--keys-only', 'without values')
    .option('--hex', 'print keys and values as \\x61\\x62');
}

/** What is to be watched. */
interface Watched extends Divided {
  readonly options: WatchOptions;
  readonly encoding: ArgumentEncoding;
}

/** Watches until it is stopped; `onOpen` is as that of `watch`. */
async function watchOne(
  { operands, run, options, encoding }: Watched,
  { endpoints, dialler, format = 'simple' }: ClientOptions,
  onOpen?: (askForProgress: () => void) => void,
): Promise<never> {
  const style = { format, isHex: options.hex };
  return watch({
    endpoints,
    dialler,
    creation: creationOf(operands, options, encoding),
    onAnswer: async (answer) =>
      run === undefined ? print(formatEvents(answer, style)) : runForEach(run, answer),
    onBroken: (reason, nextRevision) => {
      process.stderr.write(`holdfast: watch: ${reason}; going on from revision ${nextRevision}\n`);
    },
    onProgress: async (revision) => print(`progress notify: ${revision}\n`),
    ...(onOpen === undefined ? {} : { onOpen }),
  });
}

/**
 * Watches what the lines of the input say until that ends: `watch …`, with the arguments of the
 * command, or `progress`, which has each watch say how far it is.
 */
async function watchInteractively(client: ClientOptions): Promise<void> {
  const asks = new Map<symbol, () => void>();
  for await (const line of linesOf(process.stdin)) {
    try {
      const [name, ...words] = splitWords(line.trim(), 'watch');
      if (name === 'progress') {
        for (const ask of asks.values()) {
          ask();
        }
      } else if (name === 'watch') {
        const id = Symbol();
        const watching = watchOne(parseWatch(words), client, (ask) => asks.set(id, ask));
        void watching.catch(tell).finally(() => asks.delete(id));
      } else {
        throw usageError('watch', `"${line}" is neither "watch …" nor "progress"`);
      }
    } catch (error) {
      tell(error);
    }
  }
  // What is being watched would keep the process.
  process.exit(0);
}

/** Says what is wrong with one watch, or has ended it; the others go on. */
function tell(error: unknown): void {
  if (!(error instanceof ExitError)) {
    throw error;
  }
  if (error instanceof OutputError) {
    // There is nowhere to tell of any of them.
    process.exit(error.exitCode);
  }
  process.stderr.write(`${error.message}\n`);
}

/** @throws {ExitError} the words are no watch. */
function parseWatch(words: readonly string[]): Watched {
  const command = describeWatch(new Command('watch').exitOverride());
  command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  try {
    command.parse(words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      throw usageError('watch', error.message.replace(/^error: /, ''));
    }
    throw error;
  }
  const { operands, run } = divided(command.args, words);
  return {
    operands,
    run: run?.map((word) => Buffer.from(word, 'latin1').toString()),
    options: command.opts(),
    encoding: 'latin1',
  };
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

function creationOf(
  [key = '', end]: readonly string[],
  options: WatchOptions,
  encoding: ArgumentEncoding,
): WatchCreation {
  const rangeEnd = end === undefined ? undefined : bytesOf('watch', end, encoding);
  return {
    ...rangeOf('watch', bytesOf('watch', key, encoding), rangeEnd, options),
    start_revision: options.rev ?? 0,
    prev_kv: options.prevKv === true,
    keys_only: options.keysOnly === true,
    progress_notify: options.progressNotify === true,
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
