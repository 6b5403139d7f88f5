// A process that wants a lock again and again, and tells its parent what it knows of it: when it
// was surely held, and when it was told that it is lost. It holds until its parent names its token.
// Times are of the machine's monotonic clock, which all processes share.
import { setTimeout as sleep } from 'node:timers/promises';
import { Holdfast } from 'holdfast/client';

const { endpoints, name, ttlSeconds } = JSON.parse(process.argv[2] ?? '');
const client = new Holdfast({ endpoints });
const stampMs = 5;

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const tell = (event) => process.send?.(event);

let released = 0;
process.on('message', (token) => {
  released = token;
});
process.on('disconnect', () => process.exit());

// How long this process has stood still at most, since it last held: nobody can be told anything
// meanwhile.
let tickMs = nowMs();
let longestMs = 0;
const tick = () => {
  const atMs = nowMs();
  longestMs = Math.max(longestMs, atMs - tickMs);
  tickMs = atMs;
};
setInterval(tick, 1);

for (;;) {
  const lock = await client.lock(name, { ttlSeconds }).catch((error) => {
    tell({ type: 'failed', atMs: nowMs(), code: error.code });
  });
  if (lock === undefined) {
    continue;
  }
  const { token } = lock;
  let endMs = 0;
  lock.signal.addEventListener('abort', () => {
    tick();
    const { code } = lock.signal.reason;
    tell({ type: 'lost', token, atMs: tickMs, endMs, stoodMs: longestMs, code });
  });
  tell({ type: 'acquired', token, atMs: nowMs() });
  while (released !== token && lock.isHeld) {
    const atMs = nowMs();
    const { remainingMs } = lock;
    if (remainingMs > 0) {
      // The lease lasts a hundredth, and 100 ms, longer than its owner relies on.
      endMs = Math.max(endMs, nowMs() + remainingMs + ttlSeconds * 10 + 100);
      tell({ type: 'held', token, atMs });
      tick();
      longestMs = 0;
    }
    await sleep(stampMs);
  }
  await lock.release({ timeoutMs: 500 }).catch(() => undefined);
  tell({ type: 'over', token, atMs: nowMs() });
}
