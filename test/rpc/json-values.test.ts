import { describe, expect, test } from 'vitest';
import { JsonValues } from '../../src/rpc/json-values.ts';

const stream = '{"a":{"b":[1,{}]}}\n {"c":"} \\" { \\\\"}{"d":"é"}  ';
const expected = [{ a: { b: [1, {}] } }, { c: '} " { \\' }, { d: 'é' }];

describe('values of JSON', () => {
  test('are cut out of a stream, wherever its pieces end', () => {
    const bytes = Buffer.from(stream);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const values = new JsonValues(100);

      const cutOut = [...values.push(bytes.subarray(0, cut)), ...values.push(bytes.subarray(cut))];

      expect(cutOut).toEqual(expected);
      expect(() => values.end()).not.toThrow();
    }
  });

  test.each(['{"a":', 'nope', '5', '"x"', '{"a":1} x'])(
    'that are not whole, or no objects, are refused at the end: %s',
    (text) => {
      const values = new JsonValues(100);
      values.push(Buffer.from(text));

      expect(() => values.end()).toThrow('is not JSON');
    },
  );

  test.each(['{"a" 1}', '}'])('that are none are refused where they end: %s', (text) => {
    expect(() => new JsonValues(100).push(Buffer.from(text))).toThrow('is not JSON');
  });

  test('are refused when one is too long, before it is whole', () => {
    const values = new JsonValues(10);
    values.push(Buffer.from('{"a":1}{"b":2}'));
    expect(values.bytes).toBe(0);
    values.push(Buffer.from('{"aaaaaaaa'));
    expect(values.bytes).toBe(10);

    expect(() => values.push(Buffer.from('a'))).toThrow('request is too large');
  });
});
