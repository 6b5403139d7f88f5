import { describe, expect, test } from 'vitest';
import { checkAvailability } from '../../../chaos/checkers/availability.ts';
import { clock, fault, messages, put, view } from './planted.ts';

describe('checkAvailability', () => {
  test('measures gap, recovery and healing', () => {
    const lines = [
      put(0, [900, 1000], ['a', '1'], 2),
      fault(1000, 6000),
      put(0, [1500, 2500], ['a', '2'], 3),
      put(0, [6000, 6200], ['a', '3'], 4),
    ];

    const { findings, longestGapMs, recoveryMs, healingMs } = checkAvailability(view(lines));

    expect(findings).toEqual([]);
    expect({ longestGapMs, recoveryMs, healingMs }).toEqual({
      longestGapMs: 3700,
      recoveryMs: 1500,
      healingMs: 200,
    });
  });

  test('rejects a majority that does not write again in time', () => {
    const lines = [fault(1000, 6000), put(0, [4000, 4500], ['a', '1'], 2)];

    expect(
      messages(checkAvailability(view([...lines, put(0, [6000, 6001], ['a', '2'], 3)])).findings),
    ).toEqual(['no write within 3000 ms of "cut": it took 3500 ms']);
    const without = [fault(1000, 6000, { keepsMajority: false }), ...lines.slice(1)];
    expect(
      checkAvailability(view([...without, put(0, [6000, 6001], ['a', '2'], 3)])).findings,
    ).toEqual([]);
  });

  test('gives members the time that their slowest clock makes of it', () => {
    const lines = [
      fault(1000, 6000),
      put(0, [4000, 4500], ['a', '1'], 2),
      put(0, [6000, 6001], ['a', '2'], 3),
    ];

    expect(checkAvailability(view([...lines, clock('n1', 0.8)])).findings).toEqual([]);
    expect(messages(checkAvailability(view([...lines, clock('n1', 0.9)])).findings)).toEqual([
      'no write within 3333 ms of "cut": it took 3500 ms',
    ]);
  });

  test('rejects a member that does not serve after healing', () => {
    const lines = [fault(1000, 2000), put(0, [2000, 2001], ['a', '1'], 2)];

    expect(messages(checkAvailability(view(lines, ['n1', 'n2'])).findings)).toEqual([
      'n2 did not serve within 10000 ms of healing: until the end',
    ]);
  });
});
