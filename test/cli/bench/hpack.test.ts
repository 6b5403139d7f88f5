import { describe, expect, test } from 'vitest';
import { type Header, HeaderDecoder, RequestHeaderEncoder } from '../../../src/cli/bench/hpack.ts';

function encoderFor(
  peerTableBytes: number,
  scheme: 'http' | 'https' = 'http',
): RequestHeaderEncoder {
  return new RequestHeaderEncoder({ scheme, authority: '127.0.0.1:2379', peerTableBytes });
}

function decodeAll(blocks: readonly string[]): Header[][] {
  const decoder = new HeaderDecoder();
  return blocks.map((block) => decoder.decode(Buffer.from(block.replace(/\s/g, ''), 'hex')));
}

describe('HeaderDecoder', () => {
  test('decodes the requests of RFC 7541 C.4: Huffman codes and a growing table', () => {
    const decoded = decodeAll([
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ]);

    const start: Header[] = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'www.example.com'],
    ];
    expect(decoded).toEqual([
      start,
      [...start, ['cache-control', 'no-cache']],
      [
        [':method', 'GET'],
        [':scheme', 'https'],
        [':path', '/index.html'],
        [':authority', 'www.example.com'],
        ['custom-key', 'custom-value'],
      ],
    ]);
  });

  test('decodes the responses of RFC 7541 C.5: a small table that forgets entries', () => {
    const decoded = decodeAll([
      // The first three bytes shrink the table to 256 bytes, which the example presupposes.
      `3fe1 01
       4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133
       2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70
       6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d
       54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049
       5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e
       3d31`,
    ]);

    const date: Header = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
    const location: Header = ['location', 'https://www.example.com'];
    expect(decoded).toEqual([
      [[':status', '302'], ['cache-control', 'private'], date, location],
      [[':status', '307'], ['cache-control', 'private'], date, location],
      [
        [':status', '200'],
        ['cache-control', 'private'],
        ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
        location,
        ['content-encoding', 'gzip'],
        ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
      ],
    ]);
  });

  test('every cut of a block is refused or a shorter list, never something else', () => {
    const block = Buffer.from('828684418cf1e3c2e5f23a6ba0ab90f4ff', 'hex');
    const whole = new HeaderDecoder().decode(block);

    for (let length = 0; length < block.length; length++) {
      const decode = () => new HeaderDecoder().decode(block.subarray(0, length));
      if (length <= 3) {
        expect(decode()).toEqual(whole.slice(0, length));
      } else {
        expect(decode).toThrow(RangeError);
      }
    }
  });

  test('refuses what leads nowhere: missing entries, large tables, endless integers', () => {
    for (const block of ['be', '80', '3fffff03', 'ffffffffffff', '0082ffff', '00827f']) {
      expect(() => decodeAll([block]), block).toThrow(RangeError);
    }
  });
});

describe('RequestHeaderEncoder', () => {
  const headersFor = (path: string): Header[] => [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', '127.0.0.1:2379'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];
  const paths = ['/a.KV/Put', '/a.KV/Put', '/a.KV/Range', '/a.KV/Put', '/a.KV/Range', '/a.KV/Txn'];

  test.each([4096, 0])(
    'what it encodes decodes to the same headers; peer table %i',
    (tableBytes) => {
      const encoder = encoderFor(tableBytes);
      const decoder = new HeaderDecoder();

      const decoded = paths.map((path) => decoder.decode(encoder.encode(path)));

      expect(decoded).toEqual(paths.map(headersFor));
    },
  );

  test.each([4096, 0])('a token goes along, and may change; peer table %i', (tableBytes) => {
    const encoder = encoderFor(tableBytes, 'https');
    const decoder = new HeaderDecoder();
    // So many would not fit into the table one after the other.
    const tokens = Array.from({ length: 200 }, (_, i) => `token ${i} ${'.'.repeat(50)}`);
    const requests = [undefined, ...tokens, undefined].flatMap((token) =>
      paths.map((path) => ({ path, token })),
    );

    const decoded = requests.map(({ path, token }) => decoder.decode(encoder.encode(path, token)));

    const expected = requests.map(({ path, token }) => [
      ...headersFor(path).map(([name, value]) => [name, name === ':scheme' ? 'https' : value]),
      ...(token === undefined ? [] : [['token', token]]),
    ]);
    expect(decoded).toEqual(expected);
  });

  test('a known path takes one byte per header', () => {
    const encoder = encoderFor(4096);
    encoder.encode('/a.KV/Put');

    expect(encoder.encode('/a.KV/Put').length).toBe(headersFor('').length);
  });

  test('a peer without a table is told so in the first block, and gets no entries', () => {
    const encoder = encoderFor(0);

    const [first, second] = [encoder.encode('/a.KV/Put'), encoder.encode('/a.KV/Put')];

    expect(first[0]).toBe(0x20);
    expect(second.equals(first.subarray(1))).toBe(true);
  });
});
