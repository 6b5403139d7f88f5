/** The standard health service of gRPC: serving while this member knows a leader. */
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import type { Timers } from '../base/index.ts';
import type { HealthCheckRequest, HealthCheckResponse, HealthHandlers } from '../wire/index.ts';
import type { LongService, ServiceContext } from './service.ts';

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

const watchPeriodMs = 500;
const knownServices: readonly string[] = [
  '',
  'etcdserverpb.KV',
  'etcdserverpb.Watch',
  'etcdserverpb.Cluster',
  'etcdserverpb.Maintenance',
];

/** Creates the service; a watch looks at the state every half second. */
export function createHealthService(
  context: ServiceContext,
  timers: Timers,
): LongService<HealthHandlers> {
  const watches = new Set<Watch>();
  const servingStatus = (): 'SERVING' | 'NOT_SERVING' =>
    context.member.leader === 0 ? 'NOT_SERVING' : 'SERVING';

  const handlers: HealthHandlers = {
    Check: (call, callback) => {
      if (knownServices.includes(call.request.service)) {
        callback(null, { status: servingStatus() });
      } else {
        callback({ code: status.NOT_FOUND, details: 'unknown service' });
      }
    },

    Watch: (call) => {
      watches.add(call);
      const forget = (): void => {
        watches.delete(call);
      };
      call.on('cancelled', forget);
      call.on('finish', forget);
      if (knownServices.includes(call.request.service)) {
        watch(call, servingStatus, timers);
      } else {
        // No service comes later, but gRPC's protocol keeps the stream open.
        call.write({ status: 'SERVICE_UNKNOWN' });
      }
    },
  };
  return {
    handlers,
    end: () => {
      for (const call of watches) {
        call.end();
      }
    },
  };
}

/**
 * Tells the state now and at each change, until the call ends. Changes that a client does not take
 * do not queue up: once it takes something again it is told the newest.
 */
function watch(call: Watch, servingStatus: () => 'SERVING' | 'NOT_SERVING', timers: Timers): void {
  let last = servingStatus();
  let isBlocked = !call.write({ status: last });
  call.on('drain', () => {
    isBlocked = false;
  });
  const timer = timers.every(watchPeriodMs, () => {
    const now = servingStatus();
    if (now !== last && !isBlocked) {
      last = now;
      isBlocked = !call.write({ status: now });
    }
  });
  const stop = (): void => {
    timer.cancel();
    call.end();
  };
  call.on('cancelled', stop);
  call.on('error', stop);
  call.on('finish', stop);
}
