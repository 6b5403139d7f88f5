/**
 * A small etcd v3 client for tests that kill members: one endpoint, no retries, and every failure
 * with its outcome.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ChannelCredentials,
  type ClientUnaryCall,
  credentials,
  makeClientConstructor,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { CompactionResponse } from '../../src/wire/generated/etcdserverpb/CompactionResponse.ts';
import type { PutResponse } from '../../src/wire/generated/etcdserverpb/PutResponse.ts';
import type { RangeResponse } from '../../src/wire/generated/etcdserverpb/RangeResponse.ts';
import type { StatusResponse } from '../../src/wire/generated/etcdserverpb/StatusResponse.ts';
import type { TxnResponse } from '../../src/wire/generated/etcdserverpb/TxnResponse.ts';
import { type KVClient, type MaintenanceClient, services } from '../../src/wire/index.ts';

/** How a write ended. */
export type PutAnswer =
  | { readonly kind: 'ok'; readonly revision: number }
  | { readonly kind: 'failed'; readonly outcome: 'rejected' | 'unknown' };

/** What a transaction is to do, all of it or nothing. */
export interface Change {
  readonly puts?: readonly (readonly [key: string, value: string])[];
  readonly deletes?: readonly string[];
  /** That the puts are attached to; decimal. */
  readonly lease?: string;
}

/** How a transaction ended; `deleted` counts keys. */
export type ChangeAnswer =
  | { readonly kind: 'ok'; readonly revision: number; readonly deleted: number }
  | { readonly kind: 'failed'; readonly outcome: 'rejected' | 'unknown' };

/** What a read told, and at which revision of the store; undefined when it failed. */
export interface RangeAnswer {
  readonly revision: number;
  readonly kvs: readonly StoredKey[];
}

/** A key as it is stored. */
export interface StoredKey {
  readonly key: string;
  readonly value: string;
  readonly version: number;
  readonly createRevision: number;
  readonly modRevision: number;
}

/** One member's services, as a test uses them. */
export interface KvClient {
  put(key: string, value: string, timeoutMs: number): Promise<PutAnswer>;
  change(change: Change, timeoutMs: number): Promise<ChangeAnswer>;
  /** Drops history below a revision. */
  compact(revision: number, timeoutMs: number): Promise<void>;
  /** Puts all of these in one transaction; fails loudly. */
  putAll(pairs: readonly (readonly [key: string, value: Buffer])[]): Promise<void>;
  /** All keys with this prefix, in one answer; undefined when the read fails. */
  maybeRange(
    prefix: string,
    options: { readonly isSerializable: boolean; readonly timeoutMs: number },
  ): Promise<RangeAnswer | undefined>;
  /** How many keys have this prefix, read linearizably. */
  count(prefix: string): Promise<number>;
  /** A read of all keys with this prefix, in pages; linearizable unless told otherwise. */
  getPrefix(prefix: string, isSerializable?: boolean): Promise<StoredKey[]>;
  /** Whether this member answers and leads. */
  isLeader(timeoutMs: number): Promise<boolean>;
  /** Waits until a linearizable read succeeds on this member. */
  waitUntilReady(timeoutMs: number): Promise<void>;
  close(): void;
}

const pageKeys = 5000;
const readTimeoutMs = 20_000;
const pollMs = 20;

/**
 * Opens a connection of its own to `endpoint` (`host:port`), which need not be up yet; in plain
 * text unless `secure` says how.
 */
