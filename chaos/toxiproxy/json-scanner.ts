/**
 * Reads one JSON value the way Go's scanner does, so that it fails at the same character with the
 * same words. The grammar is that of RFC 8259.
 */

/** A value as it was written. */
export type Json =
  | string
  | boolean
  | null
  | JsonNumber
  | readonly Json[]
  | ReadonlyMap<string, Json>;

/** A number with its literal. */
export class JsonNumber {
  readonly literal: string;

  constructor(literal: string) {
    this.literal = literal;
  }
}

/** Arrays and objects within each other; no body of the API has more than three. */
const depthMax = 100;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** The first value of `text`; what follows it is not looked at. */
export function readJson(text: string, toError: (complaint: string) => Error): Json {
  return new Scanner(text, toError).read();
}

class Scanner {
  readonly #text: string;
  readonly #toError: (complaint: string) => Error;
  #at = 0;
  #depth = 0;

  constructor(text: string, toError: (complaint: string) => Error) {
    this.#text = text;
    this.#toError = toError;
  }

  read(): Json {
    if (/^[ \t\r\n]*$/.test(this.#text)) {
      throw this.#toError('EOF');
    }
    return this.#value();
  }

  /** The next character, which is not passed yet. */
  #peek(): string {
    const character = this.#text[this.#at];
    if (character === undefined) {
      throw this.#toError('unexpected EOF');
    }
    return character;
  }

  #peekAfterSpace(): string {
    while (' \t\r\n'.includes(this.#peek())) {
      this.#at += 1;
    }
    return this.#peek();
  }

  #refuse(where: string): Error {
    return this.#toError(`invalid character ${quote(this.#peek())} ${where}`);
  }

  #value(): Json {
    switch (this.#peekAfterSpace()) {
      case '{':
        return this.#nested(() => this.#object());
      case '[':
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case 't':
        return this.#literal('true', true);
      case 'f':
        return this.#literal('false', false);
      case 'n':
        return this.#literal('null', null);
      default:
        return this.#number();
    }
  }

  #nested<Result>(read: () => Result): Result {
    this.#depth += 1;
    if (this.#depth > depthMax) {
      throw this.#toError('exceeded max depth');
    }
    const result = read();
    this.#depth -= 1;
    return result;
  }

  #object(): ReadonlyMap<string, Json> {
    const fields = new Map<string, Json>();
    this.#at += 1;
    if (this.#peekAfterSpace() === '}') {
      this.#at += 1;
      return fields;
    }
    for (;;) {
      if (this.#peekAfterSpace() !== '"') {
        throw this.#refuse('looking for beginning of object key string');
      }
      const key = this.#string();
      if (this.#peekAfterSpace() !== ':') {
        throw this.#refuse('after object key');
      }
      this.#at += 1;
      const value = this.#value();
      // The last one of a name counts, at its own place.
      fields.delete(key);
      fields.set(key, value);
      if (this.#isOver('}', 'after object key:value pair')) {
        return fields;
      }
    }
  }

  #array(): readonly Json[] {
    const items: Json[] = [];
    this.#at += 1;
    if (this.#peekAfterSpace() === ']') {
      this.#at += 1;
      return items;
    }
    for (;;) {
      items.push(this.#value());
      if (this.#isOver(']', 'after array element')) {
        return items;
      }
    }
  }

  /** Passes what is between two elements, or `end`. */
  #isOver(end: string, where: string): boolean {
    const character = this.#peekAfterSpace();
    if (character !== ',' && character !== end) {
      throw this.#refuse(where);
    }
    this.#at += 1;
    return character === end;
  }

  #literal<Value>(word: string, value: Value): Value {
    for (const expected of word) {
      if (this.#peek() !== expected) {
        throw this.#refuse(`in literal ${word} (expecting ${quote(expected)})`);
      }
      this.#at += 1;
    }
    return value;
  }

  #string(): string {
    let read = '';
    this.#at += 1;
    for (;;) {
      const character = this.#peek();
      if (character < ' ') {
        throw this.#refuse('in string literal');
      }
      this.#at += 1;
      if (character === '"') {
        return read;
      }
      read += character === '\\' ? this.#escaped() : character;
    }
  }

  #escaped(): string {
    const character = this.#peek();
    if (character !== 'u') {
      const meant = escapes[character];
      if (meant === undefined) {
        throw this.#refuse('in string escape code');
      }
      this.#at += 1;
      return meant;
    }
    this.#at += 1;
    const start = this.#at;
    while (this.#at < start + 4) {
      if (!/[0-9a-fA-F]/.test(this.#peek())) {
        throw this.#refuse('in \\u hexadecimal character escape');
      }
      this.#at += 1;
    }
    return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16));
  }

  #number(): JsonNumber {
    const start = this.#at;
    const isSigned = this.#peek() === '-';
    this.#at += isSigned ? 1 : 0;
    if (!/\d/.test(this.#peek())) {
      throw this.#refuse(isSigned ? 'in numeric literal' : 'looking for beginning of value');
    }
    if (this.#peek() === '0') {
      this.#at += 1;
    } else {
      this.#digits('in numeric literal');
    }
    if (this.#text[this.#at] === '.') {
      this.#at += 1;
      this.#digits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at += 1;
      if (/[+-]/.test(this.#peek())) {
        this.#at += 1;
      }
      this.#digits('in exponent of numeric literal');
    }
    return new JsonNumber(this.#text.slice(start, this.#at));
  }

  /** One or more. */
  #digits(where: string): void {
    if (!/\d/.test(this.#peek())) {
      throw this.#refuse(where);
    }
    while (/\d/.test(this.#text[this.#at] ?? '')) {
      this.#at += 1;
    }
  }
}

const quotedControls: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  "'": "\\'",
  '\\': '\\\\',
};

/** A character as Go quotes it: it looks at bytes, and takes each for a character of Latin 1. */
function quote(character: string): string {
  const byte = Buffer.from(character).at(0) ?? 0;
  const shown = String.fromCharCode(byte);
  const isPrintable = (byte >= 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  const hex = byte.toString(16).padStart(byte < 0x80 ? 2 : 4, '0');
  const escaped = byte < 0x80 ? `\\x${hex}` : `\\u${hex}`;
  return `'${quotedControls[shown] ?? (isPrintable ? shown : escaped)}'`;
}
