/** `put`, `get`, `del`, `txn` and `compact`. */
import { type Command, InvalidArgumentError } from 'commander';
import { runClient } from './command.ts';
import {
  addSharedOptions,
  clientOptionsOf,
  type Format,
  parseCount,
  usageError,
} from './options.ts';
import {
  formatCompact,
  formatDelete,
  formatGet,
  formatPut,
  formatTxn,
  type Style,
} from './output.ts';
import {
  bytesOf,
  type DeleteOptions,
  deleteRequest,
  describeDelete,
  describeGet,
  describePut,
  type GetOptions,
  getRequest,
  methods,
  type PutOptions,
  putRequest,
} from './requests.ts';
import { linesOf, readTxn } from './txn-text.ts';

interface Hex {
  readonly hex?: true;
}

const hexHelp = 'print keys and values as \\x61\\x62';

/** Adds the commands. */
export function registerKvCommands(program: Command): Command[] {
  return [
    registerPut(program),
    registerGet(program),
    registerDelete(program),
    registerTxn(program),
    registerCompact(program),
  ];
}

function registerPut(program: Command): Command {
  const command = describePut(program.command('put').description('write a key'))
    .option('--hex', hexHelp)
    .addHelpText(
      'after',
      `
A value that begins with "-" needs "--" in front.

Examples:
  holdfast put greeting hello --prev-kv
  holdfast put photo < photo.jpg`,
    );
  return addSharedOptions(command).action(
    async (key: string, value: string | undefined, options: PutOptions & Hex) => {
      clientOptionsOf(command);
      const keyBytes = bytesOf('put', key, 'utf8');
      const isRead = value === undefined && options.ignoreValue !== true;
      const given = value === undefined ? undefined : bytesOf('put', value, 'utf8');
      // Checked before the value is waited for.
      putRequest(keyBytes, isRead ? Buffer.alloc(0) : given, options);
      const valueBytes = isRead ? await readValue() : given;
      const request = putRequest(keyBytes, valueBytes, options);
      await runClient(command, async (connection, { format }) => {
        const answer = await connection.call({
          command: 'put',
          purpose: 'write',
          method: methods.kv.Put,
          request,
        });
        return formatPut(answer, styleOf(format, options));
      });
    },
  );
}

function registerGet(program: Command): Command {
  const command = describeGet(program.command('get').description('read a key or a range'))
    .option('--hex', hexHelp)
    .addHelpText(
      'after',
      `
Examples:
  holdfast get greeting
  holdfast get config/ --prefix --limit 10 --sort-by MODIFY --order DESCEND
  holdfast get "" --prefix --keys-only -w plain`,
    );
  return addSharedOptions(command).action(
    async (key: string, rangeEnd: string | undefined, options: GetOptions & Hex) => {
      const request = getRequest(
        bytesOf('get', key, 'utf8'),
        rangeEnd === undefined ? undefined : bytesOf('get', rangeEnd, 'utf8'),
        options,
      );
      const { format } = clientOptionsOf(command);
      if (options.printValueOnly === true && format !== undefined && format !== 'simple') {
        throw usageError('get', '--print-value-only is for --write-out=simple only');
      }
      await runClient(command, async (connection) => {
        const answer = await connection.call({
          command: 'get',
          purpose: 'read',
          method: methods.kv.Range,
          request,
        });
        return formatGet(answer, { ...styleOf(format, options), shows: shownBy(options) });
      });
    },
  );
}

function registerDelete(program: Command): Command {
  const command = describeDelete(program.command('del').description('delete a key or a range'))
    .option('--hex', hexHelp)
    .addHelpText(
      'after',
      `
Example:
  holdfast del config/ --prefix --prev-kv`,
    );
  return addSharedOptions(command).action(
    async (key: string, rangeEnd: string | undefined, options: DeleteOptions & Hex) => {
      const request = deleteRequest(
        bytesOf('del', key, 'utf8'),
        rangeEnd === undefined ? undefined : bytesOf('del', rangeEnd, 'utf8'),
        options,
      );
      await runClient(command, async (connection, { format }) => {
        const answer = await connection.call({
          command: 'del',
          purpose: 'write',
          method: methods.kv.DeleteRange,
          request,
        });
        return formatDelete(answer, styleOf(format, options));
      });
    },
  );
}

function registerTxn(program: Command): Command {
  const command = program
    .command('txn')
    .description('run a transaction, read from standard input')
    .option('-i, --interactive', 'say what is read next')
    .option('--hex', hexHelp)
    .addHelpText(
      'after',
      `
Compares, success requests and failure requests, one a line; an empty line ends each of the
three. Compares are version, create, mod, value or lease of a key; requests are put, get and
del with their options. A word may be quoted, with escapes such as \\n and \\xff in double
quotes.

Example:
  holdfast txn <<'END'
  mod("greeting") > "0"

  put greeting "hello again"

  put greeting hello

  END`,
    );
  return addSharedOptions(command).action(
    async (options: Hex & { readonly interactive?: true }) => {
      clientOptionsOf(command);
      const isPrompted = options.interactive === true || process.stdin.isTTY;
      const request = await readTxn(linesOf(process.stdin), (text) => {
        if (isPrompted) {
          // Nothing is asked for that way: the transaction goes on without.
          process.stdout.write(`${text}\n`);
        }
      });
      // Nothing behind the transaction is read: its input need not end for the process to.
      process.stdin.destroy();
      const hasWrites = [...(request.success ?? []), ...(request.failure ?? [])].some(
        (each) => !each.request_range,
      );
      await runClient(command, async (connection, { format }) => {
        const answer = await connection.call({
          command: 'txn',
          purpose: hasWrites ? 'write' : 'read',
          method: methods.kv.Txn,
          request,
        });
        return formatTxn(answer, request, styleOf(format, options));
      });
    },
  );
}

function registerCompact(program: Command): Command {
  const command = program
    .command('compact')
    .description('forget the history before a revision')
    .argument('<revision>', 'oldest revision that can still be read afterwards', parseRevision)
    .option('--physical', 'wait until the space is free')
    .addHelpText(
      'after',
      `
Example:
  holdfast compact 12345 --physical`,
    );
  return addSharedOptions(command).action(
    async (revision: number, options: { readonly physical?: true }) => {
      await runClient(command, async (connection, { format = 'simple' }) => {
        const answer = await connection.call({
          command: 'compact',
          purpose: 'write',
          method: methods.kv.Compact,
          request: { revision, physical: options.physical === true },
        });
        return formatCompact(answer, revision, format);
      });
    },
  );
}

function styleOf(format: Format | undefined, { hex }: Hex): Style {
  return { format: format ?? 'simple', isHex: hex };
}

function shownBy(options: GetOptions): Style['shows'] {
  if (options.countOnly === true) {
    return 'count';
  }
  if (options.keysOnly === true) {
    return 'keys';
  }
  return options.printValueOnly === true ? 'values' : 'keys and values';
}

function parseRevision(text: string): number {
  const revision = parseCount(text);
  if (revision === 0) {
    throw new InvalidArgumentError('Revisions begin at 1.');
  }
  return revision;
}

/**
 * All of standard input; an input that is empty by mistake, as under cron, must not empty the key.
 */
async function readValue(): Promise<Buffer> {
  if (process.stdin.isTTY) {
    process.stderr.write('holdfast: put: reading the value; Ctrl-D ends it\n');
  }
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
  }
  const value = Buffer.concat(chunks);
  if (value.length === 0) {
    throw usageError(
      'put',
      'no value is given and standard input is empty; an empty value is put KEY ""',
    );
  }
  return value;
}
