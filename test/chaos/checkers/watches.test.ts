import { describe, expect, test } from 'vitest';
import { checkWatches } from '../../../chaos/checkers/watches.ts';
import { deleteEvent, messages, putEvent, stream, view, watch } from './planted.ts';

const first = putEvent(2, 'a', '1');
const second = putEvent(3, 'b', '1');
const third = deleteEvent(4, 'a');
const whole = watch('whole', stream([[first], [second], [third]]));

function judge(...streams: Parameters<typeof watch>[1][]): readonly string[] {
  return messages(checkWatches(view([whole, watch('w', ...streams)])));
}

describe('checkWatches', () => {
  test('accepts a watcher that resumes where it broke off', () => {
    expect(judge(stream([[first]], 1, 'broken'), stream([[second], [third]], 3))).toEqual([]);
  });

  test.each([
    ['a missed event', [[first], [third]], /missed revision 3 of b/],
    ['events out of order', [[second], [first], [third]], /event of revision 2 came after 3/],
    ['an event twice', [[first], [first], [second], [third]], /old, or split/],
    ['a changed value', [[putEvent(2, 'a', '9')], [second], [third]], /differs from what others/],
  ])('rejects %s', (_, responses, expected) => {
    expect(judge(stream(responses)).join('\n')).toMatch(expected);
  });

  test('rejects a revision that comes in two parts', () => {
    const [a, b] = [putEvent(2, 'a', '1'), putEvent(2, 'b', '1')];

    const found = messages(checkWatches(view([watch('w', stream([[a], [b]]))])));

    expect(found.join('\n')).toMatch(/old, or split/);
  });

  test('rejects an event that a progress note had ruled out', () => {
    const note = { atMs: 0, revision: 3, events: [] };
    const late = { startRevision: 1, end: 'closed', responses: [note] } as const;
    const event = { atMs: 1, revision: 3, events: [second] };

    expect(judge({ ...late, responses: [note, event] }).join('\n')).toMatch(/after a note of 3/);
    expect(judge(late).join('\n')).toMatch(/missed revision 2 of a/);
  });

  test('a watcher that has not caught up leaves the run undecided', () => {
    const [finding] = checkWatches(view([whole, watch('w', stream([[first]]))]));

    expect(finding?.kind).toBe('undecided');
  });

  test('rejects a refusal for a compaction that was not', () => {
    const refused = {
      startRevision: 5,
      end: 'compacted',
      compactRevision: 3,
      responses: [],
    } as const;

    expect(judge(refused)[0]).toMatch(/refused from 5 on/);
  });

  test('rejects versions that do not add up', () => {
    const wrong = putEvent(3, 'a', '2', { createRevision: 2, version: 3 });

    const found = messages(checkWatches(view([watch('w', stream([[first], [wrong]]))])));

    expect(found).toEqual(['revision 3 of a has version 3 since 2, not 2 since 2']);
  });
});
