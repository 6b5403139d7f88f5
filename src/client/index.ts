/** Facade of the client library: `import { Holdfast } from 'holdfast/client'`. */
export type { Caller, CallOptions, CallSpec, OpenStream, StreamSpec } from './caller.ts';
export { type Codec, codecs } from './codec.ts';
export { HoldfastError, type HoldfastErrorCode } from './errors.ts';
export type { TlsOptions } from './grpc-transport.ts';
export { Holdfast, type Surroundings } from './holdfast.ts';
export type { Key, KeyRange } from './keys.ts';
export type {
  DeleteResult,
  Entry,
  Kv,
  PutOptions,
  PutResult,
  RangeOptions,
  RangeResult,
  ReadOptions,
  ScanOptions,
  WriteOptions,
} from './kv.ts';
export type { HoldfastOptions } from './options.ts';
