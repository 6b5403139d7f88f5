/**
 * Streams of clients that ask for a member with a leader (`hasleader: true`, etcd's
 * `WithRequireLeader`): a stream that stays with a member which has been cut off for long would
 * tell its client nothing, and not that it does. Whether there is a leader when it begins,
 * `callOptions` has looked; of a unary call, be it one that waits for its turn, that is all that is
 * asked, as in etcd.
 */
import { KvError, type TimerHandle, type Timers } from '../base/index.ts';
import { type CallView, requiresLeader, type ServiceContext } from './service.ts';

/** A client that asked for a leader is cut off from a member that has none for so long. */
const leaderlessMsMax = 3000;
const leaderCheckMs = 500;

/**
 * Calls `fail` once the member has had no leader for about three seconds; undefined when the client
 * has not asked for that. To be cancelled when the stream ends.
 */
export function watchLeader(
  { member }: Pick<ServiceContext, 'member'>,
  call: Pick<CallView, 'metadata'>,
  { timers, fail }: { readonly timers: Timers; readonly fail: (error: KvError) => void },
): TimerHandle | undefined {
  let leaderlessMs = 0;
  const check = (): void => {
    leaderlessMs = member.leader === 0 ? leaderlessMs + leaderCheckMs : 0;
    if (leaderlessMs === leaderlessMsMax) {
      fail(new KvError('NO_LEADER'));
    }
  };
  return requiresLeader(call) ? timers.every(leaderCheckMs, check) : undefined;
}
