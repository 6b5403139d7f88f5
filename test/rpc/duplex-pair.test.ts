import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';
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

  test('has no writer wait for its reader: both ends may write much, and read then', async () => {
    const [near, far] = duplexPair(nodeEventLoop);
    const much = Buffer.alloc(1024 * 1024, 'x');
    const write = async (end: Duplex): Promise<void> =>
      new Promise((resolve) => {
        end.write(much, () => {
          resolve();
        });
      });

    await Promise.all([write(near), write(far)]);
    const [toFar, toNear] = [allOf(far), allOf(near)];
    near.end();
    far.end();

    expect([(await toFar).length, (await toNear).length]).toEqual([much.length, much.length]);
  });

  test('ends at both ends when one is destroyed', async () => {
    const [near, far] = duplexPair(nodeEventLoop);
    const closed = once(far, 'close');

    near.destroy();

    await closed;
    expect(far.destroyed).toBe(true);
  });
});
