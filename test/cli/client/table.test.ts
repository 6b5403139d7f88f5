/** How tables look. */
import { describe, expect, test } from 'vitest';
import { printable, renderTable } from '../../../src/cli/client/table.ts';

describe('renderTable', () => {
  test('draws titles in the middle, texts on the left and numbers on the right', () => {
    expect(
      renderTable(
        ['KEY', 'REVISION'],
        [
          ['greeting', 7n],
          ['é', 12_345_678_901n],
        ],
      ),
    ).toEqual([
      '+----------+-------------+',
      '|   KEY    |  REVISION   |',
      '+----------+-------------+',
      '| greeting |           7 |',
      '| é        | 12345678901 |',
      '+----------+-------------+',
    ]);
  });

  test('draws titles without rows', () => {
    expect(renderTable(['A'], [])).toEqual(['+---+', '| A |', '+---+', '+---+']);
  });

  test('takes more rows than a call takes arguments', () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => [i]);

    expect(renderTable(['A'], rows)).toHaveLength(200_004);
  });
});

describe('printable', () => {
  test.each([
    ['plain', 'plain'],
    ['größer 😀', 'größer 😀'],
    ['a\nb', String.raw`a\nb`],
    ['\x00\x1b[31m', String.raw`\x00\x1b[31m`],
    ['\u202e', String.raw`\xe2\x80\xae`],
  ])('%j is shown as %s', (text, expected) => {
    expect(printable(Buffer.from(text))).toBe(expected);
  });

  test('bytes that are no UTF-8 are escaped one by one', () => {
    expect(printable(Buffer.from([0x61, 0xc3, 0xff]))).toBe(String.raw`a\xc3\xff`);
  });
});
