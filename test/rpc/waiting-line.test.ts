import { describe, expect, test } from 'vitest';
import { WaitingLine } from '../../src/rpc/waiting-line.ts';

const options = { underWayMax: 2, waitingMax: 3, reason: 'work', retryMs: 7 };

/** Work whose end is in the test's hands. */
class Works {
  readonly line = new WaitingLine(options);
  readonly begun: string[] = [];
  underWayMost = 0;
  #underWay = 0;
  readonly #ends = new Map<string, (error?: Error) => void>();

  async start(name: string, signal?: AbortSignal): Promise<string> {
    return this.line.take(async () => {
      this.begun.push(name);
      this.#underWay++;
      this.underWayMost = Math.max(this.underWayMost, this.#underWay);
      return new Promise((resolve, reject) => {
        this.#ends.set(name, (error) => {
          this.#underWay--;
          if (error === undefined) {
            resolve(name);
          } else {
            reject(error);
          }
        });
      });
    }, signal);
  }

  end(name: string, error?: Error): void {
    this.#ends.get(name)?.(error);
  }
}

describe('a waiting line', () => {
  test('lets so much be done at a time, the rest in its order', async () => {
    const works = new Works();
    const all = ['a', 'b', 'c', 'd'].map(async (name) => works.start(name));
    expect(works.begun).toEqual(['a', 'b']);

    works.end('b');
    await all[1];
    expect(works.begun).toEqual(['a', 'b', 'c']);
    works.end('a');
    works.end('c');
    await Promise.all([all[0], all[2]]);
    works.end('d');

    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('gives a place that is free to who waits, not to who comes at that moment', async () => {
    // However many steps after the end of the work before it that moment is.
    for (let steps = 0; steps < 12; steps++) {
      const works = new Works();
      const all = ['a', 'b', 'c'].map(async (name) => works.start(name));
      works.end('a');
      for (let step = 0; step < steps; step++) {
        await Promise.resolve();
      }
      all.push(works.start('late'));
      for (const name of ['b', 'c', 'late']) {
        await new Promise((resolve) => setImmediate(resolve));
        works.end(name);
      }
      await Promise.all(all);

      expect(works.underWayMost).toBe(2);
      expect(works.begun).toEqual(['a', 'b', 'c', 'late']);
    }
  });

  test('turns away what would wait for too long, and says so', async () => {
    const works = new Works();
    const all = ['a', 'b', 'c', 'd', 'e'].map(async (name) => works.start(name));

    await expect(works.start('f')).rejects.toMatchObject({
      ...{ code: 'TOO_MANY_REQUESTS', details: { reason: 'work', retryMs: 7 } },
    });

    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      works.end(name);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(all);
  });

  test('is left by who has gone, whose place another one may take', async () => {
    const works = new Works();
    const gone = new AbortController();
    const all = ['a', 'b', 'c', 'd'].map(async (name) => works.start(name));
    const leaving = works.start('e', gone.signal);

    gone.abort(new Error('gone'));

    await expect(leaving).rejects.toThrow('gone');
    await expect(works.start('f', gone.signal)).rejects.toThrow('gone');
    all.push(works.start('g'));
    for (const name of ['a', 'b', 'c', 'd', 'g']) {
      works.end(name);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd', 'g']);
    expect(works.begun).not.toContain('e');
  });

  test('goes on when work fails', async () => {
    const works = new Works();
    const all = ['a', 'b', 'c'].map(async (name) => works.start(name));

    works.end('a', new Error('broken'));

    await expect(all[0]).rejects.toThrow('broken');
    works.end('b');
    works.end('c');
    expect(await Promise.all(all.slice(1))).toEqual(['b', 'c']);
  });
});
