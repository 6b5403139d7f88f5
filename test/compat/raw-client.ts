/**
 * Calls methods by their definitions and makes the answers comparable: status code, details and
 * response, with the ids of cluster and member and raft's numbers replaced by a name.
 */
import { once } from 'node:events';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { RangeRequest__Input as RangeRequest } from '../../src/wire/generated/etcdserverpb/RangeRequest.ts';
import type { RangeResponse } from '../../src/wire/generated/etcdserverpb/RangeResponse.ts';
import type { RangeStreamResponse } from '../../src/wire/generated/etcdserverpb/RangeStreamResponse.ts';
import { services } from '../../src/wire/index.ts';

/** Unary methods that are compared, with their services. */
export const methods = {
  Range: services['etcdserverpb.KV'].Range,
  Put: services['etcdserverpb.KV'].Put,
  DeleteRange: services['etcdserverpb.KV'].DeleteRange,
  Txn: services['etcdserverpb.KV'].Txn,
  Compact: services['etcdserverpb.KV'].Compact,
  MemberAdd: services['etcdserverpb.Cluster'].MemberAdd,
  MemberRemove: services['etcdserverpb.Cluster'].MemberRemove,
  MemberUpdate: services['etcdserverpb.Cluster'].MemberUpdate,
  MemberList: services['etcdserverpb.Cluster'].MemberList,
  MemberPromote: services['etcdserverpb.Cluster'].MemberPromote,
  Status: services['etcdserverpb.Maintenance'].Status,
  Alarm: services['etcdserverpb.Maintenance'].Alarm,
  HashKV: services['etcdserverpb.Maintenance'].HashKV,
  MoveLeader: services['etcdserverpb.Maintenance'].MoveLeader,
  LeaseGrant: services['etcdserverpb.Lease'].LeaseGrant,
  LeaseRevoke: services['etcdserverpb.Lease'].LeaseRevoke,
  LeaseTimeToLive: services['etcdserverpb.Lease'].LeaseTimeToLive,
  LeaseLeases: services['etcdserverpb.Lease'].LeaseLeases,
  Lock: services['v3lockpb.Lock'].Lock,
  Unlock: services['v3lockpb.Lock'].Unlock,
  Campaign: services['v3electionpb.Election'].Campaign,
  Proclaim: services['v3electionpb.Election'].Proclaim,
  Leader: services['v3electionpb.Election'].Leader,
  Resign: services['v3electionpb.Election'].Resign,
  Check: services['grpc.health.v1.Health'].Check,
} as const;

/** A method that streams. */
interface StreamingMethod {
  readonly path: string;
  requestSerialize(request: object): Buffer;
  responseDeserialize(bytes: Buffer): object;
}

/** Methods that stream, whose first answers are compared. */
const streams: Readonly<Record<'LeaseKeepAlive' | 'Observe' | 'Watch', StreamingMethod>> = {
  LeaseKeepAlive: services['etcdserverpb.Lease'].LeaseKeepAlive,
  Observe: services['v3electionpb.Election'].Observe,
  Watch: services['etcdserverpb.Watch'].Watch,
};

/** Name of a unary method. */
export type MethodName = keyof typeof methods;

/** One call. */
export interface RawCall {
  readonly method: MethodName;
  readonly request: object;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs?: number | undefined;
  /** Ids are wanted as they are. */
  readonly isExact?: boolean | undefined;
}

/** How a call ended. */
export interface RawAnswer {
  /** Name of the gRPC status. */
  readonly code: string;
  readonly details: string;
  /** The response with byte strings as text, one character a byte. */
  readonly response?: unknown;
}

const callTimeoutMs = 20_000;

