import { describe, expect, test } from 'vitest';
import type { Callee, CallResult } from '../../../src/cli/bench/connection.ts';
import { FanOut } from '../../../src/cli/bench/fan-out.ts';
import { framePut, unframeMessage } from '../../../src/cli/bench/requests.ts';
import { services } from '../../../src/wire/index.ts';

const { Put } = services['etcdserverpb.KV'];
const ok: CallResult = { code: 0, text: '', bodyBytes: 10 };

/** Keeps calls until they are answered. */
class HeldCallee implements Callee {
  readonly tags: number[] = [];
  readonly answers: ((result: CallResult) => void)[] = [];

  call(_path: string, frame: Buffer, done: (result: CallResult) => void): void {
    const put = Put.requestDeserialize(unframeMessage(frame) ?? Buffer.alloc(0));
    this.tags.push(put.value.readUInt32BE(0));
    this.answers.push(done);
  }
}

function begin(watchers: number) {
  const fanOut = new FanOut(watchers, 8);
  const callee = new HeldCallee();
  const ended: CallResult[] = [];
  const put = (): void => {
    const frame = framePut({ key: Buffer.from('key'), value: Buffer.alloc(8) });
    fanOut.over(callee).call(Put.path, frame, (result) => ended.push(result));
  };
  return { fanOut, callee, ended, put };
}

describe('FanOut', () => {
  test('a put ends when it is answered and every watcher has its event, in any order', () => {
    for (const isAnsweredFirst of [true, false]) {
      const { fanOut, callee, ended, put } = begin(2);
      put();
      const [tag = 0] = callee.tags;

      const steps = [
        () => callee.answers[0]?.(ok),
        () => fanOut.received([tag]),
        () => fanOut.received([tag]),
      ];
      for (const step of isAnsweredFirst ? steps : steps.reverse()) {
        expect(ended).toEqual([]);
        step();
      }

      expect(ended).toEqual([ok]);
    }
  });

  test('puts are told apart, and each event has its latency', () => {
    const { fanOut, callee, ended, put } = begin(1);
    put();
    put();
    callee.answers.forEach((answer) => answer(ok));
    const [, second = 0] = callee.tags;

    fanOut.received([second]);

    expect(new Set(callee.tags).size).toBe(2);
    expect(ended.length).toBe(1);
    expect(fanOut.takeLatency().count).toBe(1);
    expect(fanOut.takeLatency().count).toBe(0);
  });

  test('a put that fails ends at once, and its events are nobody’s', () => {
    const { fanOut, callee, ended, put } = begin(3);
    put();
    callee.answers[0]?.({ code: 14, text: 'no leader', bodyBytes: 0 });

    fanOut.received(callee.tags);

    expect(ended.map(({ code }) => code)).toEqual([14]);
    expect(fanOut.takeLatency().count).toBe(0);
  });
});
