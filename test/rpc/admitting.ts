/** Limits that no test reaches by chance, and what else admission is made of. */
import type { AdmissionOptions } from '../../src/rpc/admission.ts';
import type { RequestLimits } from '../../src/rpc/limits.ts';

const plenty = { client: 1_000_000, member: 2_000_000 };

/** Limits that are far away. */
export const farLimits: RequestLimits = {
  clientRequestsPerSecond: 0,
  inflightRequests: plenty,
  inflightBytes: { client: 1e9, member: 2e9 },
  bulkBytes: 1e9,
  streams: plenty,
  watches: plenty,
  leases: 1_000_000,
};

/** Options of admission that refuses nothing. */
export const farAdmission: Pick<AdmissionOptions, 'limits' | 'memory' | 'onShedding' | 'gateway'> =
  {
    limits: farLimits,
    memory: {
      bounds: { residentBytes: 1000, heapBytes: 1000 },
      sample: () => ({ residentBytes: 0, heapBytes: 0 }),
    },
    onShedding: () => undefined,
    gateway: { takeFrom: () => undefined },
  };
