/** The real surroundings of the client: Node's timers, its clock, its chance. */
import { createPrng, type EventLoop, type TimerHandle } from '../base/index.ts';
import type { Environment } from './ports.ts';

/** Milliseconds: Node takes a longer delay for none at all. */
const delayMaxMs = 2 ** 31 - 1;

const nodeLoop: EventLoop = {
  nowMs: () => performance.now(),
  after: (delayMs, callback) =>
    delayMs > delayMaxMs ? longTimer(delayMs, callback) : handleOf(setTimeout(callback, delayMs)),
  every: (periodMs, callback) => handleOf(setInterval(callback, periodMs)),
  afterCallback: (callback) => {
    process.nextTick(callback);
  },
  endOfTurn: (callback) => {
    setImmediate(callback);
  },
};

function handleOf(timer: NodeJS.Timeout): TimerHandle {
  return {
    cancel: () => {
      clearTimeout(timer);
    },
  };
}

/** As one wait after the other, as for a lease of months. */
function longTimer(delayMs: number, callback: () => void): TimerHandle {
  const rest = (): void => {
    timer = nodeLoop.after(delayMs - delayMaxMs, callback);
  };
  let timer = nodeLoop.after(delayMaxMs, rest);
  return {
    cancel: () => {
      timer.cancel();
    },
  };
}

/** The machine's time and chance. */
export function nodeEnvironment(): Environment {
  const seeds = crypto.getRandomValues(new Uint32Array(2));
  return {
    loop: nodeLoop,
    prng: createPrng((seeds[0] as number) + (seeds[1] as number) * 2 ** 20),
    uniqueName: () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex'),
  };
}
