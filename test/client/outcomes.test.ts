/**
 * What a write is said to have come to is what became of it, whatever happens to streams, answers,
 * leaders, sessions and permissions meanwhile: a client, chance, and members that carry each number
 * of a session out once.
 */
import { describe, expect, test } from 'vitest';
import { createPrng, type Prng } from '../../src/base/index.ts';
import { HoldfastError } from '../../src/client/index.ts';
import type { PipelineAnswer, ReceivedBatch, ReceivedOperation } from '../../src/wire/index.ts';
import type { ReceivedStream } from './fake-members.ts';
import { failed, putDone, setUp } from './fake-pipelines.ts';

const seeds = Number(process.env['CLIENT_OUTCOME_SEEDS'] ?? 40);
const writes = 120;

/** The answers that members keep of a session. */
interface Kept {
  floor: number;
  readonly answers: Map<number, PipelineAnswer>;
}

/** What all members have in common, since it is replicated. */
class Replicated {
  readonly applied = new Map<string, number>();
  readonly #sessions = new Map<string, Kept>();
  readonly #keyed = new Map<string, PipelineAnswer>();
  readonly #expired = new Set<string>();
  isDenied = false;

  /** Carries an operation out, as `kv` does: permission first, then what was answered before. */
  execute(operation: ReceivedOperation, batch: ReceivedBatch): PipelineAnswer {
    const { sequence, idempotencyKey, request } = operation;
    if (request?.type !== 'put') {
      return { type: 'leaseKeepAlive', ttlSeconds: 60 } as const;
    }
    if (this.isDenied) {
      return failed('PERMISSION_DENIED');
    }
    if (sequence === 0) {
      const name = Buffer.from(idempotencyKey).toString();
      const answer = this.#keyed.get(name) ?? this.#apply(request.request.key);
      this.#keyed.set(name, answer);
      return answer;
    }
    if (this.#expired.has(batch.session)) {
      return failed('SESSION_EXPIRED', true);
    }
    const kept: Kept = this.#sessions.get(batch.session) ?? { floor: 1, answers: new Map() };
    this.#sessions.set(batch.session, kept);
    kept.floor = Math.max(kept.floor, batch.lowestUnanswered);
    if (sequence < kept.floor) {
      return failed('ANSWER_FORGOTTEN', true);
    }
    const answer = kept.answers.get(sequence) ?? this.#apply(request.request.key);
    kept.answers.set(sequence, answer);
    return answer;
  }

  expireSessions(): void {
    for (const id of this.#sessions.keys()) {
      this.#expired.add(id);
    }
  }

  #apply(keyBytes: Uint8Array): PipelineAnswer {
    const key = Buffer.from(keyBytes).toString();
    this.applied.set(key, (this.applied.get(key) ?? 0) + 1);
    return putDone;
  }
}

/** Members that lose, delay and refuse; nothing is lost or refused any more after `isCalm`. */
function misbehave(prng: Prng, replicated: Replicated, { state, loop }: ReturnType<typeof setUp>) {
  const chance = { isCalm: false };
  const oneIn = (count: number): boolean => !chance.isCalm && prng.nextInt(0, count) === 0;
  state.behave = (operation, stream, batch) => {
    const answer = (what: PipelineAnswer): void =>
      stream.answer({
        welcome: undefined,
        leader: undefined,
        answers: [{ id: operation.id, answer: what }],
      });
    if (oneIn(12)) {
      return failed('NO_LEADER');
    }
    if (oneIn(60)) {
      return failed('TOO_MANY_REQUESTS');
    }
    if (oneIn(100)) {
      return failed('NO_SPACE');
    }
    const reachesLog = !oneIn(12);
    if (reachesLog) {
      loop.after(prng.nextInt(0, oneIn(20) ? 6000 : 60), () => {
        const result = replicated.execute(operation, batch);
        if (!oneIn(12)) {
          loop.after(prng.nextInt(0, 40), () => answer(result));
        }
      });
    }
    if (oneIn(20)) {
      return failed('TIMEOUT', true);
    }
    if (oneIn(25)) {
      breakSoon(stream);
    }
    return undefined;
  };
  const breakSoon = (stream: ReceivedStream): void =>
    void loop.after(prng.nextInt(0, 50), () => stream.end({ status: 'UNAVAILABLE' }));
  return chance;
}

async function outcomesOf(seed: number): Promise<string[]> {
  const prng = createPrng(seed);
  const world = setUp();
  const { kv, loop, client } = world;
  const replicated = new Replicated();
  const chance = misbehave(prng, replicated, world);
  const ends = new Map<string, Promise<string>>();
  for (let i = 0; i < writes; i++) {
    const key = `k${i}`;
    const controller = new AbortController();
    const done = kv.put(key, 'x', {
      timeoutMs: prng.nextInt(50, 8000),
      signal: controller.signal,
      idempotencyKey: prng.nextInt(0, 5) === 0 ? key : undefined,
    });
    ends.set(
      key,
      done.then(
        () => 'done',
        (error: unknown) => outcomeOf(error),
      ),
    );
    if (prng.nextInt(0, 8) === 0) {
      loop.after(prng.nextInt(0, 400), () => controller.abort());
    }
    if (prng.nextInt(0, 15) === 0) {
      replicated.isDenied = true;
      loop.after(prng.nextInt(0, 60), () => {
        replicated.isDenied = false;
      });
    }
    if (prng.nextInt(0, 40) === 0) {
      replicated.expireSessions();
    }
    await loop.run(prng.nextInt(0, 40));
  }
  await loop.run(3000);
  chance.isCalm = true;
  await loop.settle(Promise.all(ends.values()));
  await loop.run(10_000);
  const lies: string[] = [];
  for (const [key, end] of ends) {
    const outcome = await end;
    const applied = replicated.applied.get(key) ?? 0;
    const isTrue =
      outcome === 'done' ? applied === 1 : outcome === 'rejected' ? applied === 0 : applied <= 1;
    if (!isTrue) {
      lies.push(`${key}: ${outcome}, carried out ${applied} times`);
    }
  }
  await loop.settle(client.close());
  return lies;
}

function outcomeOf(error: unknown): string {
  expect(error).toBeInstanceOf(HoldfastError);
  return (error as HoldfastError).outcome;
}

describe('a write', () => {
  test.each(Array.from({ length: seeds }, (_, i) => i + 1))(
    'comes to what it is said to come to: seed %i',
    async (seed) => {
      expect(await outcomesOf(seed)).toEqual([]);
    },
  );
});
