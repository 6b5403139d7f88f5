import { beforeEach, describe, expect, test } from 'vitest';
import type { Peer } from '../../src/transport/index.ts';
import type { OutgoingLink } from '../../src/transport/peer-link.ts';
import { isSamePlace, placeIn, StrangerLinks } from '../../src/transport/stranger-links.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

let loop: VirtualLoop;
let dialled: string[];
let stopped: string[];
let links: StrangerLinks;

beforeEach(() => {
  loop = new VirtualLoop();
  dialled = [];
  stopped = [];
  links = new StrangerLinks((peer) => {
    dialled.push(peer.address);
    const link = { peer, stop: () => stopped.push(peer.address) };
    return link as unknown as OutgoingLink;
  }, loop);
});

function stranger(id: number, address = `n${id}:1`): Peer {
  return { id, name: String(id), address };
}

describe('StrangerLinks', () => {
  test('dials an address once', () => {
    const link = links.open(stranger(7));

    expect(links.open(stranger(7))).toBe(link);
    expect(links.use(7)).toBe(link);
    expect(links.use(8)).toBeUndefined();
    expect(dialled).toEqual(['n7:1']);
  });

  test('follows a stranger that has moved', () => {
    links.open(stranger(7));

    links.open(stranger(7, 'elsewhere:1'));

    expect(dialled).toEqual(['n7:1', 'elsewhere:1']);
    expect(stopped).toEqual(['n7:1']);
  });

  test('keeps sixteen at most: the one unused for longest makes room', async () => {
    for (let id = 1; id <= 16; id++) {
      links.open(stranger(id));
      await loop.run(1);
    }
    links.use(1);
    expect(stopped).toEqual([]);

    links.open(stranger(17));

    expect(stopped).toEqual(['n2:1']);
  });

  test('closes what was not used for a minute, and only that', async () => {
    links.open(stranger(1));
    links.open(stranger(2));
    links.open(stranger(3));
    await loop.run(50_000);
    links.use(2);
    links.open(stranger(3));

    await loop.run(10_000);
    expect(stopped).toEqual(['n1:1']);
    await loop.run(50_000);

    expect(stopped).toEqual(['n1:1', 'n2:1', 'n3:1']);
    expect(loop.pendingTimers).toBe(0);
  });

  test('leaves no timer once all are closed', () => {
    links.open(stranger(1));
    links.open(stranger(2));

    links.close(1);
    expect(loop.pendingTimers).toBe(1);
    links.close(9);
    links.closeAll();

    expect(stopped).toEqual(['n1:1', 'n2:1']);
    expect(loop.pendingTimers).toBe(0);
  });
});

describe('the place of a stranger', () => {
  test.each([
    [['http://10.0.0.1:2380'], { address: '10.0.0.1:2380' }],
    [['https://host:1/'], { address: 'host:1', tlsHost: 'host' }],
    [['http://[::1]:2380'], { address: '[::1]:2380' }],
    [['https://[::1]:2380'], { address: '[::1]:2380', tlsHost: '::1' }],
    [['unix://socket', 'http://b:2'], { address: 'b:2' }],
    [['http://no-port', 'http://a b:1', 'http://a:1/path'], undefined],
    [[], undefined],
  ])('in %j is %j', (urls, place) => {
    expect(placeIn(urls)).toEqual(place);
  });

  test('is another one once it is dialled by TLS', () => {
    const place = { address: 'a:1', tlsHost: undefined };

    expect(isSamePlace(place, { address: 'a:1' })).toBe(true);
    expect(isSamePlace(place, { address: 'a:1', tlsHost: 'a' })).toBe(false);
  });
});
