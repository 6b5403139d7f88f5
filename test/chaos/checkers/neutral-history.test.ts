import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkLinearizability } from '../../../chaos/checkers/linearizability.ts';
import {
  parseHistory,
  readHistoryFolder,
  type RecordedHistory,
} from '../../../chaos/checkers/neutral-history.ts';

const cas = '{"process":3,"op":"cas","key":"r","args":[1,4],"result":false,"call":17,"return":20}';
const openPut =
  '{"process":4,"op":"put","key":"r","args":["x"],"result":null,"call":18,"return":null}';

describe('parseHistory', () => {
  test('reads one operation a line', () => {
    expect(parseHistory(`${cas}\n${openPut}\n`, 'h.jsonl')).toEqual([
      {
        process: 3,
        call: 17,
        return: 20,
        input: { type: 'cas', key: 'r', expected: 1, value: 4 },
        output: { type: 'cas', succeeded: false },
      },
      {
        process: 4,
        call: 18,
        return: undefined,
        input: { type: 'write', key: 'r', value: 'x' },
        output: undefined,
      },
    ]);
  });

  test.each([
    ['{', 'h.jsonl:2: no valid JSON'],
    ['[]', 'h.jsonl:2: must be a JSON object, is []'],
    [cas.replace('17', '"a"'), 'h.jsonl:2: field "call" must be a number, is "a"'],
    [cas.replace('"process":3,', ''), 'h.jsonl:2: field "process" must be a number, is missing'],
    [
      cas.replace('"cas"', '"dec"'),
      'h.jsonl:2: field "op" must be get, put, append or cas, is dec',
    ],
    [cas.replace('1,4', '1'), 'h.jsonl:2: field "args" must be a list of 2 values, is [1]'],
    [cas.replace('false', '"ok"'), 'h.jsonl:2: field "result" must be true or false, is "ok"'],
    [cas.replace('20', '16'), 'h.jsonl:2: field "return" must not be before the call 17, is 16'],
    [cas.replace('20', 'true'), 'h.jsonl:2: field "return" must be a number or null, is true'],
    [
      cas.replace('"process":3', '"process":4').replace('17', '19'),
      'h.jsonl:3: field "call" is 19.5, while process 4 still has h.jsonl:2 open',
    ],
  ])('says what is wrong with %s', (line, message) => {
    const third = cas.replace('"process":3', '"process":4').replace('17', '19.5');

    expect(() => parseHistory([openPut, line, third].join('\n'), 'h.jsonl')).toThrow(message);
  });
});

describe('readHistoryFolder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-histories-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const entry = {
    name: 'one',
    file: 'one.jsonl',
    model: 'register',
    initial: null,
    linearizable: true,
    ops: 2,
  };

  function writeFolder(manifest: object): void {
    writeFileSync(join(folder, 'one.jsonl'), `${cas}\n${openPut}\n`);
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  }

  test('gives what the manifest lists, with model and verdict', () => {
    writeFolder({ format: 'neutral-history/1', histories: [entry] });

    const [history] = readHistoryFolder(folder);

    expect(history).toMatchObject({ name: 'one', isLinearizable: true });
    expect(history?.model.name).toBe('register');
    expect(history?.operations).toHaveLength(2);
  });

  test.each([
    [{ format: 'other/1', histories: [] }, 'field "format" must be neutral-history/1'],
    [
      { format: 'neutral-history/1', histories: [{ ...entry, model: 'queue' }] },
      'item 0: field "model" must be one of register, kv-append, is queue',
    ],
    [
      { format: 'neutral-history/1', histories: [{ ...entry, ops: 3 }] },
      'item 0: field "ops" is 3, but one.jsonl has 2',
    ],
    [
      { format: 'neutral-history/1', histories: [{ ...entry, linearizable: 'yes' }] },
      'item 0: field "linearizable" must be true or false',
    ],
  ])('says what is wrong with a manifest %#', (manifest, message) => {
    writeFolder(manifest);

    expect(() => readHistoryFolder(folder)).toThrow(message);
  });
});

/** Recorded histories of real systems, with verdicts that others agreed on. */
const recordedFolder = process.env['HOLDFAST_HISTORIES'];
if (recordedFolder === undefined) {
  // eslint-disable-next-line no-console -- whoever runs the tests must see what they do not test
  console.warn(
    '\n*** RECORDED HISTORIES ARE NOT CHECKED: set HOLDFAST_HISTORIES to a folder ***\n',
  );
}

describe.runIf(recordedFolder !== undefined)('the histories of HOLDFAST_HISTORIES', () => {
  const clock = { nowMs: () => performance.now() };
  const bounds = { clock, timeMsMax: 10_000, cachedStatesMax: 1_000_000 };
  const histories: readonly RecordedHistory[] =
    recordedFolder === undefined ? [] : readHistoryFolder(recordedFolder);

  test('all have the verdict that they are known for, and take little work', () => {
    const startMs = clock.nowMs();
    const results = histories.map((history) => ({
      name: history.name,
      expected: history.isLinearizable ? 'linearizable' : 'violation',
      result: checkLinearizability(history.operations, history.model, bounds),
    }));
    const elapsedMs = clock.nowMs() - startMs;
    const wrong = results.filter(({ expected, result }) => result.verdict !== expected);
    const cachedStates = results.reduce((sum, { result }) => sum + result.cachedStates, 0);
    // eslint-disable-next-line no-console -- a figure that people look for, and no test asserts
    console.log(`${histories.length} recorded histories checked in ${elapsedMs.toFixed(0)} ms`);

    expect(histories.length).toBeGreaterThanOrEqual(36);
    expect(wrong).toEqual([]);
    // Work rather than time, which depends on the machine: about a third of a second.
    expect(cachedStates).toBeLessThan(50_000);
  });

  test('that are violated shrink to a few operations', () => {
    const sizes = histories.flatMap((history) => {
      const result = checkLinearizability(history.operations, history.model, bounds);
      return result.verdict === 'violation' ? [result.violation.operations.length] : [];
    });

    expect(Math.max(...sizes)).toBeLessThanOrEqual(12);
  });
});
