import { describe, expect, test } from 'vitest';
import {
  arrayOf,
  BodyError,
  decode,
  encode,
  fieldOf,
  objectOf,
  parseBody,
} from '../../../chaos/toxiproxy/go-json.ts';
import { JsonNumber } from '../../../chaos/toxiproxy/json-scanner.ts';

/** What Go's decoder says of a body; each was seen from Toxiproxy, which is built on it. */
const complaints: readonly (readonly [body: string, complaint: string])[] = [
  ['', 'EOF'],
  [' \n', 'EOF'],
  ['{', 'unexpected EOF'],
  ['{"a"', 'unexpected EOF'],
  ['{"a":', 'unexpected EOF'],
  ['{"a":"b', 'unexpected EOF'],
  ['{"a":1', 'unexpected EOF'],
  ['nul', 'unexpected EOF'],
  ['-', 'unexpected EOF'],
  ['x', "invalid character 'x' looking for beginning of value"],
  ['\u0007', "invalid character '\\a' looking for beginning of value"],
  ['ä', "invalid character 'Ã' looking for beginning of value"],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
  ['{"a":01}', "invalid character '1' after object key:value pair"],
  ['[1 2]', "invalid character '2' after array element"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['nulx', "invalid character 'x' in literal null (expecting 'l')"],
  ['trux', "invalid character 'x' in literal true (expecting 'e')"],
  ['{"a":1.}', "invalid character '}' after decimal point in numeric literal"],
  ['{"a":1e}', "invalid character '}' in exponent of numeric literal"],
  ['{"a":-}', "invalid character '}' in numeric literal"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"a\\x"', "invalid character 'x' in string escape code"],
  ['"\\u00zz"', "invalid character 'z' in \\u hexadecimal character escape"],
];

describe('parseBody', () => {
  test.each(complaints)('says of %j what Go says', (body, complaint) => {
    expect(() => parseBody(body)).toThrow(new BodyError(complaint));
  });

  test.each([
    ['true', true],
    [' null', null],
    ['"a\\u00e4\\n\\/"', 'aä\n/'],
    ['-1.5e+3', new JsonNumber('-1.5e+3')],
    ['[]', []],
    ['{}', new Map()],
    ['5x', new JsonNumber('5')],
    ['{"a":[{"b":false}]} and more', new Map([['a', [new Map([['b', false]])]]])],
  ])('reads the first value of %j', (body, value) => {
    expect(parseBody(body)).toEqual(value);
  });

  test('reads what JSON.stringify writes', () => {
    const text = 'quotes " and \\ and \t, \u2028, 😀, \u0001';

    expect(parseBody(JSON.stringify(text))).toBe(text);
  });

  test('a body nested too deeply is refused, not followed', () => {
    expect(() => parseBody('['.repeat(1_000_000))).toThrow(new BodyError('exceeded max depth'));
  });
});

describe('decode', () => {
  const shape = { name: 'string', on: 'bool', size: 'int64', share: 'float32' } as const;
  const read = (body: string) => decode(objectOf(parseBody(body), 'T'), shape, 'T');

  test('finds fields in any case, and leaves out what is null or unknown', () => {
    expect(read('{"NAME":"a","on":null,"other":1,"Size":-7}')).toEqual({ name: 'a', size: -7 });
  });

  test.each([
    ['0.1', 0.1],
    ['0.30000001192092896', 0.3],
    ['1e-7', 1e-7],
    ['16777217', 16_777_216],
  ])('shows a share of %s as Go shows 32 bits', (literal, share) => {
    expect(read(`{"share":${literal}}`)).toEqual({ share });
  });

  test.each([
    ['{"name":1}', 'number 1 into Go struct field T.name of type string', 'number into'],
    ['{"on":"x"}', 'string into Go struct field T.on of type bool', ''],
    ['{"size":1.5}', 'number 1.5 into Go struct field T.size of type int64', ''],
    ['{"size":1e3}', 'number 1e3 into Go struct field T.size of type int64', ''],
    ['{"size":9223372036854775808}', 'number 9223372036854775808 into Go', ''],
    ['{"share":1e40}', 'number 1e40 into Go struct field T.share of type float32', ''],
    ['{"size":{},"name":[]}', 'object into Go struct field T.size of type int64', ''],
  ])('complains of %s as Go does', (body, complaint, instead) => {
    const expected = instead === '' ? complaint : complaint.replace(/number 1 into/, instead);
    expect(() => read(body)).toThrow(`json: cannot unmarshal ${expected}`);
  });
});

test('objects and arrays are told apart, and null is empty', () => {
  expect(objectOf(null, 'T')).toEqual(new Map());
  expect(arrayOf(null, '[]T')).toEqual([]);
  expect(() => objectOf(parseBody('[]'), 'T')).toThrow(
    'json: cannot unmarshal array into Go value of type T',
  );
  expect(() => arrayOf(parseBody('1'), '[]T')).toThrow(
    'json: cannot unmarshal number into Go value of type []T',
  );
});

test('the last field of a name counts', () => {
  const fields = objectOf(parseBody('{"a":1,"A":"b"}'), 'T');

  expect(fieldOf(fields, 'a')).toBe('b');
  expect(fieldOf(fields, 'c')).toBeNull();
});

test('encode is safe inside of HTML', () => {
  expect(encode({ a: '<&>\u2028' })).toBe('{"a":"\\u003c\\u0026\\u003e\\u2028"}');
});
