/**
 * The membership as a member keeps it beside a configuration: who the members are, where they are
 * reached, and who has been removed for good; and how a change makes the next one out of it.
 *
 * It travels as the context of configurations (`raft/configurations.ts`), so it is in the log, in
 * the state and in snapshots, and is the same wherever the configuration is.
 */
import { assert, type ErrorCode } from '../base/index.ts';
import type { Configuration, NodeId } from '../raft/index.ts';

/** What every member knows of one of them. */
export interface MemberRecord {
  readonly id: NodeId;
  /** Empty until the member has been started and has told its own. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** A learner that becomes a voter as soon as it has caught up. */
  readonly autoPromote: boolean;
}

/** Who proposed a configuration, so that its proposer knows it again. */
export interface ChangeOrigin {
  readonly origin: NodeId;
  readonly incarnation: number;
  readonly id: number;
}

/** See the module comment. */
export interface Membership {
  /** By ascending id. */
  readonly members: readonly MemberRecord[];
  /** Ids that are never taken again, oldest first. */
  readonly removedIds: readonly NodeId[];
  /** Who this change removes: they are spoken with until its joint configuration is left. */
  readonly departing?: readonly MemberRecord[] | undefined;
  readonly origin?: ChangeOrigin | undefined;
}

/** One step of the membership. */
export type MembershipChange =
  | { readonly type: 'add'; readonly member: MemberRecord; readonly isLearner: boolean }
  | { readonly type: 'remove'; readonly id: NodeId }
  | { readonly type: 'update'; readonly id: NodeId; readonly peerUrls: readonly string[] }
  | { readonly type: 'promote'; readonly id: NodeId }
  | { readonly type: 'demote'; readonly id: NodeId }
  | {
      readonly type: 'replace';
      readonly id: NodeId;
      readonly member: MemberRecord;
      readonly isLearner: boolean;
    };

/** What a change amounts to: the next configuration, nothing left to do, or why it cannot be. */
export type ChangePlan =
  | {
      readonly kind: 'next';
      readonly voters: readonly NodeId[];
      readonly learners: readonly NodeId[];
      readonly membership: Membership;
    }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

/**
 * Limit: learners at a time; each costs the leader as much as a voter.
 *
 * @internal for tests.
 */
export const learnersMax = 8;
/** Limit: removed ids remembered; a member that old finds nobody who would speak with it anyway. */
const removedIdsMax = 4096;
const formatVersion = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The configuration that a new cluster of these voters starts with. */
export function initialConfiguration(members: readonly MemberRecord[]): Configuration {
  const sorted = [...members].sort((a, b) => a.id - b.id);
  return {
    index: 0,
    confState: {
      voters: sorted.map((member) => member.id),
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    },
    context: encodeMembership({ members: sorted, removedIds: [] }),
  };
}

/** What a joining member starts with: it learns from the leader whom the cluster consists of. */
export function unknownConfiguration(): Configuration {
  return { ...initialConfiguration([]), context: new Uint8Array(0) };
}

/** Encodes a membership as the context of a configuration. */
export function encodeMembership(membership: Membership): Uint8Array {
  return encoder.encode(JSON.stringify({ version: formatVersion, ...membership }));
}

/**
 * Decodes the context of a configuration.
 *
 * @throws {InvariantViolation} when it is none: members must not part silently.
 */
export function decodeMembership(context: Uint8Array): Membership {
  if (context.length === 0) {
    return { members: [], removedIds: [] };
  }
  const parsed = JSON.parse(decoder.decode(context)) as Membership & { readonly version: unknown };
  assert(
    parsed.version === formatVersion,
    () =>
      `membership version ${String(parsed.version)} is not known; run the version that wrote it`,
  );
  const { members, removedIds, departing, origin } = parsed;
  return { members, removedIds, departing, origin };
}

/** Works out what `change` makes of a configuration. */
export function planChange(configuration: Configuration, change: MembershipChange): ChangePlan {
  const current: Current = {
    voters: configuration.confState.voters,
    learners: [...configuration.confState.learners, ...configuration.confState.learnersNext],
    membership: { ...decodeMembership(configuration.context), departing: undefined },
  };
  switch (change.type) {
    case 'add':
      return planAdd(current, change.member, change.isLearner);
    case 'remove':
      return planRemove(current, change.id);
    case 'update':
      return planUpdate(current, change.id, change.peerUrls);
    case 'promote':
      return planPromote(current, change.id);
    case 'demote':
      return planDemote(current, change.id);
    case 'replace': {
      if (current.membership.members.some((member) => member.id === change.member.id)) {
        return { kind: 'done' };
      }
      const without = planRemove(current, change.id);
      return without.kind === 'next' ? planAdd(without, change.member, change.isLearner) : without;
    }
  }
}

