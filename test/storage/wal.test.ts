import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrng } from '../../src/base/index.ts';
import { createWal, nodeFileSystem, openWal, type WalOptions } from '../../src/storage/index.ts';
import { describeLogStore, type LogStoreHarness } from '../conformance/log-store.suite.ts';

async function createHarness(segmentBytes: number): Promise<LogStoreHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-wal-'));
  const prng = createPrng(3);
  const options: WalOptions = {
    folder,
    fileSystem: nodeFileSystem,
    segmentBytes,
    randomUint32: () => prng.nextUint32(),
  };
  await createWal(options);
  return {
    open: async () => openWal(options),
    dispose: async () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

describeLogStore('Wal with one segment', async () => createHarness(1024 * 1024));
describeLogStore('Wal with a segment every few frames', async () => createHarness(1024));
