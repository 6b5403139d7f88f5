/**
 * A client of a Holdfast cluster, or of any etcd v3 cluster: what its parts are made of, and their
 * end.
 */
import { checkValue } from './arguments.ts';
import { MemberCaller } from './caller.ts';
import { type Codec, codecs } from './codec.ts';
import { nodeEnvironment } from './defaults.ts';
import { Endpoints } from './endpoints.ts';
import { grpcTransport } from './grpc-transport.ts';
import { type Key, Namespace } from './keys.ts';
import { Kv } from './kv.ts';
import { LeaderFinder } from './leader-finder.ts';
import { unaryOperations } from './operations.ts';
import { Election, type ElectionParts } from './election.ts';
import { type Lease, type LeaseOptions, Leases } from './lease.ts';
import { renewOnStream } from './lease-calls.ts';
import { type Ownership, type OwnershipOptions, placesCheck, Semaphore } from './ownership.ts';
import { Pipeline, type PipelineParts } from './pipeline.ts';
import { type OptionsFor, readOptions } from './options.ts';
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
  readonly #leases: Leases;
  readonly #ownership: ElectionParts<V>;
  readonly #pipeline: Pipeline;
  readonly #watches: WatchHub;
  #closing: Promise<void> | undefined;

  /** @throws {HoldfastError} CONFIG_INVALID — with every mistake in the options. */
  constructor(options: OptionsFor<V>, surroundings: Surroundings = {}) {
    const settings = readOptions(options);
    const environment = surroundings.environment ?? nodeEnvironment();
    const clock = environment.loop;
    const transport = surroundings.transport ?? grpcTransport(settings.tls, clock);
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
    const credentials = auth && new SignIn(new MemberCaller(parts), auth);
    parts.finder.credentials = credentials;
    this.caller = new MemberCaller({ ...parts, credentials });
    const unary = unaryOperations(this.caller);
    const { caller } = this;
    const renewAlone: PipelineParts['renewAlone'] = async (lease, bounds) =>
      renewOnStream(lease, { caller, timers: clock, ...bounds });
    this.#pipeline = new Pipeline({ ...parts, caller, unary, renewAlone });
    this.#leases = new Leases({
      ...{ environment, caller, renew: async (...args) => this.#pipeline.renew(...args) },
    });
    this.#watches = new WatchHub({ ...parts, caller: this.caller });
    const namespace = new Namespace(options.namespace ?? '');
    // Without a codec V is string, as the type of the options says.
    const codec = options.codec ?? (codecs.string as unknown as Codec<V>);
    this.kv = new Kv({
      operations: this.#pipeline,
      caller: this.caller,
      watches: this.#watches,
      environment,
      timeoutMs: settings.timeoutMs,
      ...{ namespace, codec },
    });
    this.#ownership = {
      ...{ operations: this.#pipeline, watches: this.#watches, namespace },
      ...{ leases: this.#leases, timers: clock, kv: this.kv, codec },
    };
  }

  /**
   * Grants a lease, which renews itself until it is revoked or the client is closed.
   *
   * @throws {HoldfastError}
   */
  async lease(options: LeaseOptions): Promise<Lease> {
    return this.#leases.grant(options, false);
  }

  /**
   * Waits for a lock, and owns it until it is released or lost. It excludes, and is excluded by,
   * whoever locks the same name in etcd's way, `etcdctl lock` and the Lock service among them.
   *
   * @throws {HoldfastError} LOCK_HELD — not within `waitMs`; ABORTED; LEASE_LOST — the members
   *   could not be reached for too long while it waited.
   */
  async lock(name: Key, options: OwnershipOptions = {}): Promise<Ownership> {
    return new Semaphore(this.#ownership, name).acquire(options);
  }

  /** Takes a lock if it is free now; undefined otherwise. @throws {HoldfastError} */
  async tryLock(
    name: Key,
    options: Omit<OwnershipOptions, 'waitMs'> = {},
  ): Promise<Ownership | undefined> {
    return new Semaphore(this.#ownership, name).tryAcquire(options);
  }

  /**
   * Something with a number of places, the same for everybody who uses this name.
   *
   * @throws {HoldfastError} INVALID_ARGUMENT.
   */
  semaphore(name: Key, places: number): Semaphore {
    checkValue('semaphore: the number of its places', places, placesCheck);
    return new Semaphore(this.#ownership, name, places);
  }

  /** An election, the same as etcd's of this name. */
  election(name: Key): Election<V> {
    return new Election(this.#ownership, name);
  }

  /** Ends all calls under way, which fail, and all connections. Closing again waits for that. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#leases.close();
    this.#watches.close();
    await this.#pipeline.close();
    this.caller.close();
    this.#endpoints.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
