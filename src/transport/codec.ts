/**
 * Messages between members as bytes, and the gate where numbers from the network are checked.
 *
 * A message is a byte for its encoding, a type byte, its fields in a fixed order (big-endian, 64
 * bits for ids, terms and indexes) and, for appends and proposals, data after its length. Decoding
 * shares memory with its input. The encoded entries of the last append are kept: a leader sends the
 * same ones to every follower.
 *
 * Which encoding two members use is agreed for each stream at its start (`handshake.ts`). A new one
 * raises `encodings.newest`; the one before stays, in both directions, until no build that speaks
 * nothing newer may be met any more (ADR-018).
 */
import { KvError } from '../base/index.ts';
import type { ConfChangeProposal, DropReason, Entry, NodeId } from '../raft/index.ts';
import type { PeerMessage, StateHashReport } from './ports.ts';

/** Encodings of messages that are spoken here: every one from `oldest` to `newest`. */
export const encodings = { oldest: 4, newest: 4 } as const;

const messageTypes = [
  'RequestVote',
  'RequestVoteResponse',
  'PreVote',
  'PreVoteResponse',
  'AppendEntries',
  'AppendEntriesResponse',
  'Heartbeat',
  'HeartbeatResponse',
  'TimeoutNow',
  'TransferLeader',
  'Propose',
  'ProposeRejected',
  'ReadIndex',
  'ReadIndexResponse',
  'InstallSnapshot',
  'ProposeConfChange',
  'StateHash',
  'CommitNotice',
] as const satisfies readonly PeerMessage['type'][];

const dropReasons = [
  'no-leader',
  'transferring',
  'log-full',
  'not-leader',
  'removed',
  'conf-stale',
  'conf-pending',
  'conf-invalid',
  'learner-not-ready',
  'quorum-at-risk',
] as const satisfies readonly DropReason[];
const entryTypes = ['normal', 'confChange'] as const;

/** encoding, type, from, to, term; a state hash has no term, and 0 in its place */
const envelopeBytes = 2 + 3 * 8;
/** term, type, length of data */
const entryHeadBytes = 8 + 1 + 4;