export function connectKv(endpoint: string, secure?: ChannelCredentials): KvClient {
  const channel = secure ?? credentials.createInsecure();
  const options = {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.min_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 200,
    'grpc.max_receive_message_length': -1,
    // No server may be named by an address in TLS, and grpc-js would: newer Nodes refuse to.
    ...(secure === undefined ? {} : { 'grpc.ssl_target_name_override': 'localhost' }),
  };
  const Kv = makeClientConstructor(services['etcdserverpb.KV'], 'KV');
  const Maintenance = makeClientConstructor(services['etcdserverpb.Maintenance'], 'Maintenance');
  const kv = new Kv(endpoint, channel, options) as unknown as KVClient;
  const maintenance = new Maintenance(endpoint, channel, options) as unknown as MaintenanceClient;

  async function getPage(
    from: { readonly key: Buffer; readonly range_end: Buffer; readonly serializable: boolean },
    revision: string,
  ) {
    return call<RangeResponse>(readTimeoutMs, (deadline, done) =>
      kv.range({ ...from, limit: pageKeys, revision }, new Metadata(), deadline, done),
    );
  }

  return {
    async put(key, value, timeoutMs) {
      try {
        const answer = await call<PutResponse>(timeoutMs, (deadline, done) =>
          kv.put(
            { key: Buffer.from(key), value: Buffer.from(value) },
            new Metadata(),
            deadline,
            done,
          ),
        );
        return { kind: 'ok', revision: Number(answer.header?.revision ?? 0) };
      } catch (error) {
        return { kind: 'failed', outcome: outcomeOf(error as ServiceError) };
      }
    },

    async change({ puts = [], deletes = [], lease = '0' }, timeoutMs) {
      const success = [
        ...puts.map(([key, value]) => ({
          request_put: { key: Buffer.from(key), value: Buffer.from(value), lease },
        })),
        ...deletes.map((key) => ({ request_delete_range: { key: Buffer.from(key) } })),
      ];
      try {
        const { header, responses } = await call<TxnResponse>(timeoutMs, (deadline, done) =>
          kv.txn({ success }, new Metadata(), deadline, done),
        );
        const deleted = responses.reduce((sum, each) => {
          return sum + Number(each.response_delete_range?.deleted ?? 0);
        }, 0);
        return { kind: 'ok', revision: Number(header?.revision ?? 0), deleted };
      } catch (error) {
        return { kind: 'failed', outcome: outcomeOf(error as ServiceError) };
      }
    },

    async compact(revision, timeoutMs) {
      await call<CompactionResponse>(timeoutMs, (deadline, done) =>
        kv.compact({ revision }, new Metadata(), deadline, done),
      );
    },

    async putAll(pairs) {
      const success = pairs.map(([key, value]) => ({
        request_put: { key: Buffer.from(key), value },
      }));
      await call<TxnResponse>(readTimeoutMs, (deadline, done) =>
        kv.txn({ success }, new Metadata(), deadline, done),
      );
    },

    async maybeRange(prefix, { isSerializable: serializable, timeoutMs }) {
      const range = { key: Buffer.from(prefix), range_end: endOfPrefix(prefix), serializable };
      try {
        const answer = await call<RangeResponse>(timeoutMs, (deadline, done) =>
          kv.range(range, new Metadata(), deadline, done),
        );
        return { revision: Number(answer.header?.revision ?? 0), kvs: answer.kvs.map(storedKey) };
      } catch {
        // A read that fails has told nothing and done nothing.
        return undefined;
      }
    },

    async count(prefix) {
      const answer = await call<RangeResponse>(readTimeoutMs, (deadline, done) =>
        kv.range(
          { key: Buffer.from(prefix), range_end: endOfPrefix(prefix), count_only: true },
          new Metadata(),
          deadline,
          done,
        ),
      );
      return Number(answer.count);
    },

    async getPrefix(prefix, serializable = false) {
      const range_end = endOfPrefix(prefix);
      const found: StoredKey[] = [];
      let from = Buffer.from(prefix);
      let revision = '0';
      for (;;) {
        const page = await getPage({ key: from, range_end, serializable }, revision);
        revision = page.header?.revision ?? '0';
        for (const each of page.kvs) {
          found.push(storedKey(each));
        }
        const lastKey = page.kvs.at(-1)?.key;
        if (!page.more || lastKey === undefined) {
          return found;
        }
        from = Buffer.concat([lastKey, Buffer.from([0])]);
      }
    },

    async isLeader(timeoutMs) {
      try {
        const answer = await call<StatusResponse>(timeoutMs, (deadline, done) =>
          maintenance.status({}, new Metadata(), deadline, done),
        );
        return answer.leader !== '0' && answer.leader === answer.header?.member_id;
      } catch {
        // A member that does not answer does not lead, as far as anybody can tell.
        return false;
      }
    },

    async waitUntilReady(timeoutMs) {
      const endMs = performance.now() + timeoutMs;
      for (;;) {
        try {
          await call<RangeResponse>(1000, (deadline, done) =>
            kv.range({ key: Buffer.from('ready') }, new Metadata(), deadline, done),
          );
          return;
        } catch (error) {
          if (performance.now() > endMs) {
            throw new Error(`${endpoint} is not ready after ${timeoutMs} ms`, { cause: error });
          }
          await sleep(pollMs);
        }
      }
    },

    close() {
      kv.close();
      maintenance.close();
    },
  };
}

/**
 * Waits until one of the members says that it leads and serves, and returns its place in the list.
 */
export async function waitForLeader(
  clients: readonly KvClient[],
  timeoutMs: number,
): Promise<number> {
  const endMs = performance.now() + timeoutMs;
  while (performance.now() < endMs) {
    const leads = await Promise.all(clients.map(async (client) => client.isLeader(500)));
    const leader = leads.indexOf(true);
    if (leader >= 0) {
      await clients[leader]?.waitUntilReady(Math.max(1, endMs - performance.now()));
      return leader;
    }
    await sleep(pollMs);
  }
  throw new Error(`no member leads after ${timeoutMs} ms`);
}

function storedKey(each: RangeResponse['kvs'][number]): StoredKey {
  return {
    key: each.key.toString(),
    value: each.value.toString(),
    version: Number(each.version),
    createRevision: Number(each.create_revision),
    modRevision: Number(each.mod_revision),
  };
}

/** The first key after all those with this prefix. */
export function endOfPrefix(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  const last = end.length - 1;
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

/** A write that the server refused says so; one that no server answered may have happened. */
export function outcomeOf(error: ServiceError): 'rejected' | 'unknown' {
  // A client that was closed meanwhile has no metadata to give, whatever its types say.
  const { metadata } = error as { readonly metadata?: Metadata };
  const said = metadata?.get('holdfast-outcome')[0];
  if (said === 'rejected') {
    return 'rejected';
  }
  const neverSent =
    error.code === status.UNAVAILABLE && error.details.startsWith('No connection established');
  return neverSent ? 'rejected' : 'unknown';
}

/** One call as a promise, with a deadline. */
export async function call<Answer>(
  timeoutMs: number,
  start: (
    options: { readonly deadline: number },
    done: (error: ServiceError | null, answer?: Answer) => void,
  ) => ClientUnaryCall,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    start({ deadline: Date.now() + timeoutMs }, (error, answer) => {
      if (error !== null) {
        reject(error);
      } else if (answer === undefined) {
        reject(new Error('a call that succeeds has an answer'));
      } else {
        resolve(answer);
      }
    });
  });
}
