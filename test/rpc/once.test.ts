/** What makes a call an attempt of a request, and what its answer says of it. */
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Command, fingerprintOf } from '../../src/kv/index.ts';
import { requestIdOf } from '../../src/rpc/once.ts';
import type { PutResponse } from '../../src/wire/generated/etcdserverpb/PutResponse.ts';
import { FakeMember } from './fake-member.ts';
import { serve, type Serving } from './serving.ts';

function metadataOf(entries: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) {
    metadata.set(name, value);
  }
  return metadata;
}

const session = { 'holdfast-session': '-7', 'holdfast-sequence': '9' };

describe('the metadata of a call', () => {
  test('may name no request', () => {
    expect(requestIdOf(new Metadata(), 128)).toBeUndefined();
  });

  test('names a request by an idempotency key', () => {
    const id = requestIdOf(metadataOf({ 'idempotency-key': 'order 17' }), 128);
    expect(id).toEqual({ type: 'key', key: Buffer.from('order 17') });
  });

  test('names a request by its number in a session', () => {
    const id = requestIdOf(metadataOf({ ...session, 'holdfast-lowest-unanswered': '4' }), 128);
    expect(id).toEqual({ type: 'session', session: -7n, sequence: 9, lowestUnanswered: 4 });
  });

  test.each([
    [{ 'idempotency-key': '' }, 'has 1 to 128 bytes, not 0'],
    [{ 'idempotency-key': 'x'.repeat(129) }, 'has 1 to 128 bytes, not 129'],
    [{ ...session, 'idempotency-key': 'x' }, 'not both'],
    [{ ...session }, 'holdfast-lowest-unanswered is missing, it must be a whole number'],
    [{ ...session, 'holdfast-lowest-unanswered': '0' }, 'must be a whole number from 1 on'],
    [{ ...session, 'holdfast-lowest-unanswered': '10' }, 'is above holdfast-sequence 9'],
    [{ ...session, 'holdfast-session': '1f' }, 'holdfast-session 1f is no id of a lease'],
    [
      { ...session, 'holdfast-session': '9223372036854775808' },
      'holdfast-session 9223372036854775808 is no id of a lease',
    ],
    [
      { ...session, 'holdfast-session': '-9223372036854775809' },
      'holdfast-session -9223372036854775809 is no id of a lease',
    ],
    [{ ...session, 'holdfast-sequence': '1.5' }, 'holdfast-sequence 1.5 must be'],
  ])('that makes no sense is refused: %o', (entries, message) => {
    expect(() => requestIdOf(metadataOf(entries), 128)).toThrow(message);
  });
});

describe('a call that is an attempt', () => {
  let member: FakeMember;
  let serving: Serving;

  beforeEach(async () => {
    member = new FakeMember();
    serving = await serve(member);
  });

  afterEach(async () => {
    await serving.close();
  });

  /** The mark of the answer, and the answer. */
  async function put(metadata: Metadata): Promise<readonly [unknown, PutResponse]> {
    return new Promise((resolve, reject) => {
      const request = { key: Buffer.from('a'), value: Buffer.from('1') };
      let mark: unknown;
      const call = serving.kv.Put(request, metadata, (error: ServiceError | null, response) => {
        if (error === null && response !== undefined) {
          resolve([mark, response]);
        } else {
          reject(error ?? new Error('no answer'));
        }
      });
      call.on('metadata', (received: Metadata) => {
        [mark] = received.get('holdfast-repeated');
      });
    });
  }

  function proposed(): Command | undefined {
    const last = member.asked.at(-1);
    return last?.method === 'propose' ? last.command : undefined;
  }

  test('asks for its operation at most once, and tells when the answer is an old one', async () => {
    const answer = { kind: 'ok', revision: 8, result: { type: 'put' } } as const;
    member.onPropose = async () => Promise.resolve(answer);
    const [fresh] = await put(metadataOf({ 'idempotency-key': 'k' }));
    expect(fresh).toBeUndefined();
    const command = proposed();
    expect(command).toMatchObject({
      ...{ type: 'once', id: { type: 'key', key: Buffer.from('k') } },
      command: { type: 'put', key: Buffer.from('a') },
    });
    const operation = command?.type === 'once' ? command.command : undefined;
    const expected = operation === undefined ? undefined : fingerprintOf(operation);
    expect(command).toMatchObject({ fingerprint: expected });

    member.onPropose = async () => Promise.resolve({ ...answer, isRepeated: true });
    const [mark, response] = await put(metadataOf({ 'idempotency-key': 'k' }));
    expect(mark).toBe('true');
    expect(response.header?.revision).toBe('8');
  });

  test('without a name is the operation itself', async () => {
    member.onPropose = async () =>
      Promise.resolve({ kind: 'ok', revision: 8, result: { type: 'put' } });
    await put(new Metadata());
    expect(proposed()?.type).toBe('put');
  });

  test('is told when earlier attempts may have had an effect', async () => {
    member.onPropose = async () =>
      Promise.resolve({ kind: 'refused', revision: 8, code: 'SESSION_EXPIRED' });
    const metadata = metadataOf({ ...session, 'holdfast-lowest-unanswered': '1' });
    const error = await put(metadata).then(
      () => undefined,
      (reason: unknown) => reason as ServiceError,
    );
    expect(error?.details).toContain('session not found');
    expect(error?.metadata.get('holdfast-outcome')).toEqual(['unknown']);
  });
});
