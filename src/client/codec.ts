/** How values are written as bytes and read back. Keys are texts in UTF-8, or bytes. */
import { type Check, isWhole, kindOf } from './arguments.ts';
import { HoldfastError } from './errors.ts';

/** Turns values of one type into bytes and back. */
export interface Codec<V> {
  /** Makes bytes that nobody changes any more: they may be sent later, and again. */
  encode(value: V): Uint8Array;
  /** May throw on bytes that are no such value; they share memory with an answer: copy to keep. */
  decode(bytes: Uint8Array): V;
}

/** Both ways are needed. */
export const codecCheck: Check = {
  fits: (value) => {
    const { encode, decode } = (value ?? {}) as { encode?: unknown; decode?: unknown };
    return typeof encode === 'function' && typeof decode === 'function';
  },
  wanted: 'a codec, as codecs.json()',
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A value as its codec writes it.
 *
 * @throws {HoldfastError} INVALID_ARGUMENT — the codec cannot; the value is not in the message.
 */
export function encodeValue<V>(codec: Codec<V>, value: V): Uint8Array {
  let encoded: unknown;
  try {
    encoded = codec.encode(value);
  } catch (cause) {
    const text = `the codec cannot write the value, which is ${kindOf(value)}`;
    throw new HoldfastError('INVALID_ARGUMENT', text, { cause });
  }
  if (!(encoded instanceof Uint8Array)) {
    const text = `the codec makes ${kindOf(encoded)} of the value: it has to make a Uint8Array`;
    throw new HoldfastError('INVALID_ARGUMENT', text);
  }
  return encoded;
}

const string: Codec<string> = {
  encode: (value) => {
    // Of an array of numbers a Buffer would make bytes.
    if (typeof value !== 'string') {
      throw new TypeError('a value has to be text, unless another codec is given');
    }
    if (!isWhole(value)) {
      throw new TypeError('the value has a lone surrogate, which UTF-8 cannot write');
    }
    return Buffer.from(value, 'utf8');
  },
  decode: (bytes) => utf8.decode(bytes),
};

const bytes: Codec<Uint8Array> = {
  // What is none is left to `encodeValue`.
  encode: (value) => ((value as unknown) instanceof Uint8Array ? Buffer.from(value) : value),
  // Not `slice`: a Buffer's shares its memory.
  decode: (value) => new Uint8Array(value),
};

/** The codecs that come along. */
export const codecs = {
  string,
  bytes,
  /** JSON; what is read is taken to be a `V`, unchecked. */
  json: <V = unknown>(): Codec<V> => ({
    encode: (value) => Buffer.from(JSON.stringify(value), 'utf8'),
    decode: (value) => JSON.parse(utf8.decode(value)) as V,
  }),
} as const;
