import { describe, expect, test } from 'vitest';
import { parseRetention } from '../../src/cli/history-retention.ts';
import { keepBoth, keepRevisions, keepTime } from '../../src/replica/index.ts';

const hourMs = 3_600_000;

function retentionOf(mode: 'periodic' | 'revision', text: string): unknown {
  const result = parseRetention(mode, text);
  return result.kind === 'ok' ? result.retention : result.mustBe;
}

describe('parseRetention', () => {
  test.each([
    ['1', hourMs],
    ['+2', 2 * hourMs],
    ['72h', 72 * hourMs],
    ['1.5h', 1.5 * hourMs],
    ['.5h', 0.5 * hourMs],
    ['1h30m', 1.5 * hourMs],
    ['10m', 600_000],
    ['5s', 5000],
    ['2500ms', 2500],
    ['1m500ms', 60_500],
    ['2000000us', 2000],
    ['2000000µs', 2000],
    ['3000000000ns', 3000],
  ])('periodic: %s is a time, as etcd takes it', (text, keepMs) => {
    expect(retentionOf('periodic', text)).toEqual(keepTime(keepMs));
  });

  test('revision: a number of revisions', () => {
    expect(retentionOf('revision', '1000')).toEqual(keepRevisions(1000));
  });

  test.each(['0', '', '0s'])('periodic: "%s" turns it off', (text) => {
    expect(parseRetention('periodic', text)).toEqual({ kind: 'ok', retention: undefined });
  });

  test.each(['0', ''])('revision: "%s" turns it off', (text) => {
    expect(parseRetention('revision', text)).toEqual({ kind: 'ok', retention: undefined });
  });

  test('two parts keep both, whatever the mode', () => {
    expect(retentionOf('periodic', '10m,100000')).toEqual(keepBoth(600_000, 100_000));
    expect(retentionOf('revision', '1, 5')).toEqual(keepBoth(hourMs, 5));
  });

  test.each(['-1', '-1h', 'abc', '1.5', '1d', '1h 30m', '999ms', '1000000h', 'h', '.h'])(
    'periodic: "%s" is refused',
    (text) => {
      expect(retentionOf('periodic', text)).toMatch('a time from 1s');
    },
  );

  test.each(['-1', '5m', '1.5', '1e3', '1000000000001'])('revision: "%s" is refused', (text) => {
    expect(retentionOf('revision', text)).toMatch('a number of revisions');
  });

  test.each(['10m,', ',5', '0,5', '10m,0', '10m,5,6', '5,10m'])('"%s" is not both', (text) => {
    expect(retentionOf('periodic', text)).toMatch('TIME,REVISIONS');
  });
});
