/** `v3electionpb.Election`: elections, as etcd serves them; ownership is asked after the wait. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { equalBytes, KvError, type Timers } from '../base/index.ts';
import type { CallOptions } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import { afterEffect } from './after-effects.ts';
import { fromKeyValue, toNumber } from './convert.ts';
import {
  enterQueue,
  leaveQueue,
  ownerOf,
  ownersOf,
  rewrite,
  waitOrLeave,
  withLease,
} from './ownership.ts';
import { watchLeader } from './required-leader.ts';
import {
  headerOf,
  type LongService,
  type ServiceContext,
  serverStreaming,
  unary,
  writePaced,
} from './service.ts';
import { Waits } from './waits.ts';

type ObserveCall = ServerWritableStream<wire.LeaderRequest, wire.LeaderResponse>;

/** Creates the service; its calls wait until their clients, or the server, end them. */
export function createElectionService(
  context: ServiceContext,
  timers: Timers,
): LongService<wire.ElectionHandlers> {
  const waits = new Waits();
  const handlers: wire.ElectionHandlers = {
    ...ofLeaders(context),
    Campaign: unary(context, 'Campaign', async (request: wire.CampaignRequest, options, call) =>
      waits.during(call, async ({ signal }) => campaign(context, request, { options, signal })),
    ),
    Leader: unary(
      context,
      'Leader',
      async ({ name }: wire.LeaderRequest, options): Promise<wire.LeaderResponse> => {
        const { kv, revision } = await ownerOf(context.member, name, options);
        if (kv === undefined) {
          throw new KvError('NO_ELECTION_LEADER');
        }
        return { header: headerOf(context, revision), kv: fromKeyValue(kv) };
      },
    ),
    Observe: serverStreaming(context, 'Observe', async (call: ObserveCall, { caller }) =>
      waits.during(call, async (wait) => {
        const fail = (error: KvError): void => {
          wait.abort(error);
        };
        const leaderCheck = watchLeader(context, call, { timers, fail });
        try {
          await observe(context, call, { caller, signal: wait.signal });
        } finally {
          leaderCheck?.cancel();
        }
      }),
    ),
  };
  return {
    handlers,
    end: () => {
      waits.end();
    },
  };
}

/** What only a leader does. */
function ofLeaders(context: ServiceContext): Pick<wire.ElectionHandlers, 'Proclaim' | 'Resign'> {
  const { member } = context;
  return {
    Proclaim: unary(
      context,
      'Proclaim',
      async ({ leader, value }: wire.ProclaimRequest, options): Promise<wire.ProclaimResponse> => {
        const rewritten = await rewrite(member, toCandidate(leader), { value, ...options });
        const { isThere, revision } = rewritten;
        if (!isThere) {
          throw new KvError('NOT_ELECTED');
        }
        return { header: headerOf(context, revision) };
      },
    ),
    Resign: unary(
      context,
      'Resign',
      async ({ leader }: wire.ResignRequest, options): Promise<wire.ResignResponse> => {
        const revision = await leaveQueue(member, toCandidate(leader), options);
        return { header: headerOf(context, revision) };
      },
    ),
  };
}

/** Waits until the caller leads; whoever does not get there leaves nothing behind. */
async function campaign(
  context: ServiceContext,
  { name, lease, value }: wire.CampaignRequest,
  { options, signal }: { readonly options: CallOptions; readonly signal: AbortSignal },
): Promise<wire.CampaignResponse> {
  const { member } = context;
  const { caller } = options;
  return withLease(context, BigInt(lease), options, async (id) => {
    const candidate = await enterQueue(member, { name, lease: id, value }, options);
    const isRewritten = !equalBytes(candidate.value, value);
    if (isRewritten) {
      await rewrite(member, { ...candidate, lease: id }, { value, caller });
    }
    await waitOrLeave(member, { name, candidate }, { caller, signal }).catch((error: unknown) => {
      throw isRewritten ? afterEffect(error) : error;
    });
    const { key, token } = candidate;
    return {
      header: headerOf(context, member.revision),
      leader: { name, key: Buffer.from(key), rev: token, lease: String(id) },
    };
  });
}

/** Tells who leads until the client has gone; fails with the reason of `signal` when that fires. */
async function observe(
  context: ServiceContext,
  call: ObserveCall,
  { caller, signal }: Pick<CallOptions, 'caller'> & { readonly signal: AbortSignal },
): Promise<void> {
  const owners = ownersOf(context.member, call.request.name, { caller, signal });
  for await (const { kv, revision } of owners) {
    await writePaced(call, { header: headerOf(context, revision), kv: fromKeyValue(kv) });
  }
  if (!call.cancelled) {
    throw signal.reason;
  }
}

function toCandidate(leader: wire.LeaderKey | null): {
  readonly key: Uint8Array;
  readonly token: number;
  readonly lease: bigint;
} {
  if (leader === null) {
    throw new KvError('LEADER_KEY_MISSING');
  }
  if (leader.key.length === 0) {
    throw new KvError('EMPTY_KEY');
  }
  return { key: leader.key, token: toNumber(leader.rev, 'rev'), lease: BigInt(leader.lease) };
}
