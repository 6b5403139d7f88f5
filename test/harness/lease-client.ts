/**
 * One member's `Lease` service as drills use it: one attempt for each call, and every failure with
 * its outcome. A lease is known by its id, decimal.
 */
import {
  type ClientDuplexStream,
  credentials,
  makeClientConstructor,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type {
  LeaseKeepAliveRequest__Input,
  LeaseKeepAliveRequest,
} from '../../src/wire/generated/etcdserverpb/LeaseKeepAliveRequest.ts';
import type { LeaseKeepAliveResponse } from '../../src/wire/generated/etcdserverpb/LeaseKeepAliveResponse.ts';
import type { LeaseClient as LeaseService } from '../../src/wire/generated/etcdserverpb/Lease.ts';
import type { LeaseGrantResponse } from '../../src/wire/generated/etcdserverpb/LeaseGrantResponse.ts';
import type { LeaseRevokeResponse } from '../../src/wire/generated/etcdserverpb/LeaseRevokeResponse.ts';
import type { LeaseTimeToLiveResponse } from '../../src/wire/generated/etcdserverpb/LeaseTimeToLiveResponse.ts';
import { services } from '../../src/wire/index.ts';
import { call, outcomeOf } from './kv-client.ts';

/** How a grant, a renewal or a revocation ended; `gone`: there is no such lease. */
export type LeaseAnswer = 'ok' | 'gone' | 'rejected' | 'unknown';

/** See the module comment. */
export interface LeaseClient {
  grant(id: string, ttlSeconds: number, timeoutMs: number): Promise<LeaseAnswer>;
  revoke(id: string, timeoutMs: number): Promise<LeaseAnswer>;
  /** Renews once. All renewals of a client share a stream. */
  keepAlive(id: string, timeoutMs: number): Promise<LeaseAnswer>;
  /** Whole seconds that are left, rounded down; -1: there is no such lease. Fails loudly. */
  timeToLive(id: string, timeoutMs: number): Promise<number>;
  close(): void;
}

type KeepAliveStream = ClientDuplexStream<LeaseKeepAliveRequest__Input, LeaseKeepAliveResponse>;

/** Opens a connection of its own to `endpoint` (`host:port`), which need not be up yet. */
export function connectLease(endpoint: string): LeaseClient {
  const Lease = makeClientConstructor(services['etcdserverpb.Lease'], 'Lease');
  const lease = new Lease(endpoint, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.min_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 200,
  }) as unknown as LeaseService;
  const renewals = new Renewals(lease);

  return {
    async grant(ID, TTL, timeoutMs) {
      return answerOf(async () =>
        call<LeaseGrantResponse>(timeoutMs, (deadline, done) =>
          lease.leaseGrant({ ID, TTL }, new Metadata(), deadline, done),
        ),
      );
    },
    async revoke(ID, timeoutMs) {
      return answerOf(async () =>
        call<LeaseRevokeResponse>(timeoutMs, (deadline, done) =>
          lease.leaseRevoke({ ID }, new Metadata(), deadline, done),
        ),
      );
    },
    async keepAlive(id, timeoutMs) {
      return renewals.renew(id, timeoutMs);
    },
    async timeToLive(ID, timeoutMs) {
      const { TTL } = await call<LeaseTimeToLiveResponse>(timeoutMs, (deadline, done) =>
        lease.leaseTimeToLive({ ID }, new Metadata(), deadline, done),
      );
      return Number(TTL);
    },
    close() {
      renewals.close();
      lease.close();
    },
  };
}

async function answerOf(attempt: () => Promise<unknown>): Promise<LeaseAnswer> {
  try {
    await attempt();
    return 'ok';
  } catch (error) {
    const { code } = error as ServiceError;
    return code === status.NOT_FOUND ? 'gone' : outcomeOf(error as ServiceError);
  }
}

/** Renewals over one stream, which is opened anew when it has ended. */
class Renewals {
  readonly #lease: LeaseService;
  #stream: KeepAliveStream | undefined;
  /** What waits for an answer, by lease; the oldest first. */
  readonly #waitingById = new Map<string, ((answer: LeaseAnswer) => void)[]>();

  constructor(lease: LeaseService) {
    this.#lease = lease;
  }

  async renew(id: string, timeoutMs: number): Promise<LeaseAnswer> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        // Answers come in order: a stream that owes one is of no use any more.
        this.close();
      }, timeoutMs);
      const waiting = this.#waitingById.get(id) ?? [];
      this.#waitingById.set(id, waiting);
      waiting.push((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#open().write({ ID: id } satisfies Partial<LeaseKeepAliveRequest>);
    });
  }

  close(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
    this.#failAll();
  }

  #open(): KeepAliveStream {
    if (this.#stream !== undefined) {
      return this.#stream;
    }
    const stream = this.#lease.leaseKeepAlive();
    this.#stream = stream;
    stream.on('data', ({ ID, TTL }: LeaseKeepAliveResponse) => {
      this.#waitingById.get(ID)?.shift()?.(Number(TTL) > 0 ? 'ok' : 'gone');
    });
    const end = (): void => {
      if (this.#stream === stream) {
        this.#stream = undefined;
        this.#failAll();
      }
    };
    stream.on('error', end);
    stream.on('end', end);
    return stream;
  }

  /** What became of them is not known. */
  #failAll(): void {
    const waiting = [...this.#waitingById.values()].flat();
    this.#waitingById.clear();
    for (const settle of waiting) {
      settle('unknown');
    }
  }
}
