/**
 * Transactions as text, in etcdctl's format: compares, success requests, failure requests, one a
 * line, each of the three sections ended by an empty line.
 *
 * ```text
 * mod("greeting") > "0"
 *
 * put greeting "hello\x00world"
 * get greeting --prefix
 *
 * del greeting
 *
 * ```
 *
 * The text is read as bytes, each a character, so words may hold any byte. Strings in double quotes
 * have Go's escapes; those in single quotes or back quotes have none. A section that is cut off is
 * an error: half a transaction must not be sent.
 */
import { Command, CommanderError } from 'commander';
import { ExitError } from '../exit.ts';
import { usageError } from './options.ts';
import {
  bytesOf,
  type DeleteOptions,
  deleteRequest,
  describeDelete,
  describeGet,
  describePut,
  type GetOptions,
  getRequest,
  type methods,
  parseLeaseId,
  type PutOptions,
  putRequest,
  type RequestOf,
} from './requests.ts';

type TxnRequest = RequestOf<typeof methods.kv.Txn>;
type Compare = NonNullable<TxnRequest['compare']>[number];
type RequestOp = NonNullable<TxnRequest['success']>[number];

type CompareResult = 'EQUAL' | 'NOT_EQUAL' | 'GREATER' | 'LESS';

const compareResults: ReadonlyMap<string, CompareResult> = new Map([
  ['=', 'EQUAL'],
  ['!=', 'NOT_EQUAL'],
  ['>', 'GREATER'],
  ['<', 'LESS'],
]);

/**
 * Reads a transaction from lines without their ends; `prompt` is called before each section.
 *
 * @throws {ExitError} a line is wrong, or the lines end too early
 */
export async function readTxn(
  lines: AsyncIterator<string>,
  prompt: (text: string) => void,
): Promise<TxnRequest> {
  prompt('compares:');
  const compare = await readSection(lines, 'compares', parseCompare);
  prompt('success requests (get, put, del):');
  const success = await readSection(lines, 'success requests', parseOperation);
  prompt('failure requests (get, put, del):');
  const failure = await readSection(lines, 'failure requests', parseOperation);
  return { compare, success, failure };
}

/** Lines of a stream of bytes, each byte a character; a last one without an end counts. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + chunk.toString('latin1')).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') {
    yield rest;
  }
}

async function readSection<T>(
  lines: AsyncIterator<string>,
  name: string,
  parse: (line: string) => T,
): Promise<T[]> {
  const section: T[] = [];
  for (;;) {
    const next = await lines.next();
    if (next.done === true) {
      throw usageError(
        'txn',
        `the input ends within the ${name}; ` +
          'compares, success and failure requests each end with an empty line',
      );
    }
    // Only ASCII's blanks: others are parts of UTF-8 characters here.
    const line = next.value.replace(/^[ \t\r\v\f]+|[ \t\r\v\f]+$/g, '');
    if (line === '') {
      return section;
    }
    section.push(parse(line));
  }
}

/**
 * A compare: `mod("key") > "5"`.
 *
 * @throws {ExitError} it is none
 */
function parseCompare(line: string): Compare {
  const parts = splitCompare(line);
  if (parts === undefined) {
    throw usageError(
      'txn',
      `"${utf8(line)}" is no compare; write one like mod("key") > "5", with =, !=, < or >`,
    );
  }
  const { target, key, result, operand: text } = parts;
  if (key === '') {
    throw usageError('txn', `"${utf8(line)}": the key must not be empty`);
  }
  const common = { key: Buffer.from(key, 'latin1'), result };
  switch (target) {
    case 'ver':
    case 'version':
      return { ...common, target: 'VERSION', version: numberOf(line, text) };
    case 'c':
    case 'create':
      return { ...common, target: 'CREATE', create_revision: numberOf(line, text) };
    case 'm':
    case 'mod':
      return { ...common, target: 'MOD', mod_revision: numberOf(line, text) };
    case 'val':
    case 'value':
      return { ...common, target: 'VALUE', value: Buffer.from(text, 'latin1') };
    case 'lease':
      return { ...common, target: 'LEASE', lease: inLine(line, () => parseLeaseId(text)) };
    default:
      throw usageError(
        'txn',
        `"${utf8(line)}" compares "${utf8(target)}"; ` +
          'it can compare version, create, mod, value, lease',
      );
  }
}

