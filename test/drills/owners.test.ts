/**
 * A drill with real processes that own locks: owners are stopped (SIGSTOP) and cut off for longer
 * than their leases last, and leaders killed. Nobody believes to own when somebody later does, and
 * owners are told of the loss no later than at the end of their leases, by their own clock.
 *
 * `DRILL_OWNER_ROUNDS` sets how often.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Drill } from './drill.ts';
import { Relay } from './relay.ts';

const rounds = Number(process.env['DRILL_OWNER_ROUNDS'] ?? 1);
const holdersPerLock = 3;
const ttlSeconds = 2;
/** Milliseconds that a fault lasts after another one has come to own. */
const awayMs = 300;
/** Limit: milliseconds to wait for what has to happen. */
const limitMs = 30_000;
/** Milliseconds that a lock is held when nothing happens. */
const holdMs = 20;

/** A holder that cannot be told has been killed, at the end. */
const nobodyToTell = (): void => undefined;

/** What a holder tells. */
type HolderEvent = { readonly atMs: number } & (
  | { readonly type: 'acquired'; readonly token: number }
  | { readonly type: 'held'; readonly token: number }
  | { readonly type: 'over'; readonly token: number }
  | { readonly type: 'failed'; readonly code: string }
  | {
      readonly type: 'lost';
      readonly token: number;
      /** When its lease ends, by the holder's clock. */
      readonly endMs: number;
      /** For how long the process had stood still then. */
      readonly stoodMs: number;
      readonly code: string;
    }
);

interface Holder {
  readonly child: ChildProcess;
  readonly relays: readonly Relay[];
}

/** Who competes for one lock. */
class Competition {
  readonly events: HolderEvent[] = [];
  readonly holders: Holder[] = [];
  /** Called once with the next holder that acquires, instead of letting it release. */
  #next: ((holder: Holder, token: number) => void) | undefined;

  async start(endpoints: readonly string[], name: string): Promise<void> {
    for (let i = 0; i < holdersPerLock; i++) {
      const relays = await Promise.all(endpoints.map(async (each) => Relay.to(each)));
      const options = { endpoints: relays.map(({ endpoint }) => endpoint), name, ttlSeconds };
      const program = fileURLToPath(new URL('lock-holder.mjs', import.meta.url));
      const child = fork(program, [JSON.stringify(options)], { execArgv: [] });
      const holder = { child, relays };
      this.holders.push(holder);
      child.on('message', (event: HolderEvent) => this.#take(holder, event));
    }
  }

  /** The next one that acquires, which holds from then on until it loses. */
  async nextOwner(): Promise<{ readonly holder: Holder; readonly token: number }> {
    return new Promise((resolve) => {
      this.#next = (holder, token) => resolve({ holder, token });
    });
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.holders.map(async ({ child, relays }) => {
        child.kill('SIGKILL');
        await once(child, 'exit');
        relays.forEach((relay) => relay.close());
      }),
    );
  }

  /** Acquisitions so far. */
  get acquired(): number {
    return this.events.filter(({ type }) => type === 'acquired').length;
  }

  #take(holder: Holder, event: HolderEvent): void {
    this.events.push(event);
    if (event.type === 'acquired') {
      const next = this.#next;
      this.#next = undefined;
      if (next === undefined) {
        setTimeout(() => {
          if (holder.child.connected) {
            holder.child.send(event.token, nobodyToTell);
          }
        }, holdMs);
      } else {
        next(holder, event.token);
      }
    }
  }
}

/** Does something to the next owner until its lease is over, and something else afterwards. */
async function disturb(
  competition: Competition,
  begin: (holder: Holder) => void,
  end: (holder: Holder) => void,
): Promise<number> {
  const { holder, token } = await competition.nextOwner();
  begin(holder);
  const before = competition.acquired;
  // Another one owns while the owner is away.
  await expect.poll(() => competition.acquired, { timeout: limitMs }).toBeGreaterThan(before);
  await sleep(awayMs);
  end(holder);
  await expect
    .poll(() => competition.events.some((each) => each.type === 'lost' && each.token === token), {
      timeout: limitMs,
    })
    .toBe(true);
  return token;
}

/**
 * Checks all that was told; returns how many milliseconds before the ends of their leases owners
 * were told, at the least.
 */
function verify({ events }: Competition): number {
  const held = events.filter((event) => event.type === 'held').sort((a, b) => a.atMs - b.atMs);
  const tokens = held.map(({ token }) => token);
  expect(tokens, 'who surely owns is never older than who did before').toEqual(
    [...tokens].sort((a, b) => a - b),
  );
  const acquired = events.flatMap((event) => (event.type === 'acquired' ? [event.token] : []));
  expect(new Set(acquired).size, 'no token comes twice').toBe(acquired.length);
  // One that is over as soon as it is there was never relied on.
  const losses = events.filter((event) => event.type === 'lost').filter(({ endMs }) => endMs > 0);
  for (const { atMs, endMs, stoodMs } of losses) {
    expect(atMs, 'told before the end, or as soon as it went on').toBeLessThan(endMs + stoodMs);
  }
  return Math.min(
    ...losses.filter(({ stoodMs }) => stoodMs < 500).map(({ atMs, endMs }) => endMs - atMs),
  );
}

test(`owners that are stopped or cut off lose in time, and to one other, ${rounds} rounds`, {
  timeout: 60_000 + rounds * 30_000,
}, async () => {
  const drill = await Drill.start(3);
  const { endpoints } = drill.cluster;
  const stopped = new Competition();
  const cut = new Competition();
  onTestFinished(async () => {
    await Promise.all([stopped.stop(), cut.stop()]);
  });
  await Promise.all([stopped.start(endpoints, 'stopped'), cut.start(endpoints, 'cut')]);

  for (let i = 0; i < rounds; i++) {
    await Promise.all([
      disturb(
        stopped,
        ({ child }) => child.kill('SIGSTOP'),
        ({ child }) => child.kill('SIGCONT'),
      ),
      disturb(
        cut,
        ({ relays }) => relays.forEach((relay) => relay.cut()),
        ({ relays }) => relays.forEach((relay) => relay.mend()),
      ),
    ]);
    const leader = await drill.leader();
    await drill.cluster.signal(leader.index, 'SIGKILL');
    const [before, beforeToo] = [stopped.acquired, cut.acquired];
    await expect.poll(() => stopped.acquired, { timeout: limitMs }).toBeGreaterThan(before + 3);
    await expect.poll(() => cut.acquired, { timeout: limitMs }).toBeGreaterThan(beforeToo + 3);
    await drill.cluster.start(leader.index);
  }

  const marginMs = Math.min(verify(stopped), verify(cut));
  console.log(
    `${rounds} rounds: ${stopped.acquired + cut.acquired} acquisitions, ` +
      `told of a loss ${marginMs.toFixed(0)} ms before the lease's end at the least`,
  );
});
