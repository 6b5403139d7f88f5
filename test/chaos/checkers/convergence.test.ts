import { describe, expect, test } from 'vitest';
import { checkConvergence } from '../../../chaos/checkers/convergence.ts';
import { messages, view } from './planted.ts';

function hash(member: string, value: number, revision = 9) {
  return { kind: 'hash', member, revision, compactRevision: 0, hash: value } as const;
}

describe('checkConvergence', () => {
  test('accepts the same hash everywhere', () => {
    expect(checkConvergence(view([hash('n1', 5), hash('n2', 5)], ['n1', 'n2']))).toEqual([]);
  });

  test('rejects another hash at the same revision', () => {
    const found = messages(checkConvergence(view([hash('n1', 5), hash('n2', 6)], ['n1', 'n2'])));

    expect(found).toEqual(['n1 and n2 differ at revision 9']);
  });

  test('a missing hash, or one of another revision, leaves the run undecided', () => {
    const lines = [hash('n1', 5), hash('n2', 5, 8)];

    const kinds = checkConvergence(view(lines, ['n1', 'n2', 'n3'])).map(({ kind }) => kind);

    expect(kinds).toEqual(['undecided', 'undecided']);
  });

  test('rejects a process that ended by itself', () => {
    const crash = { kind: 'crash', member: 'n1', atMs: 100, how: 'exit code 70' } as const;

    expect(messages(checkConvergence(view([crash, hash('n1', 5)])))).toEqual([
      'n1 ended by itself after 100 ms: exit code 70',
    ]);
  });
});
