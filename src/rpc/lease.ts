/** `etcdserverpb.Lease`: leases, as etcd has them. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { KvError, type Timers } from '../base/index.ts';
import type { Caller } from '../kv/index.ts';
import type * as wire from '../wire/index.ts';
import { proposeOnce } from './once.ts';
import { watchLeader } from './required-leader.ts';
import {
  callOptions,
  chargeOf,
  headerOf,
  type LongService,
  sendTogether,
  type ServiceContext,
  unary,
  writePaced,
} from './service.ts';
import { toServiceError } from './status.ts';

/** Seconds; etcd's own bound. */
const ttlMax = 9_000_000_000n;
/** Limit: renewals of one stream that wait for their answers. */
const renewalsMax = 1024;

type KeepAliveCall = ServerDuplexStream<wire.LeaseKeepAliveRequest, wire.LeaseKeepAliveResponse>;

/** Creates the service; its streams last until their clients, or the server, end them. */
export function createLeaseService(
  context: ServiceContext,
  timers: Timers,
): LongService<wire.LeaseHandlers> {
  const streams = new Set<RenewalStream>();
  return {
    handlers: {
      ...changes(context),
      ...looks(context),
      LeaseKeepAlive: (call: KeepAliveCall) => {
        try {
          const { caller } = callOptions(context, call);
          const stream = new RenewalStream(call, context, caller);
          streams.add(stream);
          const leaderCheck = watchLeader(context, call, {
            timers,
            fail: (error) => {
              stream.fail(error);
            },
          });
          void stream.run().finally(() => {
            leaderCheck?.cancel();
            streams.delete(stream);
          });
        } catch (error) {
          call.emit('error', toServiceError(error, context.onDefect));
        }
      },
    },
    end: () => {
      for (const stream of streams) {
        stream.fail(new KvError('STOPPED'));
      }
    },
  };
}

/** The methods that go through the log. */
function changes(context: ServiceContext): Pick<wire.LeaseHandlers, 'LeaseGrant' | 'LeaseRevoke'> {
  const { admission, member } = context;

  return {
    LeaseGrant: unary(
      context,
      'LeaseGrant',
      async (request: wire.LeaseGrantRequest, options, call): Promise<wire.LeaseGrantResponse> => {
        const ttl = toTtl(request.TTL);
        admission.checkLeases(member.leases.count);
        const asked = BigInt(request.ID);
        const id = asked === 0n ? member.leases.nextLeaseId() : asked;
        const operation = { type: 'leaseGrant', id, ttlMs: ttl * 1000 } as const;
        // The id that is chosen here is another one with every attempt.
        const attempt = { operation, asked: { ...operation, id: asked }, options };
        const { revision, result } = await proposeOnce(context, call, attempt);
        const granted = result.type === 'leaseGrant' ? result.id : id;
        return { header: headerOf(context, revision), ID: String(granted), TTL: ttl };
      },
    ),
    LeaseRevoke: unary(
      context,
      'LeaseRevoke',
      async (request: wire.LeaseRevokeRequest, options): Promise<wire.LeaseRevokeResponse> => {
        const id = BigInt(request.ID);
        const answer = await member.propose({ type: 'leaseRevoke', id }, options);
        if (answer.kind === 'refused') {
          throw new KvError(answer.code);
        }
        return { header: headerOf(context, answer.revision) };
      },
    ),
  };
}

/** The methods that only look. */
function looks(
  context: ServiceContext,
): Pick<wire.LeaseHandlers, 'LeaseTimeToLive' | 'LeaseLeases'> {
  const { member } = context;
  return {
    LeaseTimeToLive: unary(
      context,
      'LeaseTimeToLive',
      async (
        request: wire.LeaseTimeToLiveRequest,
        bounds,
        call,
      ): Promise<wire.LeaseTimeToLiveResponse> => {
        const options = { ...bounds, charge: chargeOf(context, call) };
        const lease = await member.leases.lease(BigInt(request.ID), request.keys, options);
        const keys = lease?.keys.map((key) => ({ key })) ?? [];
        member.auth.checkRead(options.caller, keys);
        const head = { header: headerOf(context, member.revision), ID: request.ID };
        return lease === undefined
          ? { ...head, TTL: -1, grantedTTL: 0, keys: [] }
          : {
              ...head,
              TTL: Math.floor(lease.remainingMs / 1000),
              grantedTTL: lease.ttlMs / 1000,
              keys: [...lease.keys],
            };
      },
    ),
    LeaseLeases: unary(
      context,
      'LeaseLeases',
      async (_request: wire.LeaseLeasesRequest, options): Promise<wire.LeaseLeasesResponse> => {
        const leases = await member.leases.allLeases(options);
        return {
          header: headerOf(context, member.revision),
          leases: leases.map(({ id }) => ({ ID: String(id) })),
        };
      },
    ),
  };
}

/** Whole seconds, at least one. */
function toTtl(text: string): number {
  const ttl = BigInt(text);
  if (ttl > ttlMax) {
    throw new KvError('LEASE_TTL_TOO_LARGE');
  }
  return Math.max(1, Number(ttl));
}

/**
 * The renewals of one client. They are under way together and answered in their order; a client
 * that sends more than it is answered is not read for a while.
 */
class RenewalStream {
  readonly #call: KeepAliveCall;
  readonly #context: ServiceContext;
  #caller: Caller | undefined;
  #underWay = 0;
  /** Ends once all answers so far have been written; never rejects. */
  #answered: Promise<void> = Promise.resolve();
  #failure: unknown;
  #end: () => void = () => undefined;

  constructor(call: KeepAliveCall, context: ServiceContext, caller: Caller | undefined) {
    this.#call = call;
    this.#caller = caller;
    this.#context = context;
    sendTogether(call);
  }

  /** Serves the stream to its end. */
  async run(): Promise<void> {
    const call = this.#call;
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      call.on('data', ({ ID }: wire.LeaseKeepAliveRequest) => {
        this.#renew(ID);
      });
      call.on('cancelled', resolve);
      call.on('end', resolve);
    });
    await this.#answered;
    if (this.#failure === undefined) {
      call.end();
    } else {
      call.emit('error', toServiceError(this.#failure, this.#context.onDefect));
    }
  }

  /** Ends the stream; its client is told why. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#end();
  }

  /** The stream's user may have gone since it began; its token may have ended, which is no harm. */
  #checkCaller(): void {
    const { auth } = this.#context.member;
    this.#caller ??= auth.isEnabled ? this.#context.callers.identify(this.#call) : undefined;
    auth.checkRead(this.#caller, []);
  }

  #renew(id: string): void {
    try {
      this.#checkCaller();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#underWay++;
    if (this.#underWay >= renewalsMax) {
      this.#call.pause();
    }
    const { leases } = this.#context.member;
    const renewal = leases
      .keepAlive(BigInt(id), { caller: this.#caller })
      .catch((error: unknown) => {
        this.fail(error);
        return undefined;
      });
    this.#answered = this.#answered.then(async () => this.#answer(id, renewal));
  }

  async #answer(id: string, renewal: Promise<number | undefined>): Promise<void> {
    const ttlMs = (await renewal) ?? 0;
    if (this.#failure === undefined && !this.#call.cancelled) {
      const header = headerOf(this.#context, this.#context.member.revision);
      await writePaced(this.#call, { header, ID: id, TTL: Math.floor(ttlMs / 1000) });
    }
    this.#underWay--;
    if (this.#call.isPaused() && this.#underWay <= renewalsMax / 2) {
      this.#call.resume();
    }
  }
}
