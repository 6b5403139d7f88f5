import { describe, expect, test } from 'vitest';
import { checkExactlyOnce } from '../../../chaos/checkers/exactly-once.ts';
import { account, messages, put, putEvent, view } from './planted.ts';

const again = { createRevision: 2, version: 2 };

describe('checkExactlyOnce', () => {
  test('accepts one write for each acknowledgement, and its revision', () => {
    const lines = [
      put(0, [0, 9], ['c', 'i1'], 2, { attempts: 3 }),
      account(putEvent(2, 'c', 'i1')),
    ];

    expect(checkExactlyOnce(view(lines))).toEqual([]);
  });

  test('rejects a repetition that took effect', () => {
    const lines = [
      put(0, [0, 9], ['c', 'i1'], 2, { attempts: 3 }),
      account(putEvent(2, 'c', 'i1'), putEvent(3, 'c', 'i1', again)),
    ];

    expect(messages(checkExactlyOnce(view(lines)))[0]).toMatch(/at 2, 3: more than once/);
  });

  test('rejects an acknowledged write that is missing, or at another revision', () => {
    const acknowledged = put(0, [0, 9], ['c', 'i1'], 2);

    expect(messages(checkExactlyOnce(view([acknowledged])))[0]).toMatch(/never written/);
    expect(
      messages(checkExactlyOnce(view([acknowledged, account(putEvent(3, 'c', 'i1'))])))[0],
    ).toMatch(/its answer told 2/);
  });

  test('rejects a refused write that was done', () => {
    const refused = put(0, [0, 9], ['c', 'i1'], 0, { outcome: 'fail' });

    expect(messages(checkExactlyOnce(view([refused, account(putEvent(2, 'c', 'i1'))])))[0]).toMatch(
      /though it had failed/,
    );
  });
});
