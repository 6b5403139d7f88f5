/**
 * Messages in the JSON of protobuf, as etcd's gateway speaks it: bytes in base64, 64-bit numbers as
 * decimal strings, enums by name, fields by the names of the contract; what has its default is left
 * out of an answer. A request may also give numbers as numbers, enums by number, and names in camel
 * case; fields that the contract does not know are passed over, as etcd does.
 *
 * What a message looks like is read off the contract's own description. Objects are those of the
 * service definitions (`services.ts`).
 */
import { assert, KvError } from '../base/index.ts';
import { describedType, type MessageDescription } from './services.ts';

type Described = MessageDescription['field'][number];
type JsonObject = Readonly<Record<string, unknown>>;

/** How the value of a field is written. */
type FieldKind =
  | { readonly type: 'bytes' | 'string' | 'bool' }
  | { readonly type: 'integer'; readonly bits: 32 | 64; readonly isSigned: boolean }
  | {
      readonly type: 'enum';
      readonly names: readonly string[];
      readonly numbers: ReadonlyMap<number, string>;
    }
  | { readonly type: 'message'; readonly name: string };

interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly isRepeated: boolean;
}

interface Shape {
  readonly fields: readonly Field[];
  /** By both names that a request may use. */
  readonly fieldByName: ReadonlyMap<string, Field>;
}

/** By the full names of messages. */
const shapes = new Map<string, Shape>();

/** Levels of messages in messages that are read; transactions nest less deep. */
const depthMax = 100;

/**
 * Reads a message of the type `name`, in full (`etcdserverpb.PutRequest`), out of parsed JSON.
 *
 * @throws {KvError} INVALID_ARGUMENT — a value does not fit its field; names the field.
 */
export function messageFromJson(name: string, json: unknown): object {
  return readMessage(name, json, '', 0);
}

/** Writes a message, as a service definition has decoded it, for JSON. */
export function messageToJson(name: string, message: object): object {
  const values = message as JsonObject;
  const written: Record<string, unknown> = {};
  for (const { name: field, kind, isRepeated } of shapeOf(name).fields) {
    const value = values[field];
    if (isRepeated) {
      const items = value as readonly unknown[];
      if (items.length > 0) {
        written[field] = items.map((item) => toJson(kind, item));
      }
    } else if (!isDefault(kind, value)) {
      written[field] = toJson(kind, value);
    }
  }
  return written;
}

function toJson(kind: FieldKind, value: unknown): unknown {
  switch (kind.type) {
    case 'bytes':
      return (value as Buffer).toString('base64');
    case 'message':
      return messageToJson(kind.name, value as object);
    default:
      return value;
  }
}

function isDefault(kind: FieldKind, value: unknown): boolean {
  switch (kind.type) {
    case 'bytes':
    case 'string':
      return (value as Buffer | string).length === 0;
    case 'bool':
      return value === false;
    case 'integer':
      return Number(value) === 0;
    case 'enum':
      return value === kind.numbers.get(0);
    case 'message':
      return value === null || value === undefined;
  }
}

function readMessage(name: string, json: unknown, path: string, depth: number): object {
  if (typeof json !== 'object' || json === null || Array.isArray(json) || depth > depthMax) {
    throw misfit(
      path,
      `is an object, and not ${depth > depthMax ? 'nested so deep' : nameOf(json)}`,
    );
  }
  const { fieldByName } = shapeOf(name);
  const message: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    const field = fieldByName.get(key);
    if (field === undefined || value === null) {
      continue;
    }
    const at = path === '' ? key : `${path}.${key}`;
    if (!field.isRepeated) {
      message[field.name] = readValue(field.kind, value, at, depth);
    } else if (Array.isArray(value)) {
      message[field.name] = value.map((item, i) =>
        readValue(field.kind, item, `${at}[${i}]`, depth),
      );
    } else {
      throw misfit(at, `is a list, and not ${nameOf(value)}`);
    }
  }
  return message;
}

