/**
 * Active alarms, as a value, and what they make the state machine refuse.
 *
 * Alarms are part of the replicated state, so every member refuses the same commands at the same
 * place of the log. Codes and texts are etcd's, and so is the order: alarms come before every other
 * check of a command. `README.md` says where etcd differs.
 */
import type { ErrorCode } from '../base/index.ts';
import type {
  Alarm,
  AlarmCommand,
  AlarmResult,
  AlarmType,
  Command,
  TxnOperation,
} from './command.ts';

/**
 * Limit: active alarms; two for each of more members than a cluster can have. They are written with
 * every batch, so their number must not be in the hands of clients.
 *
 * @internal for tests.
 */
export const alarmsMax = 128;

/** What an alarm command makes of the active alarms. */
export type AlarmOutcome =
  | { readonly kind: 'ok'; readonly alarms: readonly Alarm[]; readonly result: AlarmResult }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

/** Orders alarms; there is at most one of each kind per member. */
export function compareAlarms(a: Alarm, b: Alarm): number {
  return a.alarm === b.alarm ? a.memberId - b.memberId : a.alarm < b.alarm ? -1 : 1;
}

/** Tells whether any member has an alarm of the type. */
export function hasAlarm(alarms: readonly Alarm[], type: AlarmType): boolean {
  return alarms.some(({ alarm }) => alarm === type);
}

/** Raises or lifts an alarm; the same list is given back when nothing changes. */
export function changeAlarm(alarms: readonly Alarm[], command: AlarmCommand): AlarmOutcome {
  const { memberId, alarm, action } = command;
  const changed: Alarm = { memberId, alarm };
  const isActive = alarms.some((active) => compareAlarms(active, changed) === 0);
  if (action === 'activate') {
    const result: AlarmResult = { type: 'alarm', alarms: [changed] };
    if (isActive) {
      return { kind: 'ok', alarms, result };
    }
    return alarms.length < alarmsMax
      ? { kind: 'ok', alarms: [...alarms, changed].sort(compareAlarms), result }
      : { kind: 'refused', code: 'INVALID_ARGUMENT' };
  }
  return {
    kind: 'ok',
    alarms: isActive ? alarms.filter((active) => compareAlarms(active, changed) !== 0) : alarms,
    result: { type: 'alarm', alarms: isActive ? [changed] : [] },
  };
}

/**
 * Returns why the alarms forbid a command, if they do. What a transaction may do for lack of space
 * depends on the branch that it takes (`txn.ts`).
 */
export function checkAlarms(alarms: readonly Alarm[], command: Command): ErrorCode | undefined {
  if (alarms.length === 0 || isControl(command)) {
    return undefined;
  }
  if (hasAlarm(alarms, 'corrupt')) {
    return command.type === 'txn' && isReadOnly(command) ? undefined : 'CORRUPT';
  }
  const grows = command.type === 'put' || command.type === 'leaseGrant';
  return grows && hasAlarm(alarms, 'nospace') ? 'NO_SPACE' : undefined;
}

function isControl({ type }: Command): boolean {
  return (
    type === 'alarm' ||
    type === 'setRecord' ||
    type === 'leaseKeepAlive' ||
    type === 'advanceTime' ||
    type === 'raiseLevel' ||
    type === 'auth'
  );
}

/** As etcd sees it: a transaction with another one inside is not read-only, whatever that does. */
function isReadOnly({ success, failure }: TxnOperation): boolean {
  return [success, failure].every((branch) => branch.every(({ type }) => type === 'range'));
}
