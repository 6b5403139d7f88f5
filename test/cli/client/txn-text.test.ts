/**
 * Transactions as text: what etcdctl's format means, byte by byte, and what is refused before
 * anything is sent.
 */
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { linesOf, readTxn } from '../../../src/cli/client/txn-text.ts';

function chunks(...parts: (string | Buffer)[]): AsyncIterable<Buffer> {
  return Readable.from(parts.map((part) => Buffer.from(part)));
}

async function read(text: string, prompt: (text: string) => void = () => undefined) {
  return readTxn(linesOf(chunks(text)), prompt);
}

/** A transaction of one compare, or one request; each character is a byte. */
async function readLine(line: string, kind: 'compare' | 'request') {
  const text = kind === 'compare' ? `${line}\n\n\n\n` : `\n${line}\n\n\n`;
  return readTxn(linesOf(chunks(Buffer.from(text, 'latin1'))), () => undefined);
}

async function readCompare(line: string) {
  return (await readLine(line, 'compare')).compare?.[0];
}

async function readRequest(line: string) {
  return (await readLine(line, 'request')).success?.[0];
}

describe('readTxn', () => {
  test('reads compares, success and failure requests, each ended by an empty line', async () => {
    const txn = await read('mod("a") > "0"\n\nput a 1\nget a\n\ndel a\n\n');

    expect(txn.compare).toEqual([
      { key: Buffer.from('a'), target: 'MOD', result: 'GREATER', mod_revision: 0 },
    ]);
    expect(txn.success).toMatchObject([
      { request_put: { key: Buffer.from('a'), value: Buffer.from('1') } },
      { request_range: { key: Buffer.from('a') } },
    ]);
    expect(txn.failure).toMatchObject([{ request_delete_range: { key: Buffer.from('a') } }]);
  });

  test('takes three empty sections', async () => {
    expect(await read('\n\n\n')).toEqual({ compare: [], success: [], failure: [] });
  });

  test('takes lines that end as on Windows', async () => {
    expect((await read('ver("a") = "0"\r\n\r\n\r\n\r\n')).compare).toHaveLength(1);
  });

  test('says what it reads next', async () => {
    const prompts: string[] = [];

    await read('\n\n\n', (text) => prompts.push(text));

    expect(prompts).toEqual([
      'compares:',
      'success requests (get, put, del):',
      'failure requests (get, put, del):',
    ]);
  });

  test.each([
    ['', 'compares'],
    ['mod("a") > "0"\n', 'compares'],
    ['\nput a 1', 'success requests'],
    ['\nput a 1\n\nput a 2\n', 'failure requests'],
  ])('refuses %j, which ends too early', async (text, section) => {
    await expect(read(text)).rejects.toThrow(`the input ends within the ${section}`);
  });

  test('reads no further than the transaction', async () => {
    const lines = linesOf(chunks('\n\n\nmore\n'));

    await readTxn(lines, () => undefined);

    expect((await lines.next()).value).toBe('more');
  });
});

describe('linesOf', () => {
  test('joins lines that arrive in parts and keeps every byte', async () => {
    const lines: string[] = [];
    for await (const line of linesOf(chunks('a', 'b\nc', Buffer.from([0xff, 0x0a]), 'd'))) {
      lines.push(line);
    }

    expect(lines).toEqual(['ab', 'c\xff', 'd']);
  });
});

