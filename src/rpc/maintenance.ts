/** `etcdserverpb.Maintenance`: what operators ask of one member, and the cluster's alarms. */
import { KvError } from '../base/index.ts';
import type { CallOptions, KeyspaceHash, MemberAlarm } from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import { afterEffect } from './after-effects.ts';
import { toBound, toNumber } from './convert.ts';
import { toMemberId } from './member-requests.ts';
import { headerOf, serverStreaming, type ServiceContext, unary } from './service.ts';
import { sendSnapshot } from './snapshot.ts';
import { WaitingLine } from './waiting-line.ts';
import { goneSignal } from './waits.ts';

const alarmTypes: Readonly<Record<string, MemberAlarm['alarm'] | 'any'>> = {
  NONE: 'any',
  NOSPACE: 'nospace',
  CORRUPT: 'corrupt',
};

/** Limit: a hash reads every key and all history, beside what else the member does. */
const hashLine = { underWayMax: 1, waitingMax: 16, reason: 'hashes', retryMs: 1000 };
/** Limit: one holds a thread of the pool for minutes, and log and engine live by the others. */
const defragmentLine = { underWayMax: 1, waitingMax: 4, reason: 'defragment', retryMs: 1000 };

/** The handlers of the service. */
export function createMaintenanceService(context: ServiceContext): wire.MaintenanceHandlers {
  const { member } = context;
  const header = (revision = member.revision): wire.ResponseHeader => headerOf(context, revision);
  return {
    Status: unary(
      context,
      'Status',
      async (_request: wire.StatusRequest): Promise<wire.StatusResponse> =>
        Promise.resolve(statusOf(context)),
    ),

    Alarm: unary(
      context,
      'Alarm',
      async (request: wire.AlarmRequest, options): Promise<wire.AlarmResponse> => {
        const alarms = await carryOutAlarm(context, request, options);
        return { header: header(), alarms: alarms.map(fromAlarm) };
      },
    ),

    ...longWork(context),

    Snapshot: serverStreaming(context, 'Snapshot', async (call) => sendSnapshot(context, call)),

    MoveLeader: unary(
      context,
      'MoveLeader',
      async (request: wire.MoveLeaderRequest, options): Promise<wire.MoveLeaderResponse> => {
        if (member.leader !== member.memberId) {
          throw new KvError('NOT_LEADER');
        }
        const target = toMemberId(request.targetID, 'BAD_TRANSFEREE');
        await member.moveLeader(target, options).catch((error: unknown) => {
          // One that has been asked to take over may do so later.
          throw isRefusal(error) ? error : afterEffect(error);
        });
        return { header: header() };
      },
    ),

    Downgrade: unary(
      context,
      'Downgrade',
      async (request: wire.DowngradeRequest, options): Promise<never> =>
        refuseDowngrade(context, request, options),
    ),
  };
}

/** What goes through all that is stored, or waits to; a hash ends with its client. */
function longWork(
  context: ServiceContext,
): Pick<wire.MaintenanceHandlers, 'Defragment' | 'Hash' | 'HashKV'> {
  const { administration } = context.member;
  const hashing = new WaitingLine(hashLine);
  const defragmenting = new WaitingLine(defragmentLine);
  const hashKv = async (revision: number, signal: AbortSignal): Promise<KeyspaceHash> =>
    hashing.take(async () => administration.hashKv(revision, signal), signal);
  return {
    Defragment: unary(
      context,
      'Defragment',
      async (_request: wire.DefragmentRequest, options, call): Promise<wire.DefragmentResponse> => {
        const defragment = async (): Promise<void> => administration.defragment(options);
        await defragmenting.take(defragment, goneSignal(call));
        return { header: headerOf(context, context.member.revision) };
      },
    ),

    Hash: unary(
      context,
      'Hash',
      async (_request: wire.HashRequest, _options, call): Promise<wire.HashResponse> => {
        const { hash, revision } = await hashKv(0, goneSignal(call));
        return { header: headerOf(context, revision), hash };
      },
    ),

    HashKV: unary(
      context,
      'HashKV',
      async (request: wire.HashKVRequest, _options, call): Promise<wire.HashKVResponse> => {
        const answer = await hashKv(Math.max(0, toBound(request.revision)), goneSignal(call));
        return {
          header: headerOf(context, answer.revision),
          hash: answer.hash,
          compact_revision: answer.compactRevision,
          hash_revision: answer.hashRevision,
        };
      },
    ),
  };
}

