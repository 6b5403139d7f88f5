/** Leases at the members: granted, renewed, revoked. All of it may be repeated. */
import type { TimerHandle, Timers } from '../base/index.ts';
import { services } from '../wire/index.ts';
import { onAbort } from './abort-listeners.ts';
import type { Caller, CallOptions, OpenStream } from './caller.ts';
import { abortedError, codeOf, HoldfastError, isRepeatableCode } from './errors.ts';

/** A lease as members grant it. */
export interface GrantedLease {
  readonly id: string;
  readonly ttlSeconds: number;
}

/** What a lease is asked for with. */
export interface GrantSpec extends CallOptions {
  readonly what: string;
  readonly ttlSeconds: number;
  /**
   * Names the request: a repetition gets the same lease. Members that do not know names may grant
   * another one, which ends by itself.
   */
  readonly name: string;
}

/** @throws {HoldfastError} */
export async function grantLease(
  caller: Caller,
  { what, ttlSeconds, name, ...options }: GrantSpec,
): Promise<GrantedLease> {
  const { LeaseGrant } = services['etcdserverpb.Lease'];
  const { ID, TTL } = await caller.call({
    ...{ what, method: LeaseGrant, request: { TTL: ttlSeconds }, purpose: 'idempotent' },
    ...{ route: 'leader', metadata: { 'idempotency-key': name }, ...options },
  });
  return { id: ID, ttlSeconds: Number(TTL) };
}

/** Ends a lease; one that has ended is as good. @throws {HoldfastError} */
export async function revokeLease(
  caller: Caller,
  id: string,
  options: CallOptions & { readonly what: string },
): Promise<void> {
  const { LeaseRevoke } = services['etcdserverpb.Lease'];
  try {
    await caller.call({
      ...{ method: LeaseRevoke, request: { ID: id }, purpose: 'idempotent', route: 'leader' },
      ...options,
    });
  } catch (error) {
    if (!(error instanceof HoldfastError && error.code === 'LEASE_NOT_FOUND')) {
      throw error;
    }
  }
}

/** What failures of a renewal name. */
const renewing = 'renewing a lease';

/** What a renewal works with, and its bounds. */
export interface RenewalSpec {
  readonly caller: Caller;
  readonly timers: Timers;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Renews a lease on a stream of its own, as members without pipelines have it; resolves with the
 * seconds it has, 0 when there is no such lease.
 *
 * @throws {HoldfastError}
 */
export async function renewOnStream(id: string, spec: RenewalSpec): Promise<number> {
  const { caller, timers, timeoutMs, signal } = spec;
  const endMs = timers.nowMs() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const leftMs = Math.max(1, endMs - timers.nowMs());
    try {
      return await renewOnce(id, { ...spec, timeoutMs: leftMs });
    } catch (error) {
      const mayPass = isRepeatableCode((error as HoldfastError).code);
      if (!mayPass || timers.nowMs() >= endMs) {
        throw error;
      }
    }
    await caller.pause(attempt, signal);
  }
}

async function renewOnce(
  id: string,
  { caller, timers, timeoutMs, signal }: RenewalSpec,
): Promise<number> {
  const { LeaseKeepAlive } = services['etcdserverpb.Lease'];
  let opening: Promise<OpenStream<unknown>> | undefined;
  let timer: TimerHandle | undefined;
  let leaveSignal: (() => void) | undefined;
  try {
    return await new Promise<number>((resolve, reject) => {
      let endpoint: string | undefined;
      const fail = (code: HoldfastError['code'], why: string): void => {
        reject(new HoldfastError(code, `${renewing}: ${why}`, { endpoint }));
      };
      timer = timers.after(timeoutMs, () => {
        fail('DEADLINE_EXCEEDED', `no answer within ${Math.round(timeoutMs)} ms`);
      });
      // The stream looks at it only until it is open.
      leaveSignal = signal && onAbort(signal, () => reject(abortedError(renewing, signal)));
      opening = caller.stream({
        ...{ what: renewing, method: LeaseKeepAlive, route: 'leader', timeoutMs, signal },
        listener: {
          onAnswer: ({ TTL }) => resolve(Number(TTL)),
          onEnd: (failure) =>
            fail(
              failure === undefined ? 'CONNECTION_LOST' : codeOf(failure),
              failure?.message ?? 'the stream has ended',
            ),
        },
      });
      opening.then((stream) => {
        endpoint = stream.address;
        stream.write({ ID: id });
      }, reject);
    });
  } finally {
    timer?.cancel();
    leaveSignal?.();
    // One that is open only now is of no use to anybody.
    opening?.then(
      (stream) => stream.cancel(),
      () => undefined,
    );
  }
}
