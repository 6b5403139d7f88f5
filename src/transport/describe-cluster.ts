/**
 * Asks a member what its cluster is, for one that is to join: `Peer/Describe`, both ends of it.
 */
import { type ChannelCredentials, Client, type ServiceError } from '@grpc/grpc-js';
import { KvError, type Timers } from '../base/index.ts';
import { type DescribeResponse, type DescribeResponseInput, services } from '../wire/index.ts';
import { callErrorToKvError } from './call-errors.ts';
import type { ClusterDescription } from './ports.ts';
import { makeRevocable } from './revocable-credentials.ts';

/** How to ask. */
export interface DescribeOptions {
  readonly credentials: ChannelCredentials;
  readonly timers: Timers;
  readonly timeoutMs: number;
}

/**
 * Asks the member at `address` (`host:port`) for its cluster.
 *
 * @throws {KvError} UNHEALTHY — nobody answers there; TIMEOUT; INVALID_ARGUMENT — the answer makes
 *   no sense; else the code that the member refused with.
 */
export async function describeCluster(
  address: string,
  options: DescribeOptions,
): Promise<ClusterDescription> {
  const { credentials, revoke } = makeRevocable(options.credentials);
  const client = new Client(address, credentials, channelOptions);
  const { path, requestSerialize, responseDeserialize } = services['holdfast.v1.Peer'].Describe;
  const answer = await new Promise<DescribeResponse>((resolve, reject) => {
    let isLate = false;
    const done = (error: ServiceError | null, response?: DescribeResponse): void => {
      timer.cancel();
      client.close();
      revoke();
      if (error === null && response !== undefined) {
        resolve(response);
      } else if (isLate) {
        const message = `${address} did not describe its cluster within ${options.timeoutMs} ms`;
        reject(new KvError('TIMEOUT', { message, cause: error }));
      } else {
        reject(callErrorToKvError(error, `asking ${address} for its cluster`));
      }
    };
    const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, done);
    const timer = options.timers.after(options.timeoutMs, () => {
      isLate = true;
      call.cancel();
    });
  });
  return responseToDescription(answer);
}

/** A description as it travels. */
export function descriptionToResponse(description: ClusterDescription): DescribeResponseInput {
  const { clusterId, members, removedIds, appliedIndex, level = 0 } = description;
  return {
    cluster_id: clusterId,
    members: members.map(({ id, name, peerUrls, clientUrls, isLearner }) => ({
      id,
      name,
      peer_urls: [...peerUrls],
      client_urls: [...clientUrls],
      is_learner: isLearner,
    })),
    removed_ids: [...removedIds],
    applied_index: appliedIndex,
    feature_level: level,
  };
}

function responseToDescription(response: DescribeResponse): ClusterDescription {
  return {
    clusterId: wireToNumber(response.cluster_id, 'cluster_id'),
    members: response.members.map((member) => ({
      id: wireToNumber(member.id, 'id'),
      name: member.name,
      peerUrls: member.peer_urls,
      clientUrls: member.client_urls,
      isLearner: member.is_learner,
    })),
    removedIds: response.removed_ids.map((id) => wireToNumber(id, 'removed_ids')),
    appliedIndex: wireToNumber(response.applied_index, 'applied_index'),
    level: response.feature_level === 0 ? undefined : response.feature_level,
  };
}

/**
 * A number of a message that the contracts' loader has read.
 *
 * @throws {KvError} INVALID_ARGUMENT — it is above 2^53-1.
 */
export function wireToNumber(value: string, field: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new KvError('INVALID_ARGUMENT', { message: `${field} is above 2^53-1: ${value}` });
  }
  return number;
}

const channelOptions = { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_channelz': 0 };
