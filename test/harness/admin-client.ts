/** What tests ask of a member as its operator: changes of membership, hashes, status. */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, makeClientConstructor, Metadata } from '@grpc/grpc-js';
import type { HashKVResponse } from '../../src/wire/generated/etcdserverpb/HashKVResponse.ts';
import type { MemberAddResponse } from '../../src/wire/generated/etcdserverpb/MemberAddResponse.ts';
import type { MemberListResponse } from '../../src/wire/generated/etcdserverpb/MemberListResponse.ts';
import type { MemberPromoteResponse } from '../../src/wire/generated/etcdserverpb/MemberPromoteResponse.ts';
import type { MemberRemoveResponse } from '../../src/wire/generated/etcdserverpb/MemberRemoveResponse.ts';
import type { MemberUpdateResponse } from '../../src/wire/generated/etcdserverpb/MemberUpdateResponse.ts';
import type { MoveLeaderResponse } from '../../src/wire/generated/etcdserverpb/MoveLeaderResponse.ts';
import type { StatusResponse } from '../../src/wire/generated/etcdserverpb/StatusResponse.ts';
import { type ClusterClient, type MaintenanceClient, services } from '../../src/wire/index.ts';
import { call } from './kv-client.ts';

const timeoutMs = 10_000;
const pollMs = 50;

/** A hash of the keyspace as a member tells it. */
export interface KeyspaceHash {
  readonly hash: number;
  readonly hashRevision: string;
  readonly compactRevision: string;
}

/** One member's operator services; every call fails loudly. */
export interface AdminClient {
  /** Adds a member and returns its id. */
  addMember(peerUrl: string, isLearner: boolean): Promise<string>;
  removeMember(id: string): Promise<void>;
  promoteMember(id: string): Promise<void>;
  /** Changes where the others reach a member. */
  updateMember(id: string, peerUrl: string): Promise<void>;
  /** Has the leader, which must be asked, hand over to `id`. */
  moveLeader(id: string): Promise<void>;
  members(): Promise<MemberListResponse>;
  hashKv(revision: string): Promise<KeyspaceHash>;
  status(): Promise<StatusResponse>;
  close(): void;
}

/** Opens a connection of its own to `endpoint` (`host:port`), which need not be up yet. */
export function connectAdmin(endpoint: string): AdminClient {
  const options = {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.min_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 200,
  };
  const Cluster = makeClientConstructor(services['etcdserverpb.Cluster'], 'Cluster');
  const Maintenance = makeClientConstructor(services['etcdserverpb.Maintenance'], 'Maintenance');
  const insecure = credentials.createInsecure();
  const cluster = new Cluster(endpoint, insecure, options) as unknown as ClusterClient;
  const maintenance = new Maintenance(endpoint, insecure, options) as unknown as MaintenanceClient;
  const metadata = new Metadata({ waitForReady: true });

  return {
    async addMember(peerUrl, isLearner) {
      const answer = await call<MemberAddResponse>(timeoutMs, (deadline, done) =>
        cluster.memberAdd({ peerURLs: [peerUrl], isLearner }, metadata, deadline, done),
      );
      return answer.member?.ID ?? '';
    },
    async removeMember(id) {
      await call<MemberRemoveResponse>(timeoutMs, (deadline, done) =>
        cluster.memberRemove({ ID: id }, metadata, deadline, done),
      );
    },
    async promoteMember(id) {
      await call<MemberPromoteResponse>(timeoutMs, (deadline, done) =>
        cluster.memberPromote({ ID: id }, metadata, deadline, done),
      );
    },
    async updateMember(id, peerUrl) {
      await call<MemberUpdateResponse>(timeoutMs, (deadline, done) =>
        cluster.memberUpdate({ ID: id, peerURLs: [peerUrl] }, metadata, deadline, done),
      );
    },
    async moveLeader(id) {
      await call<MoveLeaderResponse>(timeoutMs, (deadline, done) =>
        maintenance.moveLeader({ targetID: id }, metadata, deadline, done),
      );
    },
    async members() {
      return call<MemberListResponse>(timeoutMs, (deadline, done) =>
        cluster.memberList({ linearizable: true }, metadata, deadline, done),
      );
    },
    async hashKv(revision) {
      const answer = await call<HashKVResponse>(timeoutMs, (deadline, done) =>
        maintenance.hashKv({ revision }, metadata, deadline, done),
      );
      const { hash, hash_revision: hashRevision, compact_revision: compactRevision } = answer;
      return { hash, hashRevision, compactRevision };
    },
    async status() {
      return call<StatusResponse>(timeoutMs, (deadline, done) =>
        maintenance.status({}, metadata, deadline, done),
      );
    },
    close() {
      cluster.close();
      maintenance.close();
    },
  };
}

/**
 * Repeats `attempt` until it does not fail, and returns what it gives; fails as it does at the end.
 */
export async function eventually<Result>(
  attempt: () => Promise<Result>,
  limitMs: number,
): Promise<Result> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > endMs) {
        throw error;
      }
      await sleep(pollMs);
    }
  }
}