/** A connection to one endpoint. */
export class RawClient {
  readonly endpoint: string;
  readonly #client: Client;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
    this.#client = new Client(endpoint, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
      'grpc.max_receive_message_length': -1,
    });
  }

  /** Makes a call as it stands in the contract. */
  async call(call: RawCall): Promise<RawAnswer> {
    const { path, requestSerialize, responseDeserialize } = methods[call.method];
    return this.callPath(path, requestSerialize(call.request), responseDeserialize, call);
  }

  /** Sends `bytes` to any path, also to one that no contract has. */
  async callPath(
    path: string,
    bytes: Buffer,
    deserialize: (bytes: Buffer) => object = (answer) => answer,
    options: Omit<RawCall, 'method' | 'request'> = {},
  ): Promise<RawAnswer> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(options.metadata ?? {})) {
      metadata.set(name, value);
    }
    const deadline = Date.now() + (options.timeoutMs ?? callTimeoutMs);
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest<Buffer, object>(
        path,
        (request) => request,
        deserialize,
        bytes,
        metadata,
        { deadline },
        (error: ServiceError | null, response?: object) => {
          resolve(
            error === null
              ? { code: 'OK', details: '', response: plain(response, options.isExact === true) }
              : { code: status[error.code], details: error.details },
          );
        },
      );
    });
  }

  /** Streams a range, which etcd 3.4 cannot; returns the parts in their order. */
  async rangeStream(request: RangeRequest): Promise<RangeResponse[]> {
    const { path, requestSerialize, responseDeserialize } = services['etcdserverpb.KV'].RangeStream;
    const call = this.#client.makeServerStreamRequest(
      path,
      (each: RangeRequest) => requestSerialize(each),
      responseDeserialize,
      request,
    );
    const parts: RangeResponse[] = [];
    for await (const part of call as AsyncIterable<RangeStreamResponse>) {
      if (part.range_response !== null) {
        parts.push(part.range_response);
      }
    }
    return parts;
  }

  /** The first `count` answers of a stream to `requests`. */
  async stream(
    method: keyof typeof streams,
    requests: readonly object[],
    count: number,
  ): Promise<unknown[]> {
    const streaming = streams[method];
    const call = this.#client.makeBidiStreamRequest<object, object>(
      streaming.path,
      (request) => streaming.requestSerialize(request),
      (answer) => streaming.responseDeserialize(answer),
    );
    const ended = once(call, 'error');
    for (const request of requests) {
      call.write(request);
    }
    if (method === 'Observe') {
      call.end();
    }
    const answers: unknown[] = [];
    for await (const answer of call as AsyncIterable<object>) {
      answers.push(plain(answer, false));
      if (answers.length === count) {
        break;
      }
    }
    call.cancel();
    await ended;
    return answers;
  }

  /** How a stream with one request ends that tells nothing and that its client does not end. */
  async end(
    method: 'Observe',
    request: object,
    ownMetadata: Readonly<Record<string, string>>,
  ): Promise<RawAnswer> {
    const streaming = streams[method];
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(ownMetadata)) {
      metadata.set(name, value);
    }
    const call = this.#client.makeServerStreamRequest<object, object>(
      streaming.path,
      (each) => streaming.requestSerialize(each),
      (answer) => streaming.responseDeserialize(answer),
      request,
      metadata,
    );
    call.resume();
    const [error] = (await once(call, 'error')) as [ServiceError];
    return { code: status[error.code], details: error.details };
  }

  /** The store's revision, by a linearizable read. */
  async revision(): Promise<number> {
    const request = { key: Buffer.from('revision') };
    const { code, details, response } = await this.call({ method: 'Range', request });
    const revision = Number(
      (response as { header?: { revision?: string } } | undefined)?.header?.revision,
    );
    if (!(revision > 0)) {
      throw new Error(`no revision from ${this.endpoint}: ${code} ${details}`);
    }
    return revision;
  }

  close(): void {
    this.#client.close();
  }
}

/** Byte strings of a request, written as text with one character a byte. */
export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/**
 * Numbers that any two clusters differ in; zero stays, since it means that a field is not given.
 */
const ownNumbers: readonly string[] = ['cluster_id', 'member_id', 'raft_term'];

function plain(value: unknown, isExact: boolean): unknown {
  if (Buffer.isBuffer(value)) {
    return value.toString('latin1');
  }
  if (Array.isArray(value)) {
    return value.map((each) => plain(each, isExact));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [
        name,
        !isExact && ownNumbers.includes(name) && each !== '0' ? 'ID' : plain(each, isExact),
      ]),
    );
  }
  return value;
}
