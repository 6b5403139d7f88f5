/** Single calls to etcd and to Holdfast, which must be answered alike. */
import { expect } from 'vitest';
import type { RawAnswer, RawClient } from './raw-client.ts';
import type { RawCase } from './raw-grpc-cases.ts';

/** Makes a call on both sides, which must be at the same revision, and expects the same answer. */
export async function expectAlike(
  each: RawCase,
  etcd: RawClient,
  member: RawClient,
): Promise<void> {
  // Also makes the member know all writes so far, which a serializable read is compared at.
  const [at, atMember] = await Promise.all([etcd.revision(), member.revision()]);
  expect(atMember).toBe(at);
  const { method, metadata, masks = [], unordered = [], lacks = [] } = each;
  const call = { method, metadata, request: each.request(at) };

  const [expected, actual] = await Promise.all([etcd.call(call), member.call(call)]);

  expect(expected, 'etcd itself').toMatchObject({ code: each.code ?? 'OK' });
  const fields = [...masks, ...lacks];
  const comparable = (answer: RawAnswer): RawAnswer => sorted(masked(answer, fields), unordered);
  expect(comparable(actual)).toEqual(comparable(each.differs ?? expected));
  for (const field of lacks) {
    expect(actual.response, field).toHaveProperty(field, expect.stringMatching(/^[1-9]\d*$/));
  }
}

/** With some lists of the response in order. */
function sorted(answer: RawAnswer, fields: readonly string[]): RawAnswer {
  const { response } = answer;
  if (fields.length === 0 || typeof response !== 'object' || response === null) {
    return answer;
  }
  const entries = Object.entries(response).map(([name, value]: [string, unknown]) => [
    name,
    fields.includes(name) && Array.isArray(value) ? value.toSorted() : value,
  ]);
  return { ...answer, response: Object.fromEntries(entries) as unknown };
}

/** Without the numbers in some fields of the response, but that for none. */
function masked(answer: RawAnswer, fields: readonly string[]): RawAnswer {
  const { response } = answer;
  if (typeof response !== 'object' || response === null) {
    return answer;
  }
  const entries = Object.entries(response).map(([name, value]) => [
    name,
    fields.includes(name) && value !== '-1' ? 'NUMBER' : (value as unknown),
  ]);
  return { ...answer, response: Object.fromEntries(entries) as unknown };
}