function readValue(kind: FieldKind, value: unknown, path: string, depth: number): unknown {
  switch (kind.type) {
    case 'bytes':
      return readBytes(value, path);
    case 'string':
      if (typeof value !== 'string') {
        throw misfit(path, `is a string, and not ${nameOf(value)}`);
      }
      return value;
    case 'bool':
      if (typeof value !== 'boolean') {
        throw misfit(path, `is true or false, and not ${nameOf(value)}`);
      }
      return value;
    case 'integer':
      return readInteger(value, kind, path);
    case 'enum': {
      const known = typeof value === 'number' ? kind.numbers.get(value) : value;
      if (typeof known !== 'string' || !kind.names.includes(known)) {
        throw misfit(path, `is one of ${kind.names.join(', ')}`);
      }
      return known;
    }
    case 'message':
      return readMessage(kind.name, value, path, depth + 1);
  }
}

/** Of the standard's two alphabets, with or without padding. */
function readBytes(value: unknown, path: string): Buffer {
  if (typeof value !== 'string') {
    throw misfit(path, `is base64 in a string, and not ${nameOf(value)}`);
  }
  if (!/^[\w+/-]*={0,2}$/.test(value) || value.replaceAll('=', '').length % 4 === 1) {
    throw misfit(path, 'is not base64');
  }
  return Buffer.from(value, 'base64');
}

function readInteger(
  value: unknown,
  { bits, isSigned }: { readonly bits: 32 | 64; readonly isSigned: boolean },
  path: string,
): string {
  // Beyond that a number of JSON has been rounded already.
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw misfit(path, 'is too large for a number of JSON: write it in quotes');
  }
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || !/^-?\d{1,20}$/.test(text)) {
    throw misfit(path, `is a whole number, and not ${nameOf(value)}`);
  }
  const number = BigInt(text);
  if ((isSigned ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number)) !== number) {
    throw misfit(path, `has ${bits} bits at most`);
  }
  return text;
}

/** What a value is, without showing it: values do not belong in messages. */
function nameOf(json: unknown): string {
  return Array.isArray(json) ? 'a list' : json === null ? 'null' : `a ${typeof json}`;
}

function misfit(path: string, what: string): KvError {
  const subject = path === '' ? 'the request' : `"${path}"`;
  return new KvError('INVALID_ARGUMENT', { message: `holdfast: ${subject} ${what}` });
}

function shapeOf(name: string): Shape {
  let shape = shapes.get(name);
  if (shape === undefined) {
    const description = describedType(name);
    assert(description !== undefined && 'field' in description, () => `${name} is a message`);
    const fields = description.field.map((field) => fieldOf(name, description, field));
    const fieldByName = new Map(fields.map((field) => [field.name, field]));
    for (const field of fields) {
      fieldByName.set(inCamelCase(field.name), field);
    }
    shape = { fields, fieldByName };
    shapes.set(name, shape);
  }
  return shape;
}

function fieldOf(message: string, description: MessageDescription, field: Described): Field {
  const isRepeated = field.label === 'LABEL_REPEATED';
  return { name: field.name, kind: kindOf(message, description, field), isRepeated };
}

function kindOf(message: string, description: MessageDescription, field: Described): FieldKind {
  switch (field.type) {
    case 'TYPE_BYTES':
      return { type: 'bytes' };
    case 'TYPE_STRING':
      return { type: 'string' };
    case 'TYPE_BOOL':
      return { type: 'bool' };
    case 'TYPE_INT64':
      return { type: 'integer', bits: 64, isSigned: true };
    case 'TYPE_UINT64':
      return { type: 'integer', bits: 64, isSigned: false };
    case 'TYPE_UINT32':
      return { type: 'integer', bits: 32, isSigned: false };
    case 'TYPE_ENUM': {
      const inside = description.enumType.find(({ name }) => name === field.typeName);
      const found = inside ?? describedType(fullName(message, field.typeName));
      assert(found !== undefined && 'value' in found, () => `${field.typeName} is an enum`);
      const { value } = found;
      return {
        type: 'enum',
        names: value.map(({ name }) => name),
        numbers: new Map(value.map(({ name, number }) => [number, name])),
      };
    }
    case 'TYPE_MESSAGE':
      return { type: 'message', name: fullName(message, field.typeName) };
    default:
      throw new TypeError(`${message}.${field.name}: ${field.type} is in no contract so far`);
  }
}

/** A type's name in full, of one that a message names: of its own package, if there is one. */
function fullName(message: string, name: string): string {
  const near = `${message.slice(0, message.lastIndexOf('.'))}.${name}`;
  return describedType(near) === undefined ? name : near;
}

function inCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
