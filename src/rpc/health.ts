/** The standard health service of gRPC: serving while this member knows a leader. */
import {
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import type { Timers } from '../base/index.ts';
import type { HealthCheckRequest, HealthCheckResponse, HealthHandlers } from '../wire/index.ts';
import type { ServiceContext } from './service.ts';

const watchPeriodMs = 500;
const knownServices: readonly string[] = [
  '',
  'etcdserverpb.KV',
  'etcdserverpb.Cluster',
  'etcdserverpb.Maintenance',
];

/** The handlers of the service; a watch looks at the state every half second. */
export function createHealthService(context: ServiceContext, timers: Timers): HealthHandlers {
  const servingStatus = (): 'SERVING' | 'NOT_SERVING' =>
    context.member.leader === 0 ? 'NOT_SERVING' : 'SERVING';

  return {
    Check: (
      call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
      callback: sendUnaryData<HealthCheckResponse>,
    ): void => {
      if (knownServices.includes(call.request.service)) {
        callback(null, { status: servingStatus() });
      } else {
        callback({ code: status.NOT_FOUND, details: 'unknown service' });
      }
    },

    Watch: (call: ServerWritableStream<HealthCheckRequest, HealthCheckResponse>): void => {
      if (!knownServices.includes(call.request.service)) {
        call.write({ status: 'SERVICE_UNKNOWN' });
        return;
      }
      let last = servingStatus();
      call.write({ status: last });
      const timer = timers.every(watchPeriodMs, () => {
        const now = servingStatus();
        if (now !== last) {
          last = now;
          call.write({ status: now });
        }
      });
      const stop = (): void => {
        timer.cancel();
        call.end();
      };
      call.on('cancelled', stop);
      call.on('error', stop);
    },
  };
}
