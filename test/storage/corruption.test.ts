import { describe, expect, test } from 'vitest';
import { corruptData } from '../../src/storage/corruption.ts';

describe('corruptData', () => {
  test.each([
    ['log', /remove the member and add it anew .* --initial-cluster-state existing\.$/],
    ['identity', /remove the member and add it anew .* --initial-cluster-state existing\.$/],
    ['engine', /move the folder engine .* the state is rebuilt/],
    ['snapshot', /take the snapshot again/],
  ] as const)('names file, offset, part and remedy: %s', (part, remedy) => {
    const error = corruptData(part, '/data/x', 12, 'a bit is wrong');

    expect(error.code).toBe('DATA_CORRUPT');
    expect(error.details).toEqual({ part, file: '/data/x', offset: 12 });
    expect(error.message).toContain('/data/x at offset 12: a bit is wrong.');
    expect(error.message).toMatch(remedy);
  });
});
