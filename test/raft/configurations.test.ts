/** Configurations: what follows what, how they travel, which one counts. Ids: `README.md`. */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import {
  Configurations,
  decodeConfiguration,
  encodeConfiguration,
  isJoint,
  leftConfState,
  nextConfState,
} from '../../src/raft/configurations.ts';
import type { ConfState, Configuration, Entry, NodeId } from '../../src/raft/index.ts';
import { majorityOf, membersOf } from '../../src/raft/quorum.ts';
import { bytesOf, entry } from './subject.ts';

function plain(voters: readonly NodeId[], learners: readonly NodeId[] = []): ConfState {
  return { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false };
}

function configuration(index: number, voters: readonly NodeId[]): Configuration {
  return { index, confState: plain(voters), context: bytesOf('m') };
}

function confEntry(index: number, voters: readonly NodeId[]): Entry {
  const data = encodeConfiguration(configuration(index, voters));
  return { index, term: 1, type: 'confChange', data };
}

/** Some ids of 1 to 6, ascending. */
function someOf(next: () => number): NodeId[] {
  return [1, 2, 3, 4, 5, 6].filter(() => next() % 2 === 0);
}

describe('nextConfState', () => {
  test.each([
    ['adds a voter', [1, 2, 3, 4], []],
    ['removes a voter', [1, 2], []],
    ['makes a voter a learner', [1, 2], [3]],
    ['changes learners only', [1, 2, 3], [7, 8, 9]],
    ['changes nothing', [1, 2, 3], []],
  ])('L04, M12: one that %s is made at once', (_, voters, learners) => {
    expect(nextConfState(plain([1, 2, 3]), { voters, learners })).toEqual(plain(voters, learners));
  });

  test('L13: a learner may become a voter and a voter a learner in one change', () => {
    const next = nextConfState(plain([1, 2, 3], [4]), { voters: [1, 2, 4], learners: [3] });

    expect(next).toEqual({
      voters: [1, 2, 4],
      votersOutgoing: [1, 2, 3],
      learners: [],
      learnersNext: [3],
      autoLeave: true,
    });
    expect(next === undefined ? undefined : leftConfState(next)).toEqual(plain([1, 2, 4], [3]));
  });

  test('M05: from a joint one nothing but leaving is possible', () => {
    const joint = nextConfState(plain([1, 2, 3]), { voters: [4, 5, 6], learners: [] });

    expect(() => nextConfState(joint ?? plain([]), { voters: [1], learners: [] })).toThrow('plain');
    expect(() => leftConfState(plain([1]))).toThrow('only a joint');
  });

  test('N08, M16: any change keeps its majorities together and ends where it should', () => {
    const prng = createPrng(7);
    const next = (): number => prng.nextUint32() >>> 8;
    let joint = 0;
    for (let i = 0; i < 2000; i++) {
      const before = someOf(next);
      const voters = someOf(next);
      const learners = someOf(next).filter((id) => !voters.includes(id));
      const from = plain(before.length > 0 ? before : [1]);
      const result = nextConfState(from, { voters, learners });
      if (result === undefined) {
        expect(voters).toEqual([]);
        continue;
      }
      for (const half of [result.voters, result.votersOutgoing]) {
        expect(result.learners.filter((id) => half.includes(id))).toEqual([]);
      }
      if (isJoint(result)) {
        joint++;
        expect(result.votersOutgoing).toEqual(from.voters);
        expect(leftConfState(result)).toEqual(plain(voters, learners));
      } else {
        const common = voters.filter((id) => from.voters.includes(id)).length;
        const needed = majorityOf(voters.length) + majorityOf(from.voters.length);
        // Any majority of one meets any majority of the other.
        expect(needed).toBeGreaterThan(voters.length + from.voters.length - common);
        expect(result).toEqual(plain(voters, learners));
      }
      expect(membersOf(result)).toEqual(expect.arrayContaining([...voters, ...learners]));
    }
    expect(joint).toBeGreaterThan(500);
  });
});

