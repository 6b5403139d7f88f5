/** Facade of durability: the ports, the log, the engines and the data directory. */
export {
  type DataDirectory,
  type DataDirectoryOptions,
  inspectDataDirectory,
  moveToCluster,
  type MemberIdentity,
  openDataDirectory,
} from './data-dir.ts';
export { lockFolder } from './data-lock.ts';
/** @internal For tests. */
export { createMemoryEngine } from './engine-memory.ts';
/** @internal For tests. */
export { openRocksdbEngine } from './engine-rocksdb.ts';
export type { FileSystem, StorageFile } from './file-system.ts';
export { recordLease } from './lease-record.ts';
export { nodeFileSystem } from './node-file-system.ts';
export { openPeerRegistry, type PeerRegistry } from './peer-registry.ts';
export type {
  Engine,
  EngineOperation,
  EngineReader,
  EngineRecord,
  EngineScan,
  EngineSnapshot,
  LogAppend,
  LogPosition,
  LogStore,
  StagedState,
  StateStore,
} from './ports.ts';
export { snapshotFormat } from './snapshot-decoder.ts';
export type { SnapshotHeader } from './snapshot-format.ts';
export { openStateStore } from './state-store.ts';
/** @internal For tests. */
export { createWal } from './wal.ts';
export { openWal, type WalOptions } from './wal.ts';
