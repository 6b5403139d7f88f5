import { describe, expect, test } from 'vitest';
import { GatewayRoom } from '../../src/rpc/gateway-room.ts';

const mebibyte = 1024 * 1024;

describe('room for JSON', () => {
  test('is for one connection half of all, and for each next one half of what is left', () => {
    const room = new GatewayRoom();
    const shares = [room.share(), room.share(), room.share()];

    const taken = shares.map((share) => {
      let count = 0;
      while (share.maybeHold(mebibyte)) {
        count++;
      }
      return count;
    });

    expect(taken).toEqual([64, 32, 16]);
    expect(room.bytes).toBe(112 * mebibyte);
  });

  test('is not had by more than that in one piece either', () => {
    const share = new GatewayRoom().share();

    expect(share.maybeHold(64 * mebibyte + 1)).toBe(false);
    expect(share.maybeHold(64 * mebibyte)).toBe(true);
    expect(share.maybeHold(1)).toBe(false);
  });

  test('is there again once it has been given back', () => {
    const room = new GatewayRoom();
    const [one, other] = [room.share(), room.share()];
    one.maybeHold(64 * mebibyte);
    expect(other.maybeHold(33 * mebibyte)).toBe(false);

    one.release(60 * mebibyte);
    expect(one.maybeHold(-3 * mebibyte)).toBe(true);

    expect(room.bytes).toBe(mebibyte);
    expect(other.maybeHold(60 * mebibyte)).toBe(true);
  });
});
