// A process with one client that makes many calls, some thousand at a time, and tells its parent
// what is left of memory after each tenth of them.
import { Holdfast } from 'holdfast/client';

const { endpoints, operations } = JSON.parse(process.argv[2] ?? '');
const callers = 1000;
const client = new Holdfast({ endpoints });
const value = 'x'.repeat(256);

let made = 0;
let failed = 0;
const call = async (untilMade) => {
  while (made < untilMade) {
    const key = `key/${made++ % 10_000}`;
    await (made % 2 === 0 ? client.kv.get(key) : client.kv.put(key, value)).catch(() => failed++);
  }
};
for (let tenth = 1; tenth <= 10; tenth++) {
  await Promise.all(Array.from({ length: callers }, () => call((operations * tenth) / 10)));
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ made, failed, bytes: heapUsed + external });
}
await client.close();
process.disconnect?.();
