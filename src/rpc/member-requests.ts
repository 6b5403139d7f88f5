/**
 * What the services about members share: ids and URLs as clients send them, checked, and members as
 * clients see them.
 */
import { type ErrorCode, KvError } from '../base/index.ts';
import type { ClusterMember } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';

/**
 * The id of a member as a number. No member has an id beyond the safe integers, so one that lies
 * there is unknown rather than malformed: the refusal is `unknownCode`.
 *
 * @throws {KvError} `unknownCode` — no member can have this id.
 */
export function toMemberId(value: string, unknownCode: ErrorCode = 'MEMBER_NOT_FOUND'): number {
  const id = Number(value);
  if (!Number.isSafeInteger(id)) {
    throw new KvError(unknownCode);
  }
  return id;
}

/**
 * Peer URLs without blanks around them, at least one.
 *
 * @throws {KvError} BAD_MEMBER_URLS — one is not `http[s]://HOST:PORT`, or none is there.
 */
export function toPeerUrls(urls: readonly string[]): readonly string[] {
  const trimmed = urls.map((url) => url.trim());
  if (trimmed.length === 0 || !trimmed.every(isPeerUrl)) {
    throw new KvError('BAD_MEMBER_URLS');
  }
  return [...new Set(trimmed)];
}

/** Members as clients see them. */
export function fromMembers(members: readonly ClusterMember[]): wire.Member[] {
  return members.map(fromMember);
}

/** A member as clients see it. */
export function fromMember(member: ClusterMember): wire.Member {
  return {
    ID: member.id,
    name: member.name,
    peerURLs: [...member.peerUrls],
    clientURLs: [...member.clientUrls],
    isLearner: member.isLearner,
  };
}

function isPeerUrl(url: string): boolean {
  const [, port = ''] =
    /^https?:\/\/(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([1-9]\d{0,4})$/.exec(url) ?? [];
  return port !== '' && Number(port) <= 65_535;
}
