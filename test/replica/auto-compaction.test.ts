import { describe, expect, test } from 'vitest';
import type { Alarm } from '../../src/kv/index.ts';
import {
  AutoCompaction,
  type HistoryRetention,
  keepBoth,
  keepRevisions,
  keepTime,
} from '../../src/replica/auto-compaction.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A member whose revision and clock a test moves; what it proposes is applied when told. */
class Subject {
  readonly #decision: AutoCompaction;
  nowMs = 5000;
  revision = 1;
  compactRevision = -1;
  index = 1;
  term = 1;
  alarms: readonly Alarm[] = [];
  /** Compactions as `minutes:revision`, the minutes since the start. */
  readonly compactions: string[] = [];

  constructor(retention: HistoryRetention | undefined) {
    this.#decision = new AutoCompaction(retention);
    this.apply();
    this.look();
  }

  get decision(): AutoCompaction {
    return this.#decision;
  }

  /** Tells the decision what is applied. */
  apply(): void {
    const { revision, compactRevision, index, alarms } = this;
    this.#decision.noteTime(this.nowMs);
    this.#decision.applied({ revision, compactRevision, lastApplied: { index }, alarms });
  }

  look(): number | undefined {
    this.#decision.noteTime(this.nowMs);
    return this.#decision.due(this.term);
  }

  /** Lets time pass, a revision every minute; what is due is proposed, and applied at once. */
  pass(minutes: number): void {
    for (let i = 0; i < minutes; i++) {
      this.nowMs += minuteMs;
      this.revision++;
      this.index++;
      this.apply();
      const due = this.look();
      if (due !== undefined) {
        this.compactions.push(`${(this.nowMs - 5000) / minuteMs}:${due}`);
        this.#decision.proposed({ term: this.term, index: ++this.index, revision: due });
        this.compactRevision = due;
        this.apply();
      }
    }
  }
}

describe('a time that is kept', () => {
  test('up to an hour: compactions are that far apart, as in etcd', () => {
    const subject = new Subject(keepTime(20 * minuteMs));
    subject.pass(70);
    // Revision n + 1 is of minute n: each is what was applied twenty minutes before.
    expect(subject.compactions).toEqual(['22:3', '42:23', '62:43']);
  });

  test('beyond an hour: after that time every hour, as in etcd', () => {
    const subject = new Subject(keepTime(3 * hourMs));
    subject.pass(6 * 60);
    expect(subject.compactions).toEqual(['186:7', '246:67', '306:127']);
  });

  test('the first revision of a store is nothing to compact to', () => {
    const subject = new Subject(keepTime(20 * minuteMs));
    subject.pass(20);
    expect(subject.compactions).toEqual([]);
  });

  test('nothing goes twice while nothing is written', () => {
    const subject = new Subject(keepTime(20 * minuteMs));
    subject.pass(60);
    subject.compactions.length = 0;
    for (let minute = 0; minute < 100; minute++) {
      subject.nowMs += minuteMs;
      const due = subject.look();
      if (due !== undefined) {
        subject.compactions.push(String(due));
        subject.compactRevision = due;
        subject.decision.proposed({ term: 1, index: ++subject.index, revision: due });
        subject.apply();
      }
    }
    expect(subject.compactions).toEqual(['43', '61']);
  });

  test('longer than 100 hours is looked at less often, so that notes are bounded', () => {
    const retention = keepTime(2000 * hourMs);
    expect(retention).toMatchObject({ intervalMs: hourMs, lookMs: 2 * hourMs });
    const subject = new Subject(retention);
    for (let look = 0; look < 1500; look++) {
      subject.nowMs += 2 * hourMs;
      subject.revision++;
      subject.apply();
      const due = subject.look();
      expect(due ?? subject.revision - 1000).toBe(subject.revision - 1000);
    }
  });

  test('a pause of the process only makes it keep more', () => {
    const subject = new Subject(keepTime(20 * minuteMs));
    subject.pass(30);
    subject.nowMs += 10 * hourMs;
    subject.revision += 1000;
    // What was applied in those hours is not known, and what came first goes.
    expect(subject.look()).toBe(31);
  });
});

describe('a number of revisions that is kept', () => {
  test('is looked at every five minutes, as in etcd', () => {
    const subject = new Subject(keepRevisions(3));
    subject.pass(16);
    expect(subject.compactions).toEqual(['5:3', '10:8', '15:13']);
  });

  test('of which there are not so many', () => {
    const subject = new Subject(keepRevisions(1000));
    subject.pass(100);
    expect(subject.compactions).toEqual([]);
  });
});