/** The four parts of a compare; undefined when it has others. */
function splitCompare(line: string):
  | {
      readonly target: string;
      readonly key: string;
      readonly result: CompareResult;
      readonly operand: string;
    }
  | undefined {
  const [, target = '', afterTarget = ''] = /^([^ \t(]*)[ \t]*\([ \t]*(.*)$/s.exec(line) ?? [];
  const key = readQuoted(afterTarget);
  const [, operator = '', afterOperator = ''] =
    /^[ \t]*\)[ \t]*([^ \t"'`]+)[ \t]*(.*)$/s.exec(key?.rest ?? '') ?? [];
  const operand = readQuoted(afterOperator);
  const result = compareResults.get(operator);
  return key === undefined || operand?.rest !== '' || result === undefined
    ? undefined
    : { target, key: key.text, result, operand: operand.text };
}

/**
 * A request within a transaction: `put key value`, `get …` or `del …` with their options.
 *
 * @throws {ExitError} it is none
 */
function parseOperation(line: string): RequestOp {
  let operation: RequestOp | undefined;
  const silent = { writeOut: () => undefined, writeErr: () => undefined };
  const program = new Command().exitOverride().configureOutput(silent).helpCommand(false);
  const command = (name: string): Command => program.command(name).exitOverride().helpOption(false);
  describePut(command('put')).action((key: string, value: string | undefined, o: PutOptions) => {
    operation = { request_put: putRequest(bytes(key), optionalBytes(value), o) };
  });
  describeGet(command('get')).action((key: string, end: string | undefined, o: GetOptions) => {
    operation = { request_range: getRequest(bytes(key), optionalBytes(end), o) };
  });
  describeDelete(command('del')).action(
    (key: string, end: string | undefined, o: DeleteOptions) => {
      operation = { request_delete_range: deleteRequest(bytes(key), optionalBytes(end), o) };
    },
  );
  const words = splitWords(line);
  inLine(line, () => program.parse(words, { from: 'user' }));
  if (operation === undefined) {
    throw usageError('txn', `"${utf8(line)}" is no request; write put, get or del`);
  }
  return operation;
}

/**
 * Words of a line, quotes and escapes resolved.
 *
 * @throws {ExitError} a quoted one is not closed, or has a bad escape.
 */
export function splitWords(line: string, command = 'txn'): string[] {
  const words: string[] = [];
  let rest = line;
  while (rest !== '') {
    const quoted = readQuoted(rest);
    if (quoted === undefined && /^["'`]/.test(rest)) {
      throw usageError(
        command,
        `"${utf8(line)}": a quoted string is not closed or has a bad escape`,
      );
    }
    const [bare = ''] = /^[^ \t]*/.exec(rest) ?? [];
    words.push(quoted?.text ?? bare);
    rest = (quoted?.rest ?? rest.slice(bare.length)).replace(/^[ \t]+/, '');
  }
  return words;
}

/** The quoted string that `text` begins with, and what follows it; undefined when there is none. */
function readQuoted(text: string): { readonly text: string; readonly rest: string } | undefined {
  const [raw, single, back] = /^(?:'([^']*)'|`([^`]*)`)/s.exec(text) ?? [];
  if (raw !== undefined) {
    return { text: single ?? back ?? '', rest: text.slice(raw.length) };
  }
  const [double] = /^"(?:[^"\\]|\\.)*"/s.exec(text) ?? [];
  const unescaped = double === undefined ? undefined : unescape(double.slice(1, -1));
  return double === undefined || unescaped === undefined
    ? undefined
    : { text: unescaped, rest: text.slice(double.length) };
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** Resolves Go's escapes; undefined when there is one that Go has not. */
function unescape(text: string): string | undefined {
  const bad: string[] = [];
  const pattern =
    /\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gs;
  const resolved = text.replace(pattern, (all, ...groups: (string | undefined)[]) => {
    const [hex, octal, short, long, letter] = groups;
    if (hex !== undefined || octal !== undefined) {
      return String.fromCharCode(hex === undefined ? parseInt(octal ?? '', 8) : parseInt(hex, 16));
    }
    const point = parseInt(short ?? long ?? '', 16);
    const isScalar = point <= 0x10_ffff && !(point >= 0xd800 && point < 0xe000);
    const character =
      letter === undefined && isScalar
        ? Buffer.from(String.fromCodePoint(point)).toString('latin1')
        : escapes[letter ?? ''];
    if (character === undefined) {
      bad.push(all);
    }
    return character ?? '';
  });
  return bad.length === 0 ? resolved : undefined;
}

function numberOf(line: string, text: string): number {
  const number = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw usageError('txn', `"${utf8(line)}": "${utf8(text)}" must be a whole number`);
  }
  return number;
}

/** Names the line in what goes wrong with it. */
function inLine<T>(line: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CommanderError || error instanceof ExitError) {
      const problem = error.message.replace(/^(?:error|holdfast): /, '');
      throw usageError('txn', `"${utf8(line)}": ${problem}`);
    }
    throw error;
  }
}

function bytes(word: string): Buffer {
  return bytesOf('txn', word, 'latin1');
}

function optionalBytes(word: string | undefined): Buffer | undefined {
  return word === undefined ? undefined : bytes(word);
}

function utf8(line: string): string {
  return Buffer.from(line, 'latin1').toString();
}
