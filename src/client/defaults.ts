/** The real surroundings of the client: Node's timers, its clock, its chance. */
import { createPrng, type EventLoop, type TimerHandle } from '../base/index.ts';
import type { Environment } from './ports.ts';

const nodeLoop: EventLoop = {
  nowMs: () => performance.now(),
  after: (delayMs, callback) => handleOf(setTimeout(callback, delayMs)),
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

/** The machine's time and chance. */
export function nodeEnvironment(): Environment {
  const seeds = crypto.getRandomValues(new Uint32Array(2));
  return {
    loop: nodeLoop,
    prng: createPrng((seeds[0] as number) + (seeds[1] as number) * 2 ** 20),
    uniqueName: () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex'),
  };
}
