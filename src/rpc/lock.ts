/** `v3lockpb.Lock`: locks, as etcd serves them; with a try, a limit to the wait, and tokens. */
import { emptyBytes, KvError, type TimerHandle, type Timers } from '../base/index.ts';
import type { CallOptions } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import { toNumber } from './convert.ts';
import { type Candidate, enterQueue, waitOrLeave, withLease } from './ownership.ts';
import { headerOf, type LongService, type ServiceContext, unary } from './service.ts';
import { Waits } from './waits.ts';

/** Creates the service; its calls wait until their clients, or the server, end them. */
export function createLockService(
  context: ServiceContext,
  timers: Timers,
): LongService<wire.LockHandlers> {
  const { member } = context;
  const waits = new Waits();
  const lock = async (
    request: wire.LockRequest,
    options: CallOptions,
    wait: AbortController,
  ): Promise<wire.LockResponse> => {
    const limit = limitWait(request, wait, timers);
    try {
      const owner = await acquire(context, request, { options, signal: wait.signal });
      const header = headerOf(context, member.revision);
      return { header, key: Buffer.from(owner.key), fencing_token: owner.token };
    } finally {
      limit?.cancel();
    }
  };
  const handlers: wire.LockHandlers = {
    Lock: unary(context, 'Lock', async (request: wire.LockRequest, options, call) =>
      waits.during(call, async (wait) => lock(request, options, wait)),
    ),
    Unlock: unary(
      context,
      'Unlock',
      async ({ key }: wire.UnlockRequest, options): Promise<wire.UnlockResponse> => {
        if (key.length === 0) {
          throw new KvError('EMPTY_KEY');
        }
        const answer = await member.propose({ type: 'deleteRange', key, prevKv: false }, options);
        if (answer.kind === 'refused') {
          throw new KvError(answer.code);
        }
        return { header: headerOf(context, answer.revision) };
      },
    ),
  };
  return {
    handlers,
    end: () => {
      waits.end();
    },
  };
}

/** Ends a wait when it has lasted long enough: at once when the lock is only tried. */
function limitWait(
  request: wire.LockRequest,
  wait: AbortController,
  timers: Timers,
): TimerHandle | undefined {
  const waitMs = toNumber(request.wait_ms, 'wait_ms');
  if (waitMs < 0 || waitMs > waitMsMax) {
    throw new KvError('INVALID_ARGUMENT', {
      message: `holdfast: wait_ms ${waitMs} is not from 0 to ${waitMsMax}`,
    });
  }
  const giveUp = (): void => {
    wait.abort(new KvError('LOCK_HELD'));
  };
  if (request.try_lock) {
    giveUp();
  }
  return waitMs === 0 ? undefined : timers.after(waitMs, giveUp);
}

/** Limit: milliseconds; what a timer takes. */
const waitMsMax = 2 ** 31 - 1;

/** Waits for the lock; whoever does not get it leaves nothing behind. */
async function acquire(
  context: ServiceContext,
  { name, lease }: wire.LockRequest,
  { options, signal }: { readonly options: CallOptions; readonly signal: AbortSignal },
): Promise<Candidate> {
  const { member } = context;
  return withLease(context, BigInt(lease), options, async (id) => {
    const candidate = await enterQueue(member, { name, lease: id, value: emptyBytes }, options);
    await waitOrLeave(member, { name, candidate }, { caller: options.caller, signal });
    return candidate;
  });
}
