import { describe, expect, test } from 'vitest';
import { assert, InvariantViolation, KvError, must, unreachable } from '../../src/base/index.ts';

describe('assert', () => {
  test('lets a true condition pass, without building its message', () => {
    assert(true, () => {
      throw new Error('built for nothing');
    });
  });

  test('stops at a false condition with its sentence', () => {
    expect(() => {
      assert(false, 'terms never shrink');
    }).toThrow(new InvariantViolation('terms never shrink'));
    const term = Number('7');
    expect(() => {
      assert(term > 8, () => `term ${term} after 8`);
    }).toThrow(new InvariantViolation('term 7 after 8'));
  });

  test('throws what the process handler takes for a defect, not for a failure of the world', () => {
    const error = new InvariantViolation('x');

    expect(error.name).toBe('InvariantViolation');
    expect(error).not.toBeInstanceOf(KvError);
  });
});

describe('must', () => {
  test.each([[0], [''], [false], [Number.NaN]])('returns %j: it is there', (value) => {
    expect(must(value, 'the value')).toBe(value);
  });

  test.each([[undefined], [null]])('stops at %j and names what is missing', (value) => {
    expect(() => must(value, 'the leader')).toThrow(
      new InvariantViolation('the leader must be present'),
    );
  });
});

describe('unreachable', () => {
  test('stops and names the case', () => {
    expect(() => unreachable('observer' as never)).toThrow(
      new InvariantViolation('unreachable case: observer'),
    );
  });
});
