import { describe, expect, test } from 'vitest';
import { FlagReader } from '../../../src/cli/bench/flag-reader.ts';

describe('FlagReader', () => {
  test('reads whole numbers, times and endpoints', () => {
    const reader = new FlagReader();

    expect(reader.integer('--clients', '20', 1, 100)).toBe(20);
    expect(reader.optionalInteger('--rate', undefined, 1, 100)).toBeUndefined();
    expect(['1500ms', '10s', '2m', '0.5h'].map((it) => reader.durationMs('-d', it, 1))).toEqual([
      1500, 10_000, 120_000, 1_800_000,
    ]);
    expect(reader.endpoints('-e', '127.0.0.1:1, http://[::1]:65535/,a-b.c:3')).toEqual([
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 65_535 },
      { host: 'a-b.c', port: 3 },
    ]);
    expect(() => {
      reader.throwIfAnyWrong();
    }).not.toThrow();
  });

  test('tells all mistakes at once, each by its flag', () => {
    const reader = new FlagReader();
    reader.check(false, 'a run needs one of them');

    expect(reader.integer('--clients', '1e3', 1, 100)).toBe(1);
    reader.integer('--rate', '101', 1, 100);
    reader.durationMs('--duration', '25h', 1);
    reader.endpoints('--endpoints', 'ftp://a:1,a:0,a');

    expect(() => {
      reader.throwIfAnyWrong();
    }).toThrow(
      [
        'holdfast bench:',
        '  a run needs one of them',
        '  --clients must be a whole number from 1 to 100, not "1e3"',
        '  --rate must be a whole number from 1 to 100, not "101"',
        '  --duration must be a time as 500ms, 10s or 2m, at most 24h, not "25h"',
        '  --endpoints: "ftp://a:1" is not host:port, as in 127.0.0.1:2379',
        '  --endpoints: "a:0" is not host:port, as in 127.0.0.1:2379',
        '  --endpoints: "a" is not host:port, as in 127.0.0.1:2379',
        '(see --help)',
      ].join('\n'),
    );
  });
});