interface Current {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly membership: Membership;
}

function planAdd(current: Current, member: MemberRecord, isLearner: boolean): ChangePlan {
  const { members, removedIds, departing } = current.membership;
  if (members.some((each) => each.id === member.id)) {
    return { kind: 'done' };
  }
  if (removedIds.includes(member.id)) {
    return { kind: 'refused', code: 'MEMBER_REMOVED' };
  }
  if (hasUrlOf(members, member.peerUrls)) {
    return { kind: 'refused', code: 'PEER_URL_EXISTS' };
  }
  if (isLearner && current.learners.length >= learnersMax) {
    return { kind: 'refused', code: 'TOO_MANY_LEARNERS' };
  }
  return {
    kind: 'next',
    voters: isLearner ? current.voters : ascending([...current.voters, member.id]),
    learners: isLearner ? ascending([...current.learners, member.id]) : current.learners,
    membership: { members: byId([...members, member]), removedIds, departing },
  };
}

function planRemove(current: Current, id: NodeId): ChangePlan {
  const { members, removedIds } = current.membership;
  const departing = members.filter((member) => member.id === id);
  if (departing.length === 0) {
    return removedIds.includes(id)
      ? { kind: 'done' }
      : { kind: 'refused', code: 'MEMBER_NOT_FOUND' };
  }
  const voters = without(current.voters, id);
  if (voters.length === 0) {
    return { kind: 'refused', code: 'NOT_ENOUGH_STARTED' };
  }
  return {
    kind: 'next',
    voters,
    learners: without(current.learners, id),
    membership: {
      members: members.filter((member) => member.id !== id),
      removedIds: [...removedIds, id].slice(-removedIdsMax),
      departing,
    },
  };
}

function planUpdate(current: Current, id: NodeId, peerUrls: readonly string[]): ChangePlan {
  const { members, removedIds } = current.membership;
  const member = members.find((each) => each.id === id);
  if (member === undefined) {
    return { kind: 'refused', code: 'MEMBER_NOT_FOUND' };
  }
  const others = members.filter((each) => each.id !== id);
  if (hasUrlOf(others, peerUrls)) {
    return { kind: 'refused', code: 'PEER_URL_EXISTS' };
  }
  if (member.peerUrls.join() === peerUrls.join()) {
    return { kind: 'done' };
  }
  return {
    kind: 'next',
    voters: current.voters,
    learners: current.learners,
    membership: { members: byId([...others, { ...member, peerUrls }]), removedIds },
  };
}

function planPromote(current: Current, id: NodeId): ChangePlan {
  if (current.learners.includes(id)) {
    return {
      kind: 'next',
      voters: ascending([...current.voters, id]),
      learners: without(current.learners, id),
      membership: current.membership,
    };
  }
  const code = current.voters.includes(id) ? 'NOT_LEARNER' : 'MEMBER_NOT_FOUND';
  return { kind: 'refused', code };
}

function planDemote(current: Current, id: NodeId): ChangePlan {
  if (current.learners.includes(id)) {
    return { kind: 'done' };
  }
  if (!current.voters.includes(id)) {
    return { kind: 'refused', code: 'MEMBER_NOT_FOUND' };
  }
  if (current.voters.length === 1) {
    return { kind: 'refused', code: 'NOT_ENOUGH_STARTED' };
  }
  const { members, removedIds } = current.membership;
  return {
    kind: 'next',
    voters: without(current.voters, id),
    learners: ascending([...current.learners, id]),
    // It shall stay a learner, whatever was asked for when it joined.
    membership: {
      members: members.map((each) => (each.id === id ? { ...each, autoPromote: false } : each)),
      removedIds,
    },
  };
}

function hasUrlOf(members: readonly MemberRecord[], peerUrls: readonly string[]): boolean {
  return members.some((member) => member.peerUrls.some((url) => peerUrls.includes(url)));
}

function without(ids: readonly NodeId[], id: NodeId): readonly NodeId[] {
  return ids.filter((each) => each !== id);
}

function ascending(ids: readonly NodeId[]): readonly NodeId[] {
  return [...ids].sort((a, b) => a - b);
}

function byId(members: readonly MemberRecord[]): readonly MemberRecord[] {
  return [...members].sort((a, b) => a.id - b.id);
}
