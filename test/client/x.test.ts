import { test } from 'vitest';
import { startTestCluster } from '../../src/cli/testing/index.ts';
import { Holdfast } from '../../src/client/index.ts';
test('x', async () => {
  const cluster = await startTestCluster({ nodes: 3 });
  const hf = new Holdfast({ endpoints: cluster.endpoints });
  const client = hf.kv;
  const n = 10000;
  let t = performance.now();
  await Promise.all(
    Array.from({ length: n }, async (_, i) =>
      client.put(`k/${String(i).padStart(6, '0')}`, 'x'.repeat(256)),
    ),
  );
  console.log('put', performance.now() - t);
  for (let r = 0; r < 4; r++) {
    t = performance.now();
    const c0 = process.cpuUsage();
    const cache = await client.cache({ prefix: 'k/' });
    const c = process.cpuUsage(c0);
    console.log('load', performance.now() - t, (c.user + c.system) / 1000);
    t = performance.now();
    cache.getRange();
    console.log('getRange1', performance.now() - t);
    t = performance.now();
    cache.getRange();
    console.log('getRange2', performance.now() - t);
    await cache.atLeast((await client.put('k/000001', 'y')).revision);
    t = performance.now();
    cache.getRange({ prefix: 'k/00' });
    console.log('getRange after put', performance.now() - t);
    cache.close();
  }
  for (let r = 0; r < 2; r++) {
    let at: Uint8Array = Buffer.from('k/');
    for (let i = 0; i < 10; i++) {
      t = performance.now();
      const p = await client.getRange(
        { from: at, to: 'k0' },
        { limit: 1000, ...(r === 1 ? { consistency: 'serializable' } : {}) },
      );
      at = p.entries.at(-1)!.keyBytes;
      console.log('page', performance.now() - t, p.count);
    }
  }
  await hf.close();
  await cluster.stop();
}, 60000);
