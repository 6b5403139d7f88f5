/**
 * JSON as Go reads and writes it, with the complaints of Go's decoder, which clients of Toxiproxy
 * show to people.
 *
 * One value is read, and what follows it is ignored; names of fields match in any case; numbers
 * keep their literal, since `1e3` is no integer to Go. Integers beyond 2^53 lose precision here.
 */
import { readJson, type Json, JsonNumber } from './json-scanner.ts';

/** A body that cannot be used; the message follows `bad request body: `. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
}

/** Fields of a JSON object, in their order. */
export type Fields = ReadonlyMap<string, Json>;

/** @throws {BodyError} it is no JSON. */
export function parseBody(body: string): Json {
  return readJson(body, (complaint) => new BodyError(complaint));
}

/** @throws {BodyError} `value` is no object; `type` is Go's name for what it should be. */
export function objectOf(value: Json, type: string): Fields {
  if (value === null) {
    return new Map();
  }
  if (!(value instanceof Map)) {
    throw new BodyError(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`);
  }
  return value;
}

/** @throws {BodyError} `value` is no array; `type` is Go's name for what it should be. */
export function arrayOf(value: Json, type: string): readonly Json[] {
  if (value === null) {
    return [];
  }
  if (!Array.isArray(value)) {
    throw new BodyError(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`);
  }
  return value as readonly Json[];
}

interface GoKinds {
  string: string;
  bool: boolean;
  int: number;
  int64: number;
  float32: number;
}

/** A struct of Go: its name in complaints, and its fields. */
export type Shape = Readonly<Record<string, keyof GoKinds>>;

/** What `shape` describes; a field that is missing or null is undefined. */
export type Decoded<S extends Shape> = { readonly [Name in keyof S]?: GoKinds[S[Name]] };

/** @throws {BodyError} a field is of another type; `path` is how Go names the struct. */
export function decode<S extends Shape>(fields: Fields, shape: S, path: string): Decoded<S> {
  const decoded: Record<string, unknown> = {};
  let error: BodyError | undefined;
  for (const [given, value] of fields) {
    const name = nameIn(shape, given);
    const kind = name === undefined ? undefined : shape[name];
    if (name === undefined || kind === undefined || value === null) {
      continue;
    }
    decoded[name] = convert(value, kind);
    if (decoded[name] === undefined) {
      const shown = value instanceof JsonNumber && kind !== 'string' && kind !== 'bool';
      error ??= new BodyError(
        `json: cannot unmarshal ${shown ? `number ${value.literal}` : kindOf(value)} into ` +
          `Go struct field ${path}.${name} of type ${kind}`,
      );
    }
  }
  if (error !== undefined) {
    throw error;
  }
  return decoded as Decoded<S>;
}

/** The value of a field, which Go finds in any case. */
export function fieldOf(fields: Fields, name: string): Json {
  let found: Json = null;
  for (const [given, value] of fields) {
    if (given.toLowerCase() === name) {
      found = value;
    }
  }
  return found;
}

/** JSON as Go's encoder writes it: safe inside of HTML. */
export function encode(value: object): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Go's word for the type of `value`. */
export function kindOf(value: Json): string {
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'array';
  }
  if (value instanceof JsonNumber) {
    return 'number';
  }
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function nameIn(shape: Shape, given: string): string | undefined {
  if (Object.hasOwn(shape, given)) {
    return given;
  }
  return Object.keys(shape).find((name) => name === given.toLowerCase());
}

function convert(value: Json, kind: keyof GoKinds): unknown {
  switch (kind) {
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'int':
    case 'int64':
      return value instanceof JsonNumber ? toInteger(value.literal) : undefined;
    case 'float32':
      return value instanceof JsonNumber ? toFloat32(value.literal) : undefined;
  }
}

function toInteger(literal: string): number | undefined {
  if (!/^-?\d+$/.test(literal)) {
    return undefined;
  }
  const integer = BigInt(literal);
  return BigInt.asIntN(64, integer) === integer ? Number(integer) : undefined;
}

/** The shortest decimal that stands for the same 32 bits, as Go shows it. */
function toFloat32(literal: string): number | undefined {
  const float = Math.fround(Number(literal));
  if (!Number.isFinite(float)) {
    return undefined;
  }
  const digitsMax = 9;
  for (let digits = 1; digits < digitsMax; digits++) {
    const shorter = Number(float.toPrecision(digits));
    if (Math.fround(shorter) === float) {
      return shorter;
    }
  }
  return Number(float.toPrecision(digitsMax));
}
