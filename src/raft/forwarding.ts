/**
 * What a node that does not lead passes on to the leader it knows: proposals, changes of
 * membership, orders to hand over; and how a leader that cannot take them says so. Reads:
 * `forwarded-reads.ts`.
 *
 * A leader takes what is passed on in the term that the message names or not at all (Raft thesis
 * §6.2), so what is lost can be told from what is late. A refusal means that it surely had no
 * effect.
 */
import type { Core } from './core.ts';
import type { ConfChangeProposal, DropReason, Propose, ProposeConfChange } from './message.ts';
import type { ProposeResult, TransferResult } from './ready.ts';
import type { NodeId } from './types.ts';

/** Passes a batch of proposals on as a whole, if that is wanted and a leader is known. */
export function forwardProposals(
  core: Core,
  proposals: readonly Uint8Array[],
  context: number,
): ProposeResult {
  const { id, term, leader, options, messages } = core;
  if (leader === 0) {
    return { kind: 'dropped', reason: 'no-leader' };
  }
  if (!options.forwardProposals) {
    return { kind: 'dropped', reason: 'not-leader' };
  }
  messages.push({ type: 'Propose', from: id, to: leader, term, context, proposals });
  return { kind: 'forwarded', to: leader, term };
}

/** Passes a change of membership on, if a leader is known. */
export function forwardConfChange(
  core: Core,
  { baseIndex, voters, learners, data }: ConfChangeProposal,
  context: number,
): ProposeResult {
  const { id, term, leader, messages } = core;
  if (leader === 0) {
    return { kind: 'dropped', reason: 'no-leader' };
  }
  messages.push({
    type: 'ProposeConfChange',
    from: id,
    to: leader,
    term,
    context,
    baseIndex,
    voters,
    learners,
    data,
  });
  return { kind: 'forwarded', to: leader, term };
}

/** Passes on the order to hand leadership to `target`, if a leader is known. */
export function forwardTransfer(core: Core, target: NodeId): TransferResult {
  const { id, term, leader, messages } = core;
  if (leader === 0) {
    return { kind: 'refused', reason: 'no leader is known' };
  }
  messages.push({ type: 'TransferLeader', from: id, to: leader, term, target });
  return { kind: 'started' };
}

/** Tells the sender that what it passed on is not taken, and had no effect. */
export function refuse(
  core: Core,
  { from, context }: Propose | ProposeConfChange,
  reason: DropReason,
): void {
  core.messages.push({
    type: 'ProposeRejected',
    from: core.id,
    to: from,
    term: 0,
    context,
    reason,
  });
}