describe('both kept', () => {
  test('the number holds where the time alone would let go', () => {
    const subject = new Subject(keepBoth(10 * minuteMs, 30));
    subject.pass(34);
    expect(subject.compactions).toEqual(['31:2', '32:3', '33:4', '34:5']);
  });

  test('the time holds where the number alone would let go', () => {
    const subject = new Subject(keepBoth(10 * minuteMs, 2));
    subject.pass(13);
    expect(subject.compactions).toEqual(['11:2', '12:3', '13:4']);
  });

  test('near the quota the number does not count, and the time does', () => {
    const subject = new Subject(keepBoth(10 * minuteMs, 1000));
    subject.decision.noteSpace(true);
    subject.pass(12);
    expect(subject.compactions).toEqual(['11:2', '12:3']);
    subject.decision.noteSpace(false);
    subject.pass(12);
    expect(subject.compactions).toHaveLength(2);
  });

  test('near the quota a number that is kept alone still counts', () => {
    const subject = new Subject(keepRevisions(1000));
    subject.decision.noteSpace(true);
    subject.pass(60);
    expect(subject.compactions).toEqual([]);
  });
});

describe('who compacts', () => {
  test('a follower does not, and knows all it needs once it leads', () => {
    const subject = new Subject(keepBoth(10 * minuteMs, 2));
    subject.term = 0;
    subject.pass(30);
    expect(subject.compactions).toEqual([]);
    subject.term = 7;
    subject.pass(1);
    expect(subject.compactions).toEqual(['31:22']);
  });

  test('a member that has just started waits until it has seen the time that is kept', () => {
    const subject = new Subject(keepBoth(10 * minuteMs, 2));
    subject.revision = 5000;
    subject.pass(9);
    expect(subject.compactions).toEqual([]);
  });

  test('nobody, where history is kept for good', () => {
    const subject = new Subject(undefined);
    subject.pass(1000);
    expect(subject.compactions).toEqual([]);
  });

  test('a state that was replaced by another is learnt anew', () => {
    const subject = new Subject(keepBoth(10 * minuteMs, 2));
    subject.pass(9);
    subject.decision.forget();
    subject.pass(10);
    expect(subject.compactions).toEqual([]);
    subject.pass(1);
    expect(subject.compactions).toEqual(['20:11']);
  });
});

describe('a compaction under way', () => {
  test('is the only one until it is applied', () => {
    const subject = new Subject(keepRevisions(3));
    subject.pass(4);
    subject.nowMs += minuteMs;
    expect(subject.look()).toBe(2);
    subject.decision.proposed({ term: 1, index: 100, revision: 2 });
    subject.nowMs += hourMs;
    subject.apply();
    expect(subject.look()).toBeUndefined();
    subject.index = 100;
    subject.compactRevision = 2;
    subject.revision = 9;
    subject.apply();
    expect(subject.look()).toBeUndefined();
    subject.nowMs += 5 * minuteMs;
    expect(subject.look()).toBe(6);
  });

  test('is forgotten with the leadership, and what it was is decided anew', () => {
    const subject = new Subject(keepRevisions(3));
    subject.pass(4);
    subject.nowMs += minuteMs;
    expect(subject.look()).toBe(2);
    subject.decision.proposed({ term: 1, index: 100, revision: 2 });
    subject.term = 2;
    subject.nowMs += 5 * minuteMs;
    expect(subject.look()).toBe(2);
  });

  test('that cannot go into the log is tried again at the next look', () => {
    const subject = new Subject(keepTime(20 * minuteMs));
    subject.pass(21);
    expect(subject.compactions).toEqual([]);
    subject.nowMs += minuteMs;
    expect(subject.look()).toBe(3);
    subject.nowMs += minuteMs;
    expect(subject.look()).toBeUndefined();
    subject.nowMs += minuteMs;
    expect(subject.look()).toBe(5);
  });

  test('that is refused is not repeated before the next look', () => {
    const subject = new Subject(keepRevisions(3));
    subject.pass(4);
    subject.nowMs += minuteMs;
    subject.decision.proposed({ term: 1, index: 6, revision: subject.look() ?? 0 });
    subject.index = 6;
    subject.apply();
    for (let second = 1; second < 300; second++) {
      subject.nowMs += 1000;
      expect(subject.look()).toBeUndefined();
    }
    subject.nowMs += 1000;
    expect(subject.look()).toBe(2);
  });

  test('is none while the state is known to be corrupt', () => {
    const subject = new Subject(keepBoth(10 * minuteMs, 2));
    subject.alarms = [{ alarm: 'corrupt', memberId: 1 }];
    subject.pass(40);
    expect(subject.compactions).toEqual([]);
    subject.alarms = [{ alarm: 'nospace', memberId: 1 }];
    subject.pass(1);
    expect(subject.compactions).toEqual(['41:32']);
  });
});
