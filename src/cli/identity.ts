/**
 * Ids of a new cluster and of its first members, worked out alike by all of them from the same
 * flags.
 *
 * 52-bit positive integers, sent as uint64 (ADR-007). A member's id depends on its peer URLs and
 * the cluster's token, a cluster's on its members and the token, so two clusters of different
 * tokens never take each other's members for their own.
 */
import { createHash } from 'node:crypto';

/** A member as `--initial-cluster` names it. */
export interface InitialMember {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** The id of a first member. */
export function initialMemberId(member: InitialMember, token: string): number {
  return hashToId('member', [...member.peerUrls].sort().join(','), token);
}

/** The id of a cluster of these first members. */
export function initialClusterId(members: readonly InitialMember[], token: string): number {
  const ids = members.map((member) => initialMemberId(member, token)).sort((a, b) => a - b);
  return hashToId('cluster', ids.join(','), token);
}

function hashToId(...parts: readonly string[]): number {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  return digest.readUIntBE(0, 6) * 16 + ((digest[6] as number) & 0xf) || 1;
}
