/**
 * A drill with a client that makes very many pipelined calls: what it keeps of them stays what it
 * was. `CLIENT_OPERATIONS` sets how many.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Drill } from './drill.ts';

const operations = Number(process.env['CLIENT_OPERATIONS'] ?? 20_000);
/** What the collector leaves differs by so much from time to time; bytes. */
const noiseBytes = 8 * 1024 * 1024;

test(`a client's memory is flat over ${operations} pipelined operations`, {
  timeout: 60_000 + operations,
}, async () => {
  const drill = await Drill.start(1);
  const options = JSON.stringify({ endpoints: drill.cluster.endpoints, operations });
  const program = fileURLToPath(new URL('pipelined-load.mjs', import.meta.url));
  const seen: { readonly made: number; readonly failed: number; readonly bytes: number }[] = [];
  const startMs = performance.now();
  const child = fork(program, [options], { execArgv: ['--expose-gc'] });
  child.on('message', (message) => seen.push(message as (typeof seen)[number]));
  await once(child, 'exit');

  const mb = seen.map(({ bytes }) => (bytes / 2 ** 20).toFixed(1));
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`${operations} operations in ${seconds} s; MB after each tenth: ${mb.join(' ')}`);
  expect(seen).toHaveLength(10);
  expect(seen.at(-1)).toMatchObject({ failed: 0 });
  // The first tenth warms up.
  const [, second] = seen;
  expect(seen.at(-1)?.bytes).toBeLessThan((second?.bytes ?? 0) + noiseBytes);
});
