/** What a node that does not lead passes on, and how it is refused. */
import { describe, expect, test } from 'vitest';
import {
  forwardConfChange,
  forwardProposals,
  forwardTransfer,
  refuse,
} from '../../src/raft/forwarding.ts';
import type { Core } from '../../src/raft/core.ts';
import type { RaftOptions } from '../../src/raft/index.ts';
import { bytesOf, coreOf } from './subject.ts';

function followerOf(leader: number, options: Partial<RaftOptions> = {}): Core {
  const core = coreOf({ id: 1, options });
  core.leader = leader;
  return core;
}

const proposals = [bytesOf('a'), bytesOf('b')];
const change = { baseIndex: 4, voters: [1, 2], learners: [3], data: bytesOf('m') };

describe('Forwarding', () => {
  test('proposals travel as one message, in the term of the node', () => {
    const core = followerOf(2);

    const result = forwardProposals(core, proposals, 9);

    expect(result).toEqual({ kind: 'forwarded', to: 2, term: 1 });
    const sent = { type: 'Propose', from: 1, to: 2, term: 1, context: 9, proposals };
    expect(core.messages).toEqual([sent]);
  });

  test('a change of membership travels with what it was worked out against', () => {
    const core = followerOf(2);

    expect(forwardConfChange(core, change, 9)).toEqual({ kind: 'forwarded', to: 2, term: 1 });

    expect(core.messages).toEqual([
      { type: 'ProposeConfChange', from: 1, to: 2, term: 1, context: 9, ...change },
    ]);
  });

  test('an order to hand over travels to the leader', () => {
    const core = followerOf(2);

    expect(forwardTransfer(core, 3)).toEqual({ kind: 'started' });

    const sent = { type: 'TransferLeader', from: 1, to: 2, term: 1, target: 3 };
    expect(core.messages).toEqual([sent]);
  });

  test('without a leader, or against the settings, nothing is sent', () => {
    const alone = followerOf(0);
    const proud = followerOf(2, { forwardProposals: false });

    const dropped = { kind: 'dropped', reason: 'no-leader' };
    expect(forwardProposals(alone, proposals, 9)).toEqual(dropped);
    expect(forwardConfChange(alone, change, 9)).toEqual(dropped);
    expect(forwardTransfer(alone, 3)).toEqual({ kind: 'refused', reason: 'no leader is known' });
    expect(forwardProposals(proud, proposals, 9)).toEqual({ ...dropped, reason: 'not-leader' });
    expect([...alone.messages, ...proud.messages]).toEqual([]);
  });

  test('a refusal names what was passed on, and why', () => {
    const core = followerOf(0);
    const head = { from: 3, to: 1, term: 1 } as const;

    refuse(core, { type: 'Propose', ...head, context: 5, proposals }, 'log-full');

    expect(core.messages).toEqual([
      { type: 'ProposeRejected', from: 1, to: 3, term: 0, context: 5, reason: 'log-full' },
    ]);
  });
});