/** Whether nobody has been asked to lead. */
function isRefusal(error: unknown): boolean {
  return error instanceof KvError && error.code === 'BAD_TRANSFEREE';
}

function statusOf(context: ServiceContext): wire.StatusResponse {
  const { member, version, quotaBytes } = context;
  const status = member.status();
  return {
    header: headerOf(context, status.revision),
    version,
    dbSize: status.sizeBytes,
    dbSizeInUse: status.sizeBytes,
    leader: status.leader,
    raftIndex: status.commitIndex,
    raftTerm: status.term,
    raftAppliedIndex: status.appliedIndex,
    errors: [...status.errors],
    isLearner: status.isLearner,
    storageVersion: version,
    dbSizeQuota: quotaBytes,
    downgradeInfo: { enabled: false },
    feature_level: status.level,
    feature_level_max: status.newestLevel,
  };
}

/**
 * Lists or changes alarms; returns those listed, or the one that has changed: none when it was as
 * asked for already.
 *
 * @throws {KvError} INVALID_ARGUMENT — the action or the alarm is unknown.
 */
async function carryOutAlarm(
  { member }: ServiceContext,
  request: wire.AlarmRequest,
  options: CallOptions,
): Promise<readonly MemberAlarm[]> {
  const { action } = request;
  const type = alarmTypes[request.alarm];
  if (type === undefined || !['GET', 'ACTIVATE', 'DEACTIVATE'].includes(action)) {
    const unknown = type === undefined ? `alarm ${request.alarm}` : `alarm action ${action}`;
    throw new KvError('INVALID_ARGUMENT', { message: `etcdserver: unknown ${unknown}` });
  }
  // An alarm that any member has raised before must be seen.
  await member.confirmRead(options);
  if (action !== 'GET') {
    member.auth.checkRoot(options.caller);
  }
  const alarms = member.administration.alarms();
  if (action === 'GET') {
    return alarms.filter((each) => type === 'any' || each.alarm === type);
  }
  if (type === 'any') {
    return [];
  }
  const isActive = action === 'ACTIVATE';
  const asked = { memberId: toNumber(request.memberID, 'memberID'), alarm: type };
  const wasActive = alarms.some(
    (each) => each.memberId === asked.memberId && each.alarm === asked.alarm,
  );
  if (wasActive === isActive) {
    return [];
  }
  await member.administration.setAlarm(asked, isActive, options);
  return [asked];
}

function fromAlarm({ memberId, alarm }: MemberAlarm): wire.AlarmMember {
  return { memberID: memberId, alarm: alarm === 'nospace' ? 'NOSPACE' : 'CORRUPT' };
}

/**
 * Tells why there is nothing to downgrade to: a feature level never falls, and until it rises an
 * older build is simply started (ADR-018). Texts and order of the checks are etcd's.
 *
 * @throws {KvError} INVALID_ARGUMENT, NO_DOWNGRADE, and what `confirmRead` throws.
 */
async function refuseDowngrade(
  { member }: ServiceContext,
  { action, version }: wire.DowngradeRequest,
  options: CallOptions,
): Promise<never> {
  const problem = (message: string): KvError => new KvError('INVALID_ARGUMENT', { message });
  if (!['VALIDATE', 'ENABLE', 'CANCEL'].includes(action)) {
    throw problem(`etcdserver: unknown downgrade action ${action}`);
  }
  if (action !== 'CANCEL' && !/^\d+\.\d+(?:\.\d+(?:[-+][\w.+-]+)?)?$/.test(version)) {
    throw problem('etcdserver: wrong downgrade target version format');
  }
  await member.confirmRead(options);
  if (action === 'CANCEL') {
    throw new KvError('NO_DOWNGRADE');
  }
  throw problem('etcdserver: invalid downgrade target version');
}
