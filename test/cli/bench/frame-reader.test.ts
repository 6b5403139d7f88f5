import { describe, expect, test } from 'vitest';
import { FrameReader } from '../../../src/cli/bench/frame-reader.ts';

const settings = '000000040000000000';
const ping = '0000080600000000000102030405060708';

/** What is told of the bytes, as text, and what is wrong with them. */
function read(
  hex: string,
  pieceBytes = Number.POSITIVE_INFINITY,
): { readonly frames: readonly string[]; readonly problem: string | undefined } {
  const frames: string[] = [];
  const reader = new FrameReader((type, flags, streamId, payload) => {
    frames.push(`${type} ${flags} ${streamId} ${payload.toString('hex')}`);
  });
  const bytes = Buffer.from(hex, 'hex');
  let problem: string | undefined;
  for (let at = 0; at < bytes.length && problem === undefined; at += pieceBytes) {
    problem = reader.receive(bytes.subarray(at, at + Math.min(pieceBytes, bytes.length)));
  }
  return { frames, problem };
}

describe('FrameReader', () => {
  test.each([1, 5, 9, 100])('frames are whole, in pieces of %i bytes', (pieceBytes) => {
    const data = '0000030001' + '80000005' + 'abcdef';

    expect(read(settings + ping + data, pieceBytes)).toEqual({
      frames: ['4 0 0 ', '6 0 0 0102030405060708', '0 1 5 abcdef'],
      problem: undefined,
    });
  });

  test('the first frame must be settings', () => {
    expect(read(ping)).toEqual({ frames: [], problem: 'it does not speak HTTP/2' });
  });

  test('a frame that is longer than we allow ends it', () => {
    const problem = read(`${settings}004001000000000000`).problem;

    expect(problem).toBe('it does not speak HTTP/2');
  });

  test('a frame without what it must hold is a problem, and a defect of ours is not', () => {
    const short = new FrameReader((_type, _flags, _streamId, payload) => payload.readUInt32BE(0));
    const broken = new FrameReader(() => {
      throw new TypeError('ours');
    });

    expect(short.receive(Buffer.from(settings, 'hex'))).toContain('frames cannot be read');
    expect(() => broken.receive(Buffer.from(settings, 'hex'))).toThrow('ours');
  });

  test('nothing is told once it is stopped, not even of what has arrived', () => {
    let told = 0;
    const reader: FrameReader = new FrameReader(() => {
      told++;
      reader.stop();
    });

    reader.receive(Buffer.from(settings + ping, 'hex'));

    expect(told).toBe(1);
  });
});
