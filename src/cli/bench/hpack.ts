/**
 * The header compression of HTTP/2 (RFC 7541), as much of it as a gRPC client needs: everything a
 * server may send is decoded, and requests are encoded as a few bytes that point into the server's
 * table.
 *
 * Strings are visible ASCII, as gRPC's headers are; others are refused.
 */

/** A header, name in lower case. */
export type Header = readonly [name: string, value: string];

/** Table that both ends start with, octets as RFC 7541 §4.1 counts them. */
export const defaultTableBytes = 4096;
/** What an entry counts beyond its text, RFC 7541 §4.1. */
const entryOverheadBytes = 32;

/** RFC 7541 appendix A: entries 1 to 61, `name` or `name=value`. */
const staticTable: readonly Header[] = [
  ':authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https',
  ':status=200 :status=204 :status=206 :status=304 :status=400 :status=404 :status=500',
  'accept-charset accept-encoding=gzip,_deflate accept-language accept-ranges accept',
  'access-control-allow-origin age allow authorization cache-control content-disposition',
  'content-encoding content-language content-length content-location content-range',
  'content-type cookie date etag expect expires from host if-match if-modified-since',
  'if-none-match if-range if-unmodified-since last-modified link location max-forwards',
  'proxy-authenticate proxy-authorization range referer refresh retry-after server',
  'set-cookie strict-transport-security transfer-encoding user-agent vary via',
  'www-authenticate',
]
  .flatMap((line) => line.split(' '))
  .map((entry): Header => {
    const [name = '', value = ''] = entry.split('=');
    return [name, value.replace('_', ' ')];
  });

/**
 * RFC 7541 appendix B: the symbols of each code length, in the order of their codes. The code is
 * canonical, so the lengths determine it. Codes of 20 bits and more belong to bytes that gRPC's
 * headers do not contain.
 */
const huffmanSymbols: readonly (readonly [length: number, symbols: string])[] = [
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
  [10, '!"()?'],
  [11, "'+|"],
  [12, '#>'],
  [13, '\0$@[]~'],
  [14, '^}'],
  [15, '<`{'],
  [19, '\\'],
];
const huffmanBitsMax = 19;
const huffmanCodes = buildHuffmanCodes();

/** Decodes the header blocks of one connection, in the order in which they arrived. */
export class HeaderDecoder {
  /** Newest first, as the indexes count. */
  readonly #table: Header[] = [];
  #tableBytes = 0;
  #tableBytesMax = defaultTableBytes;

  /**
   * Decodes one whole block.
   *
   * @throws {RangeError} the block is malformed, or holds a string that is not visible ASCII
   */
  decode(block: Buffer): Header[] {
    const headers: Header[] = [];
    const cursor = new Cursor(block);
    while (!cursor.isAtEnd) {
      const first = cursor.peek();
      if (first >= 0x80) {
        headers.push(this.#entry(cursor.integer(7)));
      } else if (first >= 0x40) {
        const header = this.#literal(cursor, 6);
        this.#insert(header);
        headers.push(header);
      } else if (first >= 0x20) {
        this.#resize(cursor.integer(5));
      } else {
        headers.push(this.#literal(cursor, 4));
      }
    }
    return headers;
  }

  #literal(cursor: Cursor, prefixBits: number): Header {
    const nameIndex = cursor.integer(prefixBits);
    const name = nameIndex === 0 ? cursor.text() : this.#entry(nameIndex)[0];
    return [name, cursor.text()];
  }

  #entry(index: number): Header {
    const entry =
      index <= staticTable.length
        ? staticTable[index - 1]
        : this.#table[index - staticTable.length - 1];
    if (entry === undefined) {
      throw new RangeError(`the header table has no entry ${index}`);
    }
    return entry;
  }

  #insert(header: Header): void {
    this.#table.unshift(header);
    this.#tableBytes += bytesOf(header);
    this.#evict();
  }

  #resize(bytesMax: number): void {
    if (bytesMax > defaultTableBytes) {
      throw new RangeError(`a header table of ${bytesMax} bytes was not offered`);
    }
    this.#tableBytesMax = bytesMax;
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#tableBytesMax) {
      this.#tableBytes -= bytesOf(this.#table.pop() as Header);
    }
  }
}

/** What the requests of a connection have in common. */
export interface RequestHeaderOptions {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  /** What the server's settings allow its table to hold. */
  readonly peerTableBytes: number;
}

/**
 * Encodes the headers of requests that differ in their path alone, and now and then in the token
 * of who makes them: whole the first time, then as pointers into the server's table, as every gRPC
 * client does.
 */
export class RequestHeaderEncoder {
  readonly #scheme: string;
  readonly #authority: string;
  readonly #isIndexing: boolean;
  /** What the server's table holds of ours, oldest first. */
  #inserted: string[] = [];
  #blocks = new Map<string, Buffer>();
  #token: string | undefined;
  #hasStarted = false;

  constructor({ scheme, authority, peerTableBytes }: RequestHeaderOptions) {
    this.#scheme = scheme;
    this.#authority = authority;
    this.#isIndexing = peerTableBytes >= defaultTableBytes;
  }

