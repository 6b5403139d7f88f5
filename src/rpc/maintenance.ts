/**
 * `etcdserverpb.Maintenance`, as far as it is there: status, the list of alarms, a transfer of
 * leadership.
 */
import { KvError } from '../base/index.ts';
import type * as wire from '../wire/index.ts';
import { toNumber } from './convert.ts';
import { headerOf, type ServiceContext, unary } from './service.ts';

/** The handlers of the service. */
export function createMaintenanceService(context: ServiceContext): wire.MaintenanceHandlers {
  const { member } = context;
  return {
    Status: unary(
      context,
      'Status',
      async (_request: wire.StatusRequest): Promise<wire.StatusResponse> => {
        const status = member.status();
        return Promise.resolve({
          header: headerOf(context, status.revision),
          version: context.version,
          dbSize: status.sizeBytes,
          dbSizeInUse: status.sizeBytes,
          leader: status.leader,
          raftIndex: status.commitIndex,
          raftTerm: status.term,
          raftAppliedIndex: status.appliedIndex,
          errors: [...status.errors],
          isLearner: status.isLearner,
        });
      },
    ),

    // No alarm can be raised yet, so the list is empty and there is nothing to switch.
    Alarm: unary(
      context,
      'Alarm',
      async (request: wire.AlarmRequest): Promise<wire.AlarmResponse> => {
        if (request.action !== 'GET') {
          throw new KvError('NOT_IMPLEMENTED');
        }
        return Promise.resolve({ header: headerOf(context, member.revision), alarms: [] });
      },
    ),

    MoveLeader: unary(
      context,
      'MoveLeader',
      async (request: wire.MoveLeaderRequest, options): Promise<wire.MoveLeaderResponse> => {
        if (member.leader !== member.memberId) {
          throw new KvError('NOT_LEADER');
        }
        await member.moveLeader(toNumber(request.targetID, 'targetID'), options);
        return { header: headerOf(context, member.revision) };
      },
    ),
  };
}
