/**
 * One client connection to one member, with retries and load balancing off, so that each call of a
 * history is one request on one link.
 *
 * It speaks etcd's API over plain gRPC: whatever a client library adds would hide what is tested.
 */
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { services } from '../src/wire/index.ts';
import { fromStoreResponse, toStoreCall } from './store-calls.ts';
import type { StoreRequest, StoreResult } from './checkers/store.ts';
import { mayChange } from './checkers/store.ts';
import type { CallOutcome, ServiceRequest, ServiceResult } from './history.ts';

const kv = services['etcdserverpb.KV'];
const lease = services['etcdserverpb.Lease'];
const lock = services['v3lockpb.Lock'];
const election = services['v3electionpb.Election'];
const maintenance = services['etcdserverpb.Maintenance'];
const cluster = services['etcdserverpb.Cluster'];
const watch = services['etcdserverpb.Watch'];

/** How a call ended, with what its answer told. */
export interface CallEnd {
  readonly outcome: CallOutcome;
  readonly result?: StoreResult | ServiceResult | undefined;
  readonly revision?: number | undefined;
  readonly term?: number | undefined;
  readonly node?: string | undefined;
  readonly error?: string | undefined;
}

/** Limits and names of one call. */
export interface CallSettings {
  readonly timeoutMs: number;
  /** Makes repeating the call harmless. */
  readonly idempotencyKey?: string | undefined;
}

interface Header {
  readonly revision?: string;
  readonly raft_term?: string;
  readonly member_id?: string;
}

