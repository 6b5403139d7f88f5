/** Facade of the client library: `import { Holdfast } from 'holdfast/client'`. */
import './dispose.ts';

export type { Caller, CallOptions, CallSpec, OpenStream, StreamSpec } from './caller.ts';
export { type Codec, codecs } from './codec.ts';
export type { Election, Leader, Leadership } from './election.ts';
export { CompactedError, HoldfastError, type HoldfastErrorCode } from './errors.ts';
export type { TlsOptions } from './grpc-transport.ts';
export { Holdfast, type Surroundings } from './holdfast.ts';
export type { Key, KeyRange } from './keys.ts';
export type { Kv } from './kv.ts';
export type * from './kv-types.ts';
export type { Lease, LeaseOptions } from './lease.ts';
export type { Ownership, OwnershipOptions, Semaphore } from './ownership.ts';
export type { HoldfastOptions } from './options.ts';
export type * from './patterns.ts';
export type { TransactEntry, Transaction } from './transact.ts';
export type {
  Condition,
  Conditions,
  Txn,
  TxnOperation,
  TxnOperationResult,
  TxnOperations,
  TxnResult,
} from './txn.ts';
export type { Watch } from './watch.ts';