  /** The block for a request; blocks must be sent in the order in which they were made. */
  encode(path: string, token?: string): Buffer {
    const isNewToken = token !== this.#token;
    const known = this.#blocks.get(path);
    if (known !== undefined && !isNewToken) {
      return known;
    }
    const bytes: number[] = [];
    if (this.#isIndexing && this.#hasStarted && isNewToken) {
      this.#emptyTable(bytes);
    } else if (!this.#isIndexing && !this.#hasStarted) {
      bytes.push(0x20);
    }
    if (isNewToken) {
      this.#token = token;
      this.#blocks = new Map();
    }
    this.#hasStarted = true;
    const insertedBefore = this.#inserted.length;
    this.#encodeHeader(bytes, [':method', 'POST']);
    this.#encodeHeader(bytes, [':scheme', this.#scheme]);
    this.#encodeHeader(bytes, [':path', path]);
    this.#encodeHeader(bytes, [':authority', this.#authority]);
    this.#encodeHeader(bytes, ['content-type', 'application/grpc']);
    this.#encodeHeader(bytes, ['te', 'trailers']);
    if (token !== undefined) {
      this.#encodeHeader(bytes, ['token', token]);
    }
    const block = Buffer.from(bytes);
    if (this.#inserted.length === insertedBefore && bytes[0] !== 0x20) {
      this.#blocks.set(path, block);
    } else {
      // New entries have moved the others.
      this.#blocks = new Map();
    }
    return block;
  }

  /** Tokens come and go: without this they would push the other entries out one day. */
  #emptyTable(bytes: number[]): void {
    bytes.push(0x20);
    writeInteger(bytes, 0x20, 5, defaultTableBytes);
    this.#inserted = [];
  }

  #encodeHeader(bytes: number[], [name, value]: Header): void {
    const whole = staticTable.findIndex((entry) => entry[0] === name && entry[1] === value);
    const position = this.#inserted.indexOf(`${name}=${value}`);
    if (whole >= 0) {
      writeInteger(bytes, 0x80, 7, whole + 1);
    } else if (position >= 0) {
      writeInteger(bytes, 0x80, 7, staticTable.length + this.#inserted.length - position);
    } else {
      const nameIndex = staticTable.findIndex((entry) => entry[0] === name) + 1;
      if (this.#isIndexing) {
        writeInteger(bytes, 0x40, 6, nameIndex);
        this.#inserted.push(`${name}=${value}`);
      } else {
        writeInteger(bytes, 0, 4, nameIndex);
      }
      if (nameIndex === 0) {
        writeText(bytes, name);
      }
      writeText(bytes, value);
    }
  }
}

/** Reads a header block. */
class Cursor {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#block.length;
  }

  peek(): number {
    return this.#block[this.#at] as number;
  }

  /** RFC 7541 §5.1: an integer that begins in the lower bits of a byte. */
  integer(prefixBits: number): number {
    const limit = (1 << prefixBits) - 1;
    let value = this.#byte() & limit;
    if (value < limit) {
      return value;
    }
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    throw new RangeError('an integer in a header block is too large');
  }

  /** RFC 7541 §5.2: a string, plain or Huffman-coded. */
  text(): string {
    const isCoded = this.#at < this.#block.length && this.peek() >= 0x80;
    const length = this.integer(7);
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    if (bytes.length < length) {
      throw new RangeError('a header block ends within a string');
    }
    this.#at += length;
    return isCoded ? decodeHuffman(bytes) : bytes.toString('latin1');
  }

  #byte(): number {
    const byte = this.#block[this.#at++];
    if (byte === undefined) {
      throw new RangeError('a header block ends within an integer');
    }
    return byte;
  }
}

function bytesOf([name, value]: Header): number {
  return name.length + value.length + entryOverheadBytes;
}

function writeInteger(bytes: number[], pattern: number, prefixBits: number, value: number): void {
  const limit = (1 << prefixBits) - 1;
  if (value < limit) {
    bytes.push(pattern | value);
    return;
  }
  bytes.push(pattern | limit);
  let rest = value - limit;
  for (; rest > 0x7f; rest >>>= 7) {
    bytes.push((rest & 0x7f) | 0x80);
  }
  bytes.push(rest);
}

function writeText(bytes: number[], text: string): void {
  writeInteger(bytes, 0, 7, text.length);
  bytes.push(...Buffer.from(text, 'latin1'));
}

/** Symbol by code; a leading 1 keeps codes of different lengths apart. */
function buildHuffmanCodes(): ReadonlyMap<number, string> {
  const codes = new Map<number, string>();
  let code = 0;
  let lengthBefore = 5;
  for (const [length, symbols] of huffmanSymbols) {
    code <<= length - lengthBefore;
    lengthBefore = length;
    for (const symbol of symbols) {
      codes.set((1 << length) | code, symbol);
      code++;
    }
  }
  return codes;
}

/** Bit by bit: a string is decoded once per connection, later the table has it. */
function decodeHuffman(bytes: Buffer): string {
  let text = '';
  let code = 1;
  let bits = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >>> bit) & 1);
      bits++;
      const symbol = huffmanCodes.get(code);
      if (symbol !== undefined) {
        text += symbol;
        code = 1;
        bits = 0;
      } else if (bits > huffmanBitsMax) {
        throw new RangeError('a header is not visible ASCII');
      }
    }
  }
  // What is left is padding: fewer than eight bits, all ones.
  if (bits > 7 || code !== (1 << (bits + 1)) - 1) {
    throw new RangeError('a Huffman-coded header ends within a symbol');
  }
  return text;
}
