import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { nodeEventLoop } from '../../src/cli/event-loop.ts';
import { duplexPair } from '../../src/rpc/duplex-pair.ts';

/** All that comes; reading by iteration would destroy the stream at its end. */
async function allOf(stream: Readable): Promise<string> {
  let all = '';
  stream.on('data', (chunk: Buffer) => {
    all += chunk.toString();
  });
  await once(stream, 'end');
  return all;
}

describe('a connection within the process', () => {
  test('brings what each end writes to the other, in order, and its end', async () => {
    const [near, far] = duplexPair(nodeEventLoop);
    const [toFar, toNear] = [allOf(far), allOf(near)];
    for (const piece of ['a', 'b', 'c']) {
      near.write(piece);
    }
    far.end('back');
    near.end();

    expect(await toFar).toBe('abc');
    expect(await toNear).toBe('back');
  });

  test('does not answer within a write', async () => {
    const [near, far] = duplexPair(nodeEventLoop);
    const heard: string[] = [];
    far.on('data', () => heard.push('far'));

    near.write('x');
    heard.push('written');
    await once(far, 'data');

    expect(heard).toEqual(['written', 'far']);
  });

  test('has a writer wait for its reader', async () => {
    const [near, far] = duplexPair(nodeEventLoop);
    const chunk = Buffer.alloc(16 * 1024);
    let written = 0;
    for (let count = 0; count < 20; count++) {
      near.write(chunk, () => {
        written++;
      });
    }
    await new Promise((resolve) => {
      nodeEventLoop.after(20, () => {
        resolve(undefined);
      });
    });
    expect(written).toBeLessThan(5);

    far.resume();
    near.end();
    await once(far, 'end');

    expect(written).toBe(20);
  });

  test('ends at both ends when one is destroyed', async () => {
    const [near, far] = duplexPair(nodeEventLoop);
    const closed = once(far, 'close');

    near.destroy();

    await closed;
    expect(far.destroyed).toBe(true);
  });
});
