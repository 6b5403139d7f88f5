import { describe, expect, test } from 'vitest';
import { decodeCommand } from '../../src/kv/index.ts';
import { initialConfiguration, type MemberRecord } from '../../src/replica/membership.ts';
import { OwnCommands } from '../../src/replica/own-commands.ts';
import { decodeEnvelope } from '../../src/replica/proposals.ts';

/** A member whose log takes what it is given, unless it is full. */
class Harness {
  readonly raft = {
    role: 'leader' as 'leader' | 'follower',
    term: 3,
    isFull: false,
    configuration: initialConfiguration([1, 2, 3].map(memberNamed)),
    proposeOwn: (data: Uint8Array) => {
      if (this.raft.isFull) {
        return { kind: 'dropped', reason: 'log-full' } as const;
      }
      this.log.push(data);
      return { kind: 'appended', term: 3, firstIndex: this.log.length } as const;
    },
  };
  readonly log: Uint8Array[] = [];
  readonly own = new OwnCommands({
    raft: this.raft,
    retention: { keepMs: 0, keepRevisions: 10, intervalMs: 1000, lookMs: 100 },
    source: { origin: 1, incarnation: 7 },
  });
  level = 1;
  #nowMs = 0;

  /** Time goes on, the state is as told, and a turn comes. */
  turn(revision: number, passedMs = 60_000): number | undefined {
    this.#nowMs += passedMs;
    this.own.noteTime(this.#nowMs);
    this.own.applied({
      time: { timeMs: this.own.clusterTimeMs, isNeeded: false, nextDeadlineMs: undefined },
      lastApplied: { index: this.log.length, term: 3 },
      ...{ revision, compactRevision: -1, alarms: [], level: this.level },
    });
    return this.own.propose();
  }

  get levels(): readonly number[] {
    return this.log
      .map((data) => decodeCommand(decodeEnvelope(data).command))
      .flatMap((command) => (command.type === 'raiseLevel' ? [command.level] : []));
  }

  get commands(): readonly string[] {
    return this.log.map((data) => decodeCommand(decodeEnvelope(data).command).type);
  }
}

function memberNamed(id: number): MemberRecord {
  return { id, name: `n${id}`, peerUrls: [], autoPromote: false };
}

describe('OwnCommands', () => {
  test('a leader compacts history that is not to be kept, and says up to where', () => {
    const harness = new Harness();
    harness.turn(1000);

    const revisions = [harness.turn(1000), harness.turn(1000)];

    expect(harness.commands).toContain('compact');
    expect(revisions.some((revision) => revision !== undefined)).toBe(true);
  });

  test('a follower puts nothing into the log', () => {
    const harness = new Harness();
    harness.raft.role = 'follower';

    expect([harness.turn(1000), harness.turn(1000)]).toEqual([undefined, undefined]);
    expect(harness.log).toEqual([]);
  });

  test('what the log does not take is tried again', () => {
    const harness = new Harness();
    harness.raft.isFull = true;
    expect([harness.turn(1000), harness.turn(1000)]).toEqual([undefined, undefined]);

    harness.raft.isFull = false;
    harness.turn(1000);
    harness.turn(1000);
    expect(harness.commands).toContain('compact');
  });

  test('a leader raises the feature level once every member reads it, and once only', () => {
    const harness = new Harness();
    harness.own.noteLevels(
      new Map([
        [1, 3],
        [2, 2],
      ]),
    );
    harness.turn(1);
    expect(harness.commands).not.toContain('raiseLevel');

    harness.own.noteLevels(
      new Map([
        [1, 3],
        [2, 2],
        [3, 3],
      ]),
    );
    harness.turn(1);
    harness.turn(1);

    expect(harness.levels).toEqual([2]);
  });

  test('a level that the log does not take is tried again', () => {
    const harness = new Harness();
    harness.own.noteLevels(new Map([1, 2, 3].map((id) => [id, 2])));
    harness.raft.isFull = true;
    harness.turn(1);

    harness.raft.isFull = false;
    harness.turn(1);

    expect(harness.levels).toEqual([2]);
  });
});
