/** A real member as a process of its own, and any calls to it, also such as wait. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { services } from '../../src/wire/index.ts';
import { connectKv, waitForLeader } from '../harness/kv-client.ts';
import { ProcessCluster } from '../harness/processes.ts';

const { LeaseGrant } = services['etcdserverpb.Lease'];
const { Range } = services['etcdserverpb.KV'];

/** What a call needs of its method. */
interface Method<Request, Answer> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Answer;
}

/** See the module comment. */
export class LiveMember {
  readonly #directory: string;
  readonly #cluster: ProcessCluster;
  readonly #client: Client;
  #names = 0;

  private constructor(directory: string, cluster: ProcessCluster, endpoint: string) {
    this.#directory = directory;
    this.#cluster = cluster;
    this.#client = new Client(endpoint, credentials.createInsecure());
  }

  /** Starts a member and waits until it leads. */
  static async start(): Promise<LiveMember> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-live-'));
    const cluster = await ProcessCluster.create([join(directory, 'n1')]);
    await cluster.startAll();
    const [endpoint = ''] = cluster.endpoints;
    const kv = connectKv(endpoint);
    await waitForLeader([kv], 20_000);
    kv.close();
    return new LiveMember(directory, cluster, endpoint);
  }

  async stop(): Promise<void> {
    this.#client.close();
    await this.#cluster.stopAll();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** A call, and what becomes of it. */
  start<Request, Answer>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Answer>,
    request: Request,
    metadata = new Metadata(),
  ): { readonly call: ClientUnaryCall; readonly answer: Promise<Answer> } {
    const { promise: answer, resolve, reject } = settled<Answer>();
    const call = this.#client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      (error, response) => {
        if (error !== null || response === undefined) {
          reject(error ?? new Error('no answer'));
        } else {
          resolve(response);
        }
      },
    );
    // Whoever is interested waits for it.
    answer.catch(() => undefined);
    return { call, answer };
  }

  async ask<Request, Answer>(
    method: Method<Request, Answer>,
    request: Request,
    metadata?: Metadata,
  ): Promise<Answer> {
    return this.start(method, request, metadata).answer;
  }

  /** Answers as they come. */
  stream<Request, Answer>(
    { path, requestSerialize, responseDeserialize }: Method<Request, Answer>,
    request: Request,
  ): ClientReadableStream<Answer> {
    return this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    );
  }

  /** The id of a new lease of ten minutes. */
  async grant(): Promise<string> {
    return (await this.ask(LeaseGrant, { TTL: 600 })).ID;
  }

  /** A name that nobody else uses. */
  nextName(): Buffer {
    return Buffer.from(`name${++this.#names}`);
  }

  /** The keys of the queue of a lock or an election. */
  async queueOf(name: Buffer): Promise<readonly string[]> {
    const end = Buffer.concat([name, Buffer.from('0')]);
    const { kvs } = await this.ask(Range, { key: name, range_end: end });
    return kvs.map(({ key }) => key.toString());
  }

  /** Waits until so many stand in a queue. */
  async queued(name: Buffer, count: number): Promise<void> {
    while ((await this.queueOf(name)).length !== count) {
      // The calls are on their way.
    }
  }
}

/** What a call failed with; `none` when it did not. */
export async function failureOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'none',
    (error: unknown) => (error as ServiceError).details,
  );
}

function settled<T>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