describe('The form in which a configuration travels', () => {
  test('M15: comes out as it went in, joint halves, learners to be and context included', () => {
    const conf: ConfState = {
      voters: [1, 2 ** 52 + 1],
      votersOutgoing: [1, 3, 4],
      learners: [7],
      learnersNext: [3, 4],
      autoLeave: true,
    };
    const context = bytesOf('who and where');

    const decoded = decodeConfiguration(encodeConfiguration({ confState: conf, context }));

    expect(decoded).toEqual({ confState: conf, context });
  });

  test('P08: bytes that are none stop the node', () => {
    const bytes = encodeConfiguration(configuration(1, [1, 2, 3]));
    const future = bytes.slice();
    future[0] = 9;
    const large = bytes.slice();
    large.fill(0xff, 2, 6);

    expect(() => decodeConfiguration(bytes.slice(0, 10))).toThrow('too short');
    expect(() => decodeConfiguration(bytes.slice(0, 30))).toThrow('as many ids as it says');
    expect(() => decodeConfiguration(future)).toThrow('version 9 is unknown');
    expect(() => decodeConfiguration(large)).toThrow('too large');
  });
});

describe('The configurations of a log', () => {
  test('P08: a restart finds the newest, in the state or in the log after it', () => {
    const entries = [confEntry(3, [1, 2]), confEntry(7, [1])];

    expect(new Configurations(configuration(5, [1, 2, 3]), entries).current.index).toBe(7);
    expect(new Configurations(configuration(7, [1]), entries).current.confState).toEqual(
      plain([1]),
    );
  });

  test('L01: one counts from when it is appended; other entries change nothing', () => {
    const log = new Configurations(configuration(0, [1, 2, 3]), []);

    expect(log.append([entry(1, 1, 'x')])).toBe(false);
    expect(log.append([entry(2, 1), confEntry(3, [1, 2])])).toBe(true);

    expect(log.current).toEqual(configuration(3, [1, 2]));
  });

  test('the one before counts again when its successor is cut off', () => {
    const log = new Configurations(configuration(0, [1, 2, 3]), [confEntry(3, [1, 2])]);

    expect(log.truncateFrom(4)).toBe(false);
    expect(log.truncateFrom(3)).toBe(true);

    expect(log.current.index).toBe(0);
  });

  test('a committed one is never cut off', () => {
    const log = new Configurations(configuration(0, [1, 2, 3]), [confEntry(3, [1, 2])]);
    log.settle(3);

    expect(() => log.truncateFrom(2)).toThrow('never truncated');
  });

  test('a voter of any that may still count may be needed, until the newest is committed', () => {
    const log = new Configurations(configuration(0, [1, 2, 3]), [confEntry(3, [1, 2])]);
    expect([1, 3, 4].map((id) => log.mayNeed(id))).toEqual([true, true, false]);

    log.settle(3);

    expect(log.mayNeed(3)).toBe(false);
  });

  test('a snapshot takes the place of all of them', () => {
    const log = new Configurations(configuration(0, [1, 2, 3]), [confEntry(3, [1, 2])]);

    log.restore(configuration(2, [4]));

    expect(log.current).toEqual(configuration(2, [4]));
  });
});

describe('A configuration learned with another state', () => {
  test('takes the place of those before it, and later ones of the log still count', () => {
    const configurations = new Configurations(configuration(0, [1, 2, 3]), [confEntry(5, [1, 2])]);

    expect(configurations.learn(configuration(3, [1, 2, 3, 4]))).toBe(false);
    expect(configurations.current.index).toBe(5);

    expect(configurations.truncateFrom(5)).toBe(true);
    expect(configurations.current).toEqual(configuration(3, [1, 2, 3, 4]));
  });

  test('is no news to a log that has a later one committed', () => {
    const configurations = new Configurations(configuration(4, [1, 2]), []);

    expect(configurations.learn(configuration(3, [1, 2, 3]))).toBe(false);
    expect(configurations.current.index).toBe(4);
  });
});
