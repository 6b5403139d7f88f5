/** Messages of other terms than the node's own: what they make of it, and whom it answers. */
import { describe, expect, test } from 'vitest';
import { answerEarlierTerm, effectOfLaterTerm } from '../../src/raft/other-terms.ts';
import type { Message, RaftOptions } from '../../src/raft/index.ts';
import { coreOf } from './subject.ts';

const head = { from: 2, to: 1, term: 5 } as const;
const vote = { ...head, lastIndex: 9, lastTerm: 4, isTransfer: false } as const;

function effectOf(message: Message, leader = 0): string {
  const core = coreOf({ id: 1 });
  core.leader = leader;
  return effectOfLaterTerm(core, message);
}

describe('a message of a later term', () => {
  test('is followed when only a leader sends it', () => {
    const notice = { type: 'CommitNotice', ...head, commitIndex: 1, commitTerm: 1 } as const;

    expect(effectOf(notice)).toBe('followed');
    expect(effectOf({ type: 'InstallSnapshot', ...head, index: 3, source: 2 })).toBe('followed');
  });

  test('is entered for a vote; a pre-vote only asks for it, as does its grant', () => {
    const granted = { type: 'PreVoteResponse', ...head, isGranted: true } as const;

    expect(effectOf({ type: 'RequestVote', ...vote })).toBe('entered');
    expect(effectOf({ type: 'PreVote', ...vote })).toBe('asked');
    expect(effectOf(granted)).toBe('asked');
    expect(effectOf({ ...granted, isGranted: false })).toBe('entered');
  });

  test('is ignored while a leader lives, unless that one hands over', () => {
    expect(effectOf({ type: 'RequestVote', ...vote }, 3)).toBe('ignored');
    expect(effectOf({ type: 'PreVote', ...vote }, 3)).toBe('ignored');
    expect(effectOf({ type: 'RequestVote', ...vote, isTransfer: true }, 3)).toBe('entered');
  });

  test('is entered with an answer to a leader', () => {
    expect(effectOf({ type: 'HeartbeatResponse', ...head, readRound: 0 })).toBe('entered');
  });
});

describe('a message of an earlier term', () => {
  function answered(message: Message, options: Partial<RaftOptions> = {}): readonly Message[] {
    const core = coreOf({ id: 1, options });
    core.enterTerm(7);
    answerEarlierTerm(core, message);
    return [...core.messages, ...core.afterSync];
  }

  const heartbeat = { type: 'Heartbeat', ...head, commitIndex: 0, readRound: 3 } as const;

  test('of a leader is told the term, once that is stored, and confirms no read', () => {
    expect(answered(heartbeat)).toEqual([
      { type: 'HeartbeatResponse', from: 1, to: 2, term: 7, readRound: 0 },
    ]);
    expect(answered(heartbeat, { checkQuorum: false })).toHaveLength(1);
    expect(answered(heartbeat, { preVote: false })).toHaveLength(1);
    expect(answered(heartbeat, { checkQuorum: false, preVote: false })).toEqual([]);
  });

  test('that asks for a pre-vote is refused, one for a vote gets no answer', () => {
    expect(answered({ type: 'PreVote', ...vote })).toMatchObject([
      { type: 'PreVoteResponse', to: 2, term: 7, isGranted: false },
    ]);
    expect(answered({ type: 'RequestVote', ...vote })).toEqual([]);
  });

  test('that was to be proposed is refused', () => {
    const message = { type: 'Propose', ...head, context: 4, proposals: [] } as const;

    expect(answered(message)).toEqual([
      { type: 'ProposeRejected', from: 1, to: 2, term: 0, context: 4, reason: 'not-leader' },
    ]);
  });
});
