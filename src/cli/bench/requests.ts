/**
 * The requests of etcd's `KV` service as bytes ready to send: protobuf written by hand behind the
 * five bytes that frame a gRPC message.
 *
 * Why by hand: the load generator shares the machine with what it measures, and a general encoder
 * costs more than sending the bytes. Field numbers are those of `proto/etcd/rpc.proto`; a test
 * decodes every shape by that contract.
 */

/** gRPC's frame: one byte that says "not compressed", then the length. */
const frameHeaderBytes = 5;

const wireVarint = 0;
const wireBytes = 2;

const putKey = 1;
const putValue = 2;
const rangeKey = 1;
const rangeSerializable = 7;
const compareResult = 1;
const compareTarget = 2;
const compareKey = 3;
const compareModRevision = 6;
const txnCompare = 1;
const txnSuccess = 2;
const opPut = 2;

const resultLess = 2;
const targetMod = 2;
/** As a varint: seven times 0xff, then 0x0f; no revision reaches 2⁵³ - 1. */
const endlessRevision = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);

/** A key and its new value. */
export interface KeyValuePair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The frame of a `PutRequest`. */
export function framePut(put: KeyValuePair): Buffer {
  const frame = allocateFrame(putLength(put));
  writePut(frame, frameHeaderBytes, put);
  return frame;
}

/** The frame of a `RangeRequest` for one key. */
export function frameRange(key: Uint8Array, isSerializable: boolean): Buffer {
  const frame = allocateFrame(fieldLength(key.length) + (isSerializable ? 2 : 0));
  const at = writeBytesField(frame, frameHeaderBytes, rangeKey, key);
  if (isSerializable) {
    writeSmallField(frame, at, rangeSerializable, 1);
  }
  return frame;
}

/**
 * The frame of a `TxnRequest`: if the first key's `mod_revision` is below a bound, then put every
 * pair.
 *
 * @remarks The shape is that of optimistic locking. The bound is one that no revision reaches, so
 * that the puts always happen and every transaction costs the same.
 */
export function frameTxn(puts: readonly KeyValuePair[]): Buffer {
  const [first] = puts;
  if (first === undefined) {
    throw new Error('a transaction of the load generator puts at least one key');
  }
  const comparison = 2 + 2 + fieldLength(first.key.length) + 1 + endlessRevision.length;
  const operations = puts.map((put) => fieldLength(putLength(put)));
  const length = operations.reduce((sum, it) => sum + fieldLength(it), fieldLength(comparison));

  const frame = allocateFrame(length);
  let at = writeHeader(frame, frameHeaderBytes, txnCompare, comparison);
  at = writeSmallField(frame, at, compareResult, resultLess);
  at = writeSmallField(frame, at, compareTarget, targetMod);
  at = writeBytesField(frame, at, compareKey, first.key);
  frame[at++] = (compareModRevision << 3) | wireVarint;
  frame.set(endlessRevision, at);
  at += endlessRevision.length;
  for (const [i, put] of puts.entries()) {
    at = writeHeader(frame, at, txnSuccess, operations[i] as number);
    at = writeHeader(frame, at, opPut, putLength(put));
    at = writePut(frame, at, put);
  }
  return frame;
}

/** Bytes of the tag of {@link tagPut}. */
export const tagBytes = 4;

/** Writes a number into the first bytes of a put's value, by which its event is known again. */
export function tagPut(frame: Buffer, valueSizeBytes: number, tag: number): void {
  // The value stands last.
  frame.writeUInt32BE(tag, frame.length - valueSizeBytes);
}

/** Puts a message that is already encoded into a frame. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = allocateFrame(message.length);
  frame.set(message, frameHeaderBytes);
  return frame;
}

/** Takes the message out of a frame; undefined unless it is exactly one whole message. */
export function unframeMessage(frame: Buffer): Buffer | undefined {
  const isWhole =
    frame.length >= frameHeaderBytes &&
    frame[0] === 0 &&
    frame.readUInt32BE(1) === frame.length - frameHeaderBytes;
  return isWhole ? frame.subarray(frameHeaderBytes) : undefined;
}

function allocateFrame(messageBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + messageBytes);
  frame[0] = 0;
  frame.writeUInt32BE(messageBytes, 1);
  return frame;
}

function putLength({ key, value }: KeyValuePair): number {
  return fieldLength(key.length) + fieldLength(value.length);
}

function writePut(target: Buffer, at: number, { key, value }: KeyValuePair): number {
  return writeBytesField(target, writeBytesField(target, at, putKey, key), putValue, value);
}

/** Bytes of a field with its tag and length; all field numbers here are below 16. */
function fieldLength(length: number): number {
  return 1 + varintLength(length) + length;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) {
    length++;
  }
  return length;
}

function writeBytesField(target: Buffer, at: number, field: number, bytes: Uint8Array): number {
  const start = writeHeader(target, at, field, bytes.length);
  target.set(bytes, start);
  return start + bytes.length;
}

/** Writes tag and length of a field with bytes; returns where the bytes go. */
function writeHeader(target: Buffer, at: number, field: number, length: number): number {
  let position = at;
  target[position++] = (field << 3) | wireBytes;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) {
    target[position++] = (rest & 0x7f) | 0x80;
  }
  target[position++] = rest;
  return position;
}

/** Writes an enum or boolean whose number is below 128. */
function writeSmallField(target: Buffer, at: number, field: number, value: number): number {
  target[at] = (field << 3) | wireVarint;
  target[at + 1] = value;
  return at + 2;
}
