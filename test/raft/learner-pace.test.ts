/** Learners that lag behind get a share of each tick; voters get all at once. */
import { describe, expect, test } from 'vitest';
import { LearnerPace } from '../../src/raft/learner-pace.ts';
import type { Raft } from '../../src/raft/index.ts';
import { bytesOf, coreOf, only, proposeText as propose, Subject } from './subject.ts';

const options = { learnerEntriesPerTick: 3, learnerBytesPerTick: 100 };

function paceOf(): LearnerPace {
  return new LearnerPace(coreOf({ id: 1, conf: { voters: [1, 2], learners: [3] }, options }));
}

describe('the share of a tick', () => {
  test('a voter has no limit', () => {
    const pace = paceOf();

    pace.sent(2, { entries: 1_000_000, bytes: 1e12 });

    expect(pace.room(2)).toEqual({ entries: Infinity, bytes: Infinity });
    expect(pace.tick()).toBe(false);
  });

  test('a learner has what is left of its entries and bytes', () => {
    const pace = paceOf();

    pace.sent(3, { entries: 1, bytes: 40 });

    expect(pace.room(3)).toEqual({ entries: 2, bytes: 60 });
  });

  test.each([
    { title: 'entries', sent: { entries: 3, bytes: 3 } },
    { title: 'bytes', sent: { entries: 1, bytes: 100 } },
    { title: 'bytes and more', sent: { entries: 1, bytes: 500 } },
  ])('a learner that has had its $title waits for the next tick', ({ sent }) => {
    const pace = paceOf();
    pace.sent(3, sent);

    expect(pace.room(3)).toEqual({ entries: 0, bytes: 0 });

    expect(pace.tick()).toBe(true);
    expect(pace.room(3)).toEqual({ entries: 3, bytes: 100 });
  });

  test('a tick in which nobody was held back lets nothing go', () => {
    const pace = paceOf();
    pace.sent(3, { entries: 3, bytes: 3 });

    expect(pace.tick()).toBe(false);
  });

  test('the share is twice what the log grew by in the tick before', () => {
    const pace = paceOf();
    pace.appended({ entries: 4, bytes: 10 });
    pace.appended({ entries: 3, bytes: 90 });
    pace.tick();

    expect(pace.room(3)).toEqual({ entries: 14, bytes: 200 });

    pace.tick();
    expect(pace.room(3)).toEqual({ entries: 3, bytes: 100 });
  });
});

describe('a leader with a learner', () => {
  /** A leader whose learner, 4, streams and lacks nothing. */
  function leading(appendBytesMax = 1_000_000): Subject {
    const conf = { voters: [1, 2, 3], learners: [4] };
    const subject = new Subject({ conf, options: { ...options, appendBytesMax } });
    subject.lead();
    for (const peer of [2, 3, 4]) {
      subject.accept(peer);
    }
    subject.tick();
    return subject;
  }

  function promote(subject: Subject, voters: number[]): ReturnType<Raft['proposeConfChange']> {
    const { index: baseIndex } = subject.raft.configuration;
    const data = bytesOf('m');
    return subject.raft.proposeConfChange({ baseIndex, voters, learners: [], data }, 1);
  }

  /** The indexes sent to `peer`, in their order. */
  function sentTo(subject: Subject, peer: number, messages = subject.drain()): number[] {
    const appends = only(messages, 'AppendEntries').filter(({ to }) => to === peer);
    return appends.flatMap(({ entries }) => entries.map(({ index }) => index));
  }

  test('sends the voters all, and the learner its share, tick by tick', () => {
    const subject = leading();
    propose(subject, '1', '2', '3', '4', '5', '6', '7', '8', '9', '10');

    const messages = subject.drain();

    expect(sentTo(subject, 2, messages)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(sentTo(subject, 4, messages)).toEqual([2, 3, 4]);
    // The log grew by ten entries in the tick before: the share is more than what is left.
    expect(sentTo(subject, 4, subject.tick())).toEqual([5, 6, 7, 8, 9, 10, 11]);
  });

  test('an answer of the learner within the tick brings it no more', () => {
    const subject = leading();
    propose(subject, '1', '2', '3', '4');
    subject.drain();

    expect(sentTo(subject, 4, subject.accept(4, 4))).toEqual([]);
    expect(sentTo(subject, 4, subject.tick())).toEqual([5]);
  });

  test('an entry larger than the share goes alone', () => {
    const subject = leading();
    propose(subject, 'x'.repeat(500));
    propose(subject, 'y');

    expect(sentTo(subject, 4)).toEqual([2]);
    expect(sentTo(subject, 4, subject.tick())).toEqual([3]);
  });

  test('a learner that becomes a voter is held back no more', () => {
    const subject = leading();
    propose(subject, '1', '2', '3', '4', '5');
    subject.drain();
    subject.accept(2, 6);
    subject.accept(4, 6);
    expect(promote(subject, [1, 2, 3, 4])).toMatchObject({ kind: 'appended' });

    propose(subject, '1', '2', '3', '4', '5');

    expect(sentTo(subject, 4)).toEqual([7, 8, 9, 10, 11, 12]);
  });
});
