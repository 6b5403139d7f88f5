import { test } from 'vitest';
import { SnapshotDecoder, SnapshotEncoder } from '/work/main/src/storage/snapshot-format.ts';
test('speed', () => {
  for (const vb of [1000, 100]) {
  const records = Array.from({ length: Math.floor(2e6/vb) }, (_, i) => ({ key: Buffer.alloc(13), value: new Uint8Array(vb).fill(i) }));
  const h = { clusterId: 1, index: 1, term: 1, revision: 1, membership: new Uint8Array(3), createdBy: 'x', createdMs: 1, estimatedBytes: 1 };
  for (let round = 0; round < 2; round++) {
    const e = new SnapshotEncoder(h); const out: Uint8Array[] = []; let t = performance.now(); let n = 0, c = 0, ms=0;
    for (let k = 0; k < 100; k++) { for (const r of records) { const key=Buffer.alloc(13); key.writeUInt32BE(c++, 0); (r as any).key=key; } t=performance.now(); out.push(...e.push(records)); ms+=performance.now()-t; }
    out.push(...e.finish()); for (const b of out) n += b.length;
    console.log(vb, 'encode MB/s', (n / 1e3 / ms).toFixed(0));
    const d = new SnapshotDecoder(); t = performance.now(); for (const b of out) d.push(b); d.finish();
    console.log(vb, 'decode MB/s', (n / 1e3 / (performance.now() - t)).toFixed(0));
  } }
}, 60000);