describe('a compare', () => {
  test.each([
    ['ver("k") = "1"', { target: 'VERSION', result: 'EQUAL', version: 1 }],
    ['version("k") != "1"', { target: 'VERSION', result: 'NOT_EQUAL', version: 1 }],
    ['c("k") < "5"', { target: 'CREATE', result: 'LESS', create_revision: 5 }],
    ['create("k") > "5"', { target: 'CREATE', result: 'GREATER', create_revision: 5 }],
    ['m("k")="5"', { target: 'MOD', result: 'EQUAL', mod_revision: 5 }],
    ['val("k") = "v w"', { target: 'VALUE', result: 'EQUAL', value: Buffer.from('v w') }],
    ['value("k") > ""', { target: 'VALUE', result: 'GREATER', value: Buffer.alloc(0) }],
    ['lease("k") = "1f"', { target: 'LEASE', result: 'EQUAL', lease: '31' }],
    [' value ( "k" ) = `v`', { target: 'VALUE', result: 'EQUAL', value: Buffer.from('v') }],
  ])('%s', async (line, expected) => {
    expect(await readCompare(line)).toEqual({ key: Buffer.from('k'), ...expected });
  });

  test('a key may hold any byte', async () => {
    expect((await readCompare(String.raw`ver("\x00\xff)\"") = "0"`))?.key).toEqual(
      Buffer.from('\x00\xff)"', 'latin1'),
    );
  });

  test.each([
    'mod',
    'mod(k) > "0"',
    'mod("k") > 0',
    'mod("k" > "0"',
    'mod("k") >= "0"',
    'mod("k") constructor "0"',
    'mod("k") > "0" and more',
    'mod("k") > "x"',
    'mod("k") > "1.5"',
    'mod("k") > "9007199254740993"',
    'lease("k") = "xyz"',
    'size("k") = "0"',
    'mod("") = "0"',
  ])('refuses %s and repeats it', async (line) => {
    await expect(readCompare(line)).rejects.toThrow(`holdfast: txn: "${line}"`);
  });
});

describe('a request', () => {
  test.each([
    ['put k v', 'k', 'v'],
    ['put "a b" \'c "d"\'', 'a b', 'c "d"'],
    ['put k ""', 'k', ''],
    ['put k a"b', 'k', 'a"b'],
    ['put -- -k -v', '-k', '-v'],
    [String.raw`put k "\a\b\f\n\r\t\v\\\""`, 'k', '\x07\b\f\n\r\t\v\\"'],
    [String.raw`put k "\x41\101\u00e9\U0001F600"`, 'k', 'AA\u00e9\u{1f600}'],
    [String.raw`put k 'a\x41'`, 'k', String.raw`a\x41`],
  ])('%s', async (line, key, value) => {
    const put = (await readRequest(line))?.request_put;

    expect(put?.key).toEqual(Buffer.from(key));
    expect(put?.value).toEqual(Buffer.from(value));
  });

  test('bytes that are no UTF-8 stay what they are, bare and escaped', async () => {
    expect((await readRequest('put k \xe0\xa0'))?.request_put?.value).toEqual(
      Buffer.from([0xe0, 0xa0]),
    );
    expect((await readRequest(String.raw`put k "\xe0\377"`))?.request_put?.value).toEqual(
      Buffer.from([0xe0, 0xff]),
    );
  });

  test('takes the options of get and del', async () => {
    expect(
      (await readRequest('get a --prefix --keys-only --limit=2'))?.request_range,
    ).toMatchObject({
      range_end: Buffer.from('b'),
      keys_only: true,
      limit: 2,
    });
    expect((await readRequest('del a c --prev-kv'))?.request_delete_range).toMatchObject({
      range_end: Buffer.from('c'),
      prev_kv: true,
    });
  });

  test.each([
    ['foo a', 'unknown command'],
    ['put', 'missing required argument'],
    ['put a', 'needs a key and a value'],
    ['put a b c', 'too many arguments'],
    ['put "" b', 'must not be empty'],
    ['get a --nope', 'unknown option'],
    ['get a --limit x', 'whole number'],
    ['put a b --lease xyz', 'in hexadecimal'],
    ['put a "b', 'not closed'],
    [String.raw`put a "\q"`, 'bad escape'],
    [String.raw`put a "\ud800"`, 'bad escape'],
    [String.raw`put a "\xg0"`, 'bad escape'],
    ['get --help', 'unknown option'],
  ])('refuses %s', async (line, problem) => {
    const request = readRequest(line);

    await expect(request).rejects.toThrow(/^holdfast: txn: "/);
    await expect(request).rejects.toThrow(problem);
  });
});
