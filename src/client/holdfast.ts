/**
 * A client of a Holdfast cluster, or of any etcd v3 cluster: what its parts are made of, and their
 * end.
 */
import { MemberCaller } from './caller.ts';
import { type Codec, codecs } from './codec.ts';
import { nodeEnvironment } from './defaults.ts';
import { Endpoints } from './endpoints.ts';
import { grpcTransport } from './grpc-transport.ts';
import { Namespace } from './keys.ts';
import { Kv } from './kv.ts';
import { LeaderFinder } from './leader-finder.ts';
import { unaryOperations } from './operations.ts';
import { Pipeline } from './pipeline.ts';
import { type HoldfastOptions, readOptions } from './options.ts';
import { RetryPace } from './pace.ts';
import type { Environment, Transport } from './ports.ts';
import { SignIn } from './sign-in.ts';
import { WatchHub } from './watch-hub.ts';

/** Time and the way to members; tests bring their own. */
export interface Surroundings {
  readonly environment?: Environment | undefined;
  readonly transport?: Transport | undefined;
}

/** See the module comment. Connects when the first call is made; close it when done. */
export class Holdfast<V = string> implements AsyncDisposable {
  /** The keys of the client's namespace, with values of its codec. */
  readonly kv: Kv<V>;
  /** @internal Calls of any method: what the parts of this library are built on. */
  readonly caller: MemberCaller;
  readonly #endpoints: Endpoints;
  readonly #pipeline: Pipeline;
  readonly #watches: WatchHub;

  /** @throws {HoldfastError} CONFIG_INVALID — with every mistake in the options. */
  constructor(options: HoldfastOptions<V>, surroundings: Surroundings = {}) {
    const settings = readOptions(options);
    const environment = surroundings.environment ?? nodeEnvironment();
    const transport = surroundings.transport ?? grpcTransport(settings.tls);
    const clock = environment.loop;
    const first = environment.prng.nextInt(0, settings.addresses.length);
    this.#endpoints = new Endpoints(settings.addresses, { transport, clock, first });
    const parts = {
      environment,
      endpoints: this.#endpoints,
      pace: new RetryPace(environment),
      finder: new LeaderFinder(this.#endpoints, clock),
      timeoutMs: settings.timeoutMs,
    };
    const { auth } = settings;
    this.caller = new MemberCaller({
      ...parts,
      credentials: auth === undefined ? undefined : new SignIn(new MemberCaller(parts), auth),
    });
    const unary = unaryOperations(this.caller);
    this.#pipeline = new Pipeline({ ...parts, caller: this.caller, unary });
    this.#watches = new WatchHub({ ...parts, caller: this.caller });
    this.kv = new Kv({
      operations: this.#pipeline,
      caller: this.caller,
      watches: this.#watches,
      environment,
      timeoutMs: settings.timeoutMs,
      namespace: new Namespace(options.namespace ?? ''),
      // Without a codec V is string, as its default says.
      codec: options.codec ?? (codecs.string as unknown as Codec<V>),
    });
  }

  /** Ends all calls under way, which fail, and all connections. Closing again does nothing. */
  async close(): Promise<void> {
    this.#watches.close();
    await this.#pipeline.close();
    this.caller.close();
    this.#endpoints.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
