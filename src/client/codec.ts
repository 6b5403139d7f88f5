/** How values are written as bytes and read back. Keys are texts in UTF-8, or bytes. */

/** Turns values of one type into bytes and back. */
export interface Codec<V> {
  encode(value: V): Uint8Array;
  /** May throw on bytes that are no such value; they share memory with an answer: copy to keep. */
  decode(bytes: Uint8Array): V;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const string: Codec<string> = {
  encode: (value) => Buffer.from(value, 'utf8'),
  decode: (bytes) => utf8.decode(bytes),
};

const bytes: Codec<Uint8Array> = {
  encode: (value) => value,
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
