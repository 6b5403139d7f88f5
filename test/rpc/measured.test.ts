import { describe, expect, test } from 'vitest';
import { decodedBytesOf, measured, takeEncodedBytes } from '../../src/rpc/measured.ts';
import { services } from '../../src/wire/index.ts';

const { Put } = measured(services['etcdserverpb.KV']);
const request = { key: Buffer.from('key'), value: Buffer.alloc(1000) };

describe('a measured service', () => {
  test('tells how long a request was on the wire, and decodes it as before', () => {
    const bytes = Put.requestSerialize(request);

    const decoded = Put.requestDeserialize(bytes);

    expect(decodedBytesOf(decoded)).toBe(bytes.length);
    expect(decoded).toMatchObject({ ...request, lease: '0' });
  });

  test('tells how long the last answer is, once', () => {
    const bytes = Put.responseSerialize({ prev_kv: { value: Buffer.alloc(50) } });

    expect(takeEncodedBytes()).toBe(bytes.length);
    expect(takeEncodedBytes()).toBe(0);
  });

  test('knows nothing of messages that came another way', () => {
    expect(decodedBytesOf({ key: 'key' })).toBe(0);
  });
});
