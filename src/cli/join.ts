/**
 * Who a member is at its start: what its data directory says; if it has none yet, what a new
 * cluster is worked out to be from the flags, or what an existing cluster says of its new member.
 */
import { KvError } from '../base/index.ts';
import { checkLevel, firstLevel } from '../kv/index.ts';
import type { MemberRecord } from '../replica/index.ts';
import type { MemberIdentity } from '../storage/index.ts';
import type { ClusterDescription } from '../transport/index.ts';
import { initialClusterId, initialMemberId } from './identity.ts';
import type { ServerConfig } from './server-config.ts';

/** A member's place in its cluster. */
export interface Place {
  readonly identity: MemberIdentity;
  /** The first members of a new cluster; none when this member joins, or has joined. */
  readonly initialMembers: readonly MemberRecord[];
}

/** Asks the member at a peer URL what its cluster is. */
export type AskMember = (url: string) => Promise<ClusterDescription>;

/** The place in a new cluster, which all its first members work out alike. */
export function placeInNewCluster(config: ServerConfig): Place {
  const { members, token, name } = config;
  const initialMembers = members.map((each) => ({
    id: initialMemberId(each, token),
    name: each.name,
    peerUrls: each.peerUrls,
    autoPromote: false,
  }));
  const self = initialMembers.find((each) => each.name === name);
  if (self === undefined) {
    throw new KvError('CONFIG_INVALID', {
      message: `--initial-cluster does not name this member, "${name}"`,
    });
  }
  const clusterId = initialClusterId(members, token);
  return { identity: { clusterId, memberId: self.id, name }, initialMembers };
}

/**
 * Asks the cluster who this member is in it: the one at its peer URLs.
 *
 * @throws {KvError} CONFIG_INVALID — nobody answers, or the cluster has not added this member.
 */
export async function placeInExistingCluster(config: ServerConfig, ask: AskMember): Promise<Place> {
  const { name } = config;
  const { clusterId, members } = await askCluster(config, ask);
  const own = ownPeerUrls(config);
  const self = members.find((each) => each.peerUrls.some((url) => own.includes(url)));
  if (self === undefined) {
    throw unknownHere(config);
  }
  return { identity: { clusterId, memberId: self.id, name }, initialMembers: [] };
}

/**
 * Asks the cluster who its members are, for one that has an identity but no data yet.
 *
 * @throws {KvError} CONFIG_INVALID — nobody answers, or none of them knows this member; or
 *   `--initial-cluster` now names members of another cluster.
 */
export async function findCluster(
  config: ServerConfig,
  identity: MemberIdentity,
  ask: AskMember,
): Promise<readonly MemberRecord[]> {
  const { clusterId, members } = await askCluster(config, ask);
  if (clusterId !== identity.clusterId) {
    throw new KvError('CONFIG_INVALID', {
      message:
        `the data directory belongs to cluster ${identity.clusterId.toString(16)}, but the ` +
        `members of --initial-cluster are of cluster ${clusterId.toString(16)}. Name members of ` +
        'its own cluster, or give this member an empty data directory.',
    });
  }
  if (!members.some(({ id }) => id === identity.memberId)) {
    throw unknownHere(config);
  }
  return members.map(({ id, name, peerUrls }) => ({ id, name, peerUrls, autoPromote: false }));
}

/**
 * Asks the members of `--initial-cluster`, one after the other, what their cluster is; the newest
 * answer counts.
 *
 * @throws {KvError} CONFIG_INVALID; VERSION_MISMATCH — this member does not read its feature level.
 */
async function askCluster(config: ServerConfig, ask: AskMember): Promise<ClusterDescription> {
  const { name, members } = config;
  const failures: string[] = [];
  let newest: ClusterDescription | undefined;
  for (const url of members.flatMap((each) => (each.name === name ? [] : each.peerUrls))) {
    try {
      const description = await ask(url);
      if (newest === undefined || description.appliedIndex > newest.appliedIndex) {
        newest = description;
      }
    } catch (error) {
      failures.push(`${url}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (newest === undefined) {
    throw new KvError('CONFIG_INVALID', {
      message:
        `no member of the existing cluster answers (${failures.join('; ')}). Name members that ` +
        'run in --initial-cluster, or start a new cluster with --initial-cluster-state new.',
    });
  }
  checkLevel(config.levels, newest.level ?? firstLevel);
  return newest;
}

function unknownHere(config: ServerConfig): KvError {
  const own = ownPeerUrls(config).join(',');
  return new KvError('CONFIG_INVALID', {
    message:
      `the cluster does not know a member at ${own}. Add it first: ` +
      `holdfast member add ${config.name} --peer-urls=${own}`,
  });
}

/** Where the other members reach this one, as `--initial-cluster` says. */
export function ownPeerUrls({ members, name }: ServerConfig): readonly string[] {
  return members.find((each) => each.name === name)?.peerUrls ?? [];
}