/** Writes fields one after the other. */
class Writer {
  readonly bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  uint8(value: number): void {
    this.bytes[this.#at++] = value;
  }

  uint32(value: number): void {
    this.#at = this.bytes.writeUInt32BE(value, this.#at);
  }

  uint64(value: number): void {
    this.uint32(Math.floor(value / 0x1_0000_0000));
    this.uint32(value >>> 0);
  }

  bits64(value: bigint): void {
    this.#at = this.bytes.writeBigUInt64BE(value, this.#at);
  }

  data(value: Uint8Array): void {
    this.bytes.set(value, this.#at);
    this.#at += value.length;
  }

  ids(ids: readonly NodeId[]): void {
    this.uint32(ids.length);
    for (const id of ids) {
      this.uint64(id);
    }
  }
}

/** Reads fields one after the other; whatever does not fit is an error, never a guess. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  uint8(): number {
    this.#need(1);
    return this.#bytes[this.#at++] as number;
  }

  uint32(): number {
    this.#need(4);
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  uint64(): number {
    const value = this.uint32() * 0x1_0000_0000 + this.uint32();
    if (!Number.isSafeInteger(value)) {
      throw malformed('a number is above 2^53-1');
    }
    return value;
  }

  bits64(): bigint {
    this.#need(8);
    const value = this.#bytes.readBigUInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  flag(): boolean {
    return this.choice([false, true]);
  }

  choice<T>(choices: readonly T[]): T {
    const at = this.uint8();
    if (at >= choices.length) {
      throw malformed(`${at} is none of ${choices.length} choices`);
    }
    return choices[at] as T;
  }

  data(length: number): Uint8Array {
    this.#need(length);
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  ids(): readonly NodeId[] {
    const count = this.uint32();
    const ids: NodeId[] = [];
    for (let i = 0; i < count; i++) {
      ids.push(this.uint64());
    }
    return ids;
  }

  #need(length: number): void {
    if (this.#at + length > this.#bytes.length) {
      throw malformed(`it ends at ${this.#bytes.length}, within a field of ${length} bytes`);
    }
  }
}

/** Encodes messages of one member; keeps the last entries it has encoded. */
export class MessageEncoder {
  #lastEntries: readonly Entry[] = [];
  #lastBlob: Buffer = Buffer.alloc(0);
  #lastEncoding = 0;

  /** @param encoding - what the stream that it is for has agreed on */
  encode(message: PeerMessage, encoding: number): Buffer {
    const entries =
      message.type === 'AppendEntries' ? this.#encodeEntries(message.entries, encoding) : undefined;
    const writer = new Writer(envelopeBytes + bodyBytes(message, entries));
    writer.uint8(encoding);
    writer.uint8(messageTypes.indexOf(message.type));
    writer.uint64(message.from);
    writer.uint64(message.to);
    writer.uint64(message.type === 'StateHash' ? 0 : message.term);
    writeBody(writer, message, entries);
    return writer.bytes;
  }

  #encodeEntries(entries: readonly Entry[], encoding: number): Buffer {
    const last = this.#lastEntries;
    const isLast =
      entries.length > 0 &&
      encoding === this.#lastEncoding &&
      entries.length === last.length &&
      entries[0] === last[0] &&
      entries.at(-1) === last.at(-1);
    if (!isLast) {
      this.#lastBlob = encodeEntries(entries);
      this.#lastEntries = entries;
      this.#lastEncoding = encoding;
    }
    return this.#lastBlob;
  }
}

/**
 * Decodes one message.
 *
 * @param encoding - what the stream that it came on has agreed on
 * @throws {KvError} INVALID_ARGUMENT — the bytes are not a message in that encoding.
 */
export function decodeMessage(bytes: Buffer, encoding: number): PeerMessage {
  const reader = new Reader(bytes);
  const found = reader.uint8();
  if (found !== encoding) {
    throw malformed(`it has encoding ${found}, and its stream has ${encoding}`);
  }
  const type = reader.choice(messageTypes);
  const envelope = { from: reader.uint64(), to: reader.uint64(), term: reader.uint64() };
  const message = readBody(reader, type, envelope);
  if (!reader.isAtEnd) {
    throw malformed(`bytes follow a ${type}`);
  }
  return message;
}

function bodyBytes(message: PeerMessage, entries: Buffer | undefined): number {
  switch (message.type) {
    case 'RequestVote':
    case 'PreVote':
      return 17;
    case 'RequestVoteResponse':
    case 'PreVoteResponse':
      return 1;
    case 'AppendEntries':
      return 28 + (entries?.length ?? 0);
    case 'AppendEntriesResponse':
      return 25;
    case 'Heartbeat':
    case 'CommitNotice':
    case 'ReadIndexResponse':
    case 'InstallSnapshot':
      return 16;
    case 'HeartbeatResponse':
      return 12;
    case 'TransferLeader':
    case 'ReadIndex':
      return 8;
    case 'TimeoutNow':
      return 0;
    case 'Propose':
      return message.proposals.reduce((sum, proposal) => sum + 4 + proposal.length, 12);
    case 'ProposeRejected':
      return 9;
    case 'ProposeConfChange':
      return 28 + 8 * (message.voters.length + message.learners.length) + message.data.length;
    case 'StateHash':
      return 16;
  }
}

function writeBody(writer: Writer, message: PeerMessage, entries: Buffer | undefined): void {
  switch (message.type) {
    case 'RequestVote':
    case 'PreVote':
      writer.uint64(message.lastIndex);
      writer.uint64(message.lastTerm);
      writer.uint8(message.isTransfer ? 1 : 0);
      break;
    case 'RequestVoteResponse':
    case 'PreVoteResponse':
      writer.uint8(message.isGranted ? 1 : 0);
      break;
    case 'AppendEntries':
      writer.uint64(message.prevLogIndex);
      writer.uint64(message.prevLogTerm);
      writer.uint64(message.commitIndex);
      writer.uint32(message.entries.length);
      writer.data(entries ?? Buffer.alloc(0));
      break;
    case 'AppendEntriesResponse':
      writer.uint8(message.isRejected ? 1 : 0);
      writer.uint64(message.index);
      writer.uint64(message.hintIndex);
      writer.uint64(message.hintTerm);
      break;
    case 'Heartbeat':
      writer.uint64(message.commitIndex);
      writer.uint64(message.readRound);
      break;
    case 'CommitNotice':
      writer.uint64(message.commitIndex);
      writer.uint64(message.commitTerm);
      break;
    case 'HeartbeatResponse':
      writer.uint64(message.readRound);
      writer.uint32(message.leaseMs ?? 0);
      break;
    case 'TimeoutNow':
      break;
    case 'TransferLeader':
      writer.uint64(message.target);
      break;
    case 'Propose':
      writer.uint64(message.context);
      writeProposals(writer, message.proposals);
      break;
    case 'ProposeRejected':
      writer.uint64(message.context);
      writer.uint8(dropReasons.indexOf(message.reason));
      break;
    case 'ReadIndex':
      writer.uint64(message.context);
      break;
    case 'ReadIndexResponse':
      writer.uint64(message.context);
      writer.uint64(message.index);
      break;
    case 'InstallSnapshot':
      writer.uint64(message.index);
      writer.uint64(message.source);
      break;
    case 'ProposeConfChange':
      writeConfChange(writer, message);
      break;
    case 'StateHash':
      writer.uint64(message.index);
      writer.bits64(message.hash);
      break;
  }
}

function writeProposals(writer: Writer, proposals: readonly Uint8Array[]): void {
  writer.uint32(proposals.length);
  for (const proposal of proposals) {
    writer.uint32(proposal.length);
    writer.data(proposal);
  }
}

function writeConfChange(
  writer: Writer,
  { context, baseIndex, voters, learners, data }: ConfChangeFields,
): void {
  writer.uint64(context);
  writer.uint64(baseIndex);
  writer.ids(voters);
  writer.ids(learners);
  writer.uint32(data.length);
  writer.data(data);
}

interface ConfChangeFields extends ConfChangeProposal {
  readonly context: number;
}

interface EnvelopeFields {
  readonly from: number;
  readonly to: number;
  readonly term: number;
}

function readBody(
  reader: Reader,
  type: PeerMessage['type'],
  envelope: EnvelopeFields,
): PeerMessage {
  switch (type) {
    case 'RequestVote':
    case 'PreVote': {
      const lastIndex = reader.uint64();
      const lastTerm = reader.uint64();
      return { type, ...envelope, lastIndex, lastTerm, isTransfer: reader.flag() };
    }
    case 'RequestVoteResponse':
    case 'PreVoteResponse':
      return { type, ...envelope, isGranted: reader.flag() };
    case 'AppendEntries': {
      const prevLogIndex = reader.uint64();
      const prevLogTerm = reader.uint64();
      const commitIndex = reader.uint64();
      const entries = readEntries(reader, prevLogIndex);
      return { type, ...envelope, prevLogIndex, prevLogTerm, commitIndex, entries };
    }
    case 'AppendEntriesResponse': {
      const isRejected = reader.flag();
      const index = reader.uint64();
      const hintIndex = reader.uint64();
      return { type, ...envelope, isRejected, index, hintIndex, hintTerm: reader.uint64() };
    }
    case 'Heartbeat': {
      const commitIndex = reader.uint64();
      return { type, ...envelope, commitIndex, readRound: reader.uint64() };
    }
    case 'CommitNotice': {
      const commitIndex = reader.uint64();
      return { type, ...envelope, commitIndex, commitTerm: reader.uint64() };
    }
    case 'HeartbeatResponse': {
      const readRound = reader.uint64();
      const leaseMs = reader.uint32();
      return { type, ...envelope, readRound, leaseMs: leaseMs === 0 ? undefined : leaseMs };
    }
    case 'TimeoutNow':
      return { type, ...envelope };
    case 'TransferLeader':
      return { type, ...envelope, target: reader.uint64() };
    case 'Propose': {
      const context = reader.uint64();
      return { type, ...envelope, context, proposals: readProposals(reader) };
    }
    case 'ProposeRejected': {
      const context = reader.uint64();
      return { type, ...envelope, context, reason: reader.choice(dropReasons) };
    }
    case 'ReadIndex':
      return { type, ...envelope, context: reader.uint64() };
    case 'ReadIndexResponse': {
      const context = reader.uint64();
      return { type, ...envelope, context, index: reader.uint64() };
    }
    case 'InstallSnapshot': {
      const index = reader.uint64();
      return { type, ...envelope, index, source: reader.uint64() };
    }
    case 'ProposeConfChange':
      return { type, ...envelope, ...readConfChange(reader) };
    case 'StateHash':
      return readStateHash(reader, envelope);
  }
}

function encodeEntries(entries: readonly Entry[]): Buffer {
  let size = 0;
  for (const entry of entries) {
    size += entryHeadBytes + entry.data.length;
  }
  const writer = new Writer(size);
  for (const entry of entries) {
    writer.uint64(entry.term);
    writer.uint8(entryTypes.indexOf(entry.type));
    writer.uint32(entry.data.length);
    writer.data(entry.data);
  }
  return writer.bytes;
}

function readEntries(reader: Reader, prevLogIndex: number): readonly Entry[] {
  const count = reader.uint32();
  if (!Number.isSafeInteger(prevLogIndex + count)) {
    throw malformed('the index of an entry is above 2^53-1');
  }
  const entries: Entry[] = [];
  for (let i = 1; i <= count; i++) {
    const term = reader.uint64();
    const type = reader.choice(entryTypes);
    entries.push({ term, index: prevLogIndex + i, type, data: reader.data(reader.uint32()) });
  }
  return entries;
}

function readConfChange(reader: Reader): ConfChangeFields {
  const context = reader.uint64();
  const baseIndex = reader.uint64();
  const voters = reader.ids();
  const learners = reader.ids();
  return { context, baseIndex, voters, learners, data: reader.data(reader.uint32()) };
}

function readStateHash(reader: Reader, { from, to, term }: EnvelopeFields): StateHashReport {
  if (term !== 0) {
    throw malformed('a StateHash has a term');
  }
  return { type: 'StateHash', from, to, index: reader.uint64(), hash: reader.bits64() };
}

function readProposals(reader: Reader): readonly Uint8Array[] {
  const count = reader.uint32();
  const proposals: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    proposals.push(reader.data(reader.uint32()));
  }
  return proposals;
}

function malformed(what: string): KvError {
  return new KvError('INVALID_ARGUMENT', { message: `malformed peer message: ${what}` });
}