/** What a call needs to know of an RPC. */
interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (message: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** An answer: every one has a header. */
interface Answer {
  readonly header?: Header | null | undefined;
}

/** See the module comment. */
export class MemberConnection {
  /** The member's name. */
  readonly member: string;
  readonly #client: Client;

  constructor(member: string, address: string) {
    this.member = member;
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 250,
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': -1,
      // A connection that hangs is given up, so that the next call can dial again.
      'grpc.keepalive_time_ms': 2000,
      'grpc.keepalive_timeout_ms': 1000,
    });
  }

  /** Carries out a request of a workload and tells how it ended; never throws. */
  async call(request: StoreRequest | ServiceRequest, settings: CallSettings): Promise<CallEnd> {
    try {
      const { answer, result } = await this.#dispatch(request, settings);
      const { header } = answer;
      return {
        outcome: 'ok',
        result,
        revision: Number(header?.revision ?? 0),
        term: Number(header?.raft_term ?? 0),
        node: header?.member_id,
      };
    } catch (error) {
      const failure = error as ServiceError;
      const outcome = changes(request) ? outcomeOf(failure) : 'fail';
      return { outcome, error: `${status[failure.code]}: ${failure.details}` };
    }
  }

  async status(timeoutMs: number) {
    return this.#unary(maintenance.Status, {}, { timeoutMs });
  }

  async hashKv(revision: number, timeoutMs: number) {
    return this.#unary(maintenance.HashKV, { revision }, { timeoutMs });
  }

  async defragment(timeoutMs: number): Promise<void> {
    await this.#unary(maintenance.Defragment, {}, { timeoutMs });
  }

  async moveLeader(targetID: string, timeoutMs: number): Promise<void> {
    await this.#unary(maintenance.MoveLeader, { targetID }, { timeoutMs });
  }

  async compact(revision: number, timeoutMs: number): Promise<void> {
    await this.#unary(kv.Compact, { revision }, { timeoutMs });
  }

  async members(timeoutMs: number) {
    const { members } = await this.#unary(cluster.MemberList, {}, { timeoutMs });
    return members;
  }

  async addMember(peerUrl: string, timeoutMs: number): Promise<string> {
    const request = { peerURLs: [peerUrl], isLearner: true };
    const { member } = await this.#unary(cluster.MemberAdd, request, { timeoutMs });
    return member?.ID ?? '';
  }

  async promoteMember(ID: string, timeoutMs: number): Promise<void> {
    await this.#unary(cluster.MemberPromote, { ID }, { timeoutMs });
  }

  async removeMember(ID: string, timeoutMs: number): Promise<void> {
    await this.#unary(cluster.MemberRemove, { ID }, { timeoutMs });
  }

  /** Reads a whole snapshot and returns its size. */
  async snapshot(timeoutMs: number): Promise<number> {
    const { path, requestSerialize, responseDeserialize } = maintenance.Snapshot;
    const stream = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      {},
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
    );
    let size = 0;
    for await (const { blob } of stream as AsyncIterable<{ readonly blob: Buffer }>) {
      size += blob.length;
    }
    return size;
  }

  /** Opens a stream of watches. */
  openWatch() {
    const { path, requestSerialize, responseDeserialize } = watch.Watch;
    return this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata({ waitForReady: true }),
      {},
    );
  }

  close(): void {
    this.#client.close();
  }

  async #dispatch(
    request: StoreRequest | ServiceRequest,
    settings: CallSettings,
  ): Promise<{ readonly answer: Answer; readonly result: StoreResult | ServiceResult }> {
    switch (request.type) {
      case 'put':
      case 'range':
      case 'deleteRange':
      case 'txn': {
        const [method, message] = toStoreCall(request);
        const rpc: Method<object, Answer> = kv[method];
        const answer = await this.#unary(rpc, message, settings);
        return { answer, result: fromStoreResponse(request, answer) };
      }
      default:
        return this.#dispatchService(request, settings);
    }
  }

  async #dispatchService(request: ServiceRequest, settings: CallSettings) {
    switch (request.type) {
      case 'putWithLease': {
        const message = {
          key: text(request.key),
          value: text(request.value),
          lease: request.lease,
        };
        return done(await this.#unary(kv.Put, message, settings));
      }
      case 'leaseGrant': {
        const answer = await this.#unary(lease.LeaseGrant, { TTL: request.ttlSeconds }, settings);
        return leased(answer, answer.ID, answer.TTL);
      }
      case 'leaseRevoke':
        return done(await this.#unary(lease.LeaseRevoke, { ID: request.lease }, settings));
      case 'leaseTimeToLive': {
        const answer = await this.#unary(lease.LeaseTimeToLive, { ID: request.lease }, settings);
        return leased(answer, answer.ID, answer.TTL);
      }
      case 'leaseKeepAlive': {
        const answer = await this.#keepAlive(request.lease, settings.timeoutMs);
        return leased(answer, answer.ID, answer.TTL === '0' ? '-1' : answer.TTL);
      }
      case 'lock': {
        const message = { name: text(request.name), lease: request.lease };
        const answer = await this.#unary(lock.Lock, message, settings);
        return owned(answer, answer.key, answer.fencing_token);
      }
      case 'unlock':
        return done(await this.#unary(lock.Unlock, { key: text(request.key) }, settings));
      case 'campaign': {
        const { name, lease: id, value } = request;
        const message = { name: text(name), lease: id, value: text(value) };
        const answer = await this.#unary(election.Campaign, message, settings);
        return owned(answer, answer.leader?.key ?? Buffer.alloc(0), answer.leader?.rev ?? '0');
      }
      case 'resign': {
        const { name, key, token } = request;
        const leader = { name: text(name), key: text(key), rev: token };
        return done(await this.#unary(election.Resign, { leader }, settings));
      }
    }
  }

  async #unary<Request, Response>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Response>,
    request: Request,
    { timeoutMs, idempotencyKey }: CallSettings,
  ): Promise<Response> {
    const metadata = new Metadata();
    if (idempotencyKey !== undefined) {
      metadata.set('idempotency-key', idempotencyKey);
    }
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          if (error !== null) {
            reject(error);
          } else if (answer === undefined || answer === null) {
            reject(new Error('a call that succeeds has an answer'));
          } else {
            resolve(answer);
          }
        },
      );
    });
  }

  /** One keep-alive on a stream of its own. */
  async #keepAlive(id: string, timeoutMs: number) {
    const { path, requestSerialize, responseDeserialize } = lease.LeaseKeepAlive;
    const stream = this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
    );
    try {
      return await new Promise<Parameters<typeof leased>[0] & { ID: string; TTL: string }>(
        (resolve, reject) => {
          stream.once('data', resolve);
          stream.on('error', reject);
          stream.write({ ID: id });
        },
      );
    } finally {
      stream.cancel();
    }
  }
}

function done(answer: Answer) {
  return { answer, result: { type: 'done' } as const };
}

function leased(answer: Answer, id: string, ttlSeconds: string) {
  return { answer, result: { type: 'lease', lease: id, ttlSeconds: Number(ttlSeconds) } as const };
}

function owned(answer: Answer, key: Buffer, token: string) {
  const result = { type: 'owned', key: key.toString('latin1'), token: Number(token) } as const;
  return { answer, result };
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

function changes(request: StoreRequest | ServiceRequest): boolean {
  switch (request.type) {
    case 'put':
    case 'range':
    case 'deleteRange':
    case 'txn':
      return mayChange(request);
    case 'leaseTimeToLive':
      return false;
    default:
      return true;
  }
}

/** A write that a member refused says so; one that no member answered may have happened. */
function outcomeOf(error: ServiceError): CallOutcome {
  // A client that was closed meanwhile has no metadata to give, whatever its types say.
  const { metadata } = error as { readonly metadata?: Metadata };
  if (metadata?.get('holdfast-outcome')[0] === 'rejected') {
    return 'fail';
  }
  const neverSent =
    error.code === status.UNAVAILABLE && error.details.startsWith('No connection established');
  return neverSent ? 'fail' : 'unknown';
}
