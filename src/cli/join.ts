/**
 * Who a member is at its start: what its data directory says; if it has none yet, what a new
 * cluster is worked out to be from the flags, or what an existing cluster says of its new member.
 */
import type { ChannelCredentials } from '@grpc/grpc-js';
import { KvError, type Timers } from '../base/index.ts';
import type { MemberRecord } from '../replica/index.ts';
import type { MemberIdentity } from '../storage/index.ts';
import { type ClusterDescription, describeCluster } from '../transport/index.ts';
import { initialClusterId, initialMemberId } from './identity.ts';
import { addressOf, hostPortOf, type ServerConfig } from './server-config.ts';

/** A member's place in its cluster. */
export interface Place {
  readonly identity: MemberIdentity;
  /** The first members of a new cluster; none when this member joins, or has joined. */
  readonly initialMembers: readonly MemberRecord[];
}

/** Milliseconds for one member of the cluster to describe it. */
const describeTimeoutMs = 3000;

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
 * Asks the members of `--initial-cluster`, one after the other, what their cluster is, and finds
 * this member among them by its peer URLs.
 *
 * @throws {KvError} CONFIG_INVALID — nobody answers, or the cluster has not added this member.
 */
export async function placeInExistingCluster(
  config: ServerConfig,
  options: { readonly credentials: ChannelCredentials; readonly timers: Timers },
): Promise<Place> {
  const { name, members } = config;
  const own = members.find((each) => each.name === name)?.peerUrls ?? [];
  const failures: string[] = [];
  let newest: ClusterDescription | undefined;
  for (const url of members.flatMap((each) => (each.name === name ? [] : each.peerUrls))) {
    const hostPort = hostPortOf(url);
    try {
      const description = await describeCluster(
        hostPort === undefined ? url : addressOf(hostPort),
        { ...options, timeoutMs: describeTimeoutMs },
      );
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
  const self = newest.members.find((each) => each.peerUrls.some((url) => own.includes(url)));
  if (self === undefined) {
    throw new KvError('CONFIG_INVALID', {
      message:
        `the cluster does not know a member at ${own.join(',')}. Add it first: ` +
        `holdfast member add ${name} --peer-urls=${own.join(',')}`,
    });
  }
  return {
    identity: { clusterId: newest.clusterId, memberId: self.id, name },
    initialMembers: [],
  };
}
