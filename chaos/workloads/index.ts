/** All workloads, by name. */
import { bank, counters, lists, mixed, registers, sets, watched } from './keyed.ts';
import { elections, leases, locks } from './owned.ts';
import type { Workload } from './workload.ts';

/** Creates each workload anew: they count what they have written. */
export const workloads: Readonly<Record<string, () => Workload>> = {
  register: registers,
  set: sets,
  append: lists,
  bank,
  counter: counters,
  watch: watched,
  lease: leases,
  lock: locks,
  election: elections,
  mixed,
};
