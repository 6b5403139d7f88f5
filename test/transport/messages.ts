/** Generators of messages between members, one for each type. */
import fc from 'fast-check';
import type { DropReason, Entry } from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/transport/index.ts';

const number = fc.oneof(
  fc.nat({ max: 300 }),
  fc.maxSafeNat(),
  fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
);
const data = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const envelope = { from: number, to: number, term: number };

const appendEntries = fc
  .record({
    type: fc.constant('AppendEntries' as const),
    ...envelope,
    prevLogIndex: fc.maxSafeNat().map((index) => Math.max(0, index - 100)),
    prevLogTerm: number,
    commitIndex: number,
    contents: fc.array(
      fc.record({ term: number, type: fc.constantFrom('normal', 'confChange'), data }),
      { maxLength: 6 },
    ),
  })
  .map(({ contents, ...message }) => ({
    ...message,
    entries: contents.map(
      ({ term, type, data }, i): Entry => ({
        term,
        index: message.prevLogIndex + 1 + i,
        type: type === 'normal' ? 'normal' : 'confChange',
        data,
      }),
    ),
  }));

/** Every reason; one that is missing here does not compile. */
const dropReasons = Object.keys({
  'no-leader': true,
  transferring: true,
  'log-full': true,
  'not-leader': true,
  removed: true,
  'conf-stale': true,
  'conf-pending': true,
  'conf-invalid': true,
  'learner-not-ready': true,
  'quorum-at-risk': true,
} satisfies Record<DropReason, true>) as DropReason[];

/** For each message type, messages of it. A type that is missing here does not compile. */
export const messagesByType: {
  readonly [Type in PeerMessage['type']]: fc.Arbitrary<
    Extract<PeerMessage, { readonly type: Type }>
  >;
} = {
  RequestVote: vote('RequestVote'),
  RequestVoteResponse: voteResponse('RequestVoteResponse'),
  PreVote: vote('PreVote'),
  PreVoteResponse: voteResponse('PreVoteResponse'),
  AppendEntries: appendEntries,
  AppendEntriesResponse: fc.record({
    type: fc.constant('AppendEntriesResponse'),
    ...envelope,
    isRejected: fc.boolean(),
    index: number,
    hintIndex: number,
    hintTerm: number,
  }),
  Heartbeat: fc.record({
    type: fc.constant('Heartbeat'),
    ...envelope,
    commitIndex: number,
    readRound: number,
  }),
  CommitNotice: fc.record({
    type: fc.constant('CommitNotice'),
    ...envelope,
    commitIndex: number,
    commitTerm: number,
  }),
  HeartbeatResponse: fc.record({
    type: fc.constant('HeartbeatResponse'),
    ...envelope,
    readRound: number,
    leaseMs: fc.option(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { nil: undefined }),
  }),
  TimeoutNow: fc.record({ type: fc.constant('TimeoutNow'), ...envelope }),
  TransferLeader: fc.record({
    type: fc.constant('TransferLeader'),
    ...envelope,
    target: number,
  }),
  Propose: fc.record({
    type: fc.constant('Propose'),
    ...envelope,
    context: number,
    proposals: fc.array(data, { maxLength: 6 }),
  }),
  ProposeRejected: fc.record({
    type: fc.constant('ProposeRejected'),
    ...envelope,
    context: number,
    reason: fc.constantFrom(...dropReasons),
  }),
  ReadIndex: fc.record({ type: fc.constant('ReadIndex'), ...envelope, context: number }),
  ReadIndexResponse: fc.record({
    type: fc.constant('ReadIndexResponse'),
    ...envelope,
    context: number,
    index: number,
  }),
  InstallSnapshot: fc.record({
    type: fc.constant('InstallSnapshot'),
    ...envelope,
    index: number,
    source: number,
  }),
  ProposeConfChange: fc.record({
    type: fc.constant('ProposeConfChange'),
    ...envelope,
    context: number,
    baseIndex: number,
    voters: fc.array(number, { maxLength: 5 }),
    learners: fc.array(number, { maxLength: 5 }),
    data,
  }),
  StateHash: fc.record({
    type: fc.constant('StateHash'),
    from: number,
    to: number,
    index: number,
    hash: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
};

/** Messages of every type. */
export const anyMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  ...(Object.values(messagesByType) as fc.Arbitrary<PeerMessage>[]),
);

function vote<Type extends 'RequestVote' | 'PreVote'>(type: Type) {
  return fc.record({
    type: fc.constant(type),
    ...envelope,
    lastIndex: number,
    lastTerm: number,
    isTransfer: fc.boolean(),
  }) as fc.Arbitrary<Extract<PeerMessage, { readonly type: Type }>>;
}

function voteResponse<Type extends 'RequestVoteResponse' | 'PreVoteResponse'>(type: Type) {
  return fc.record({
    type: fc.constant(type),
    ...envelope,
    isGranted: fc.boolean(),
  }) as fc.Arbitrary<Extract<PeerMessage, { readonly type: Type }>>;
}
