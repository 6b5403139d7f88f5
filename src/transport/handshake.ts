/**
 * How two members make sure of each other: who calls, whom it means, what both understand, and
 * which answer says no.
 *
 * All of it is in a call's metadata. The caller offers the encodings that it speaks, and the member
 * that is called takes the newest that both do; a call is refused when there is none, with both
 * builds named (ADR-018). What every call must have right is checked here; whether a member of this
 * cluster is admitted is its handler's decision (`ports.ts`).
 */
import { Metadata } from '@grpc/grpc-js';
import { type ErrorCode, KvError } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import { encodings } from './codec.ts';
import type { Refusal, VersionRange } from './ports.ts';

/** Version of the calls that members make, before the dot of what builds without ranges compare. */
const callVersion = 2;

const headers = {
  /** `2.ENCODING`: all that builds say and compare that know of no ranges. */
  protocol: 'holdfast-protocol',
  /** `OLDEST-NEWEST` of the encodings that the caller speaks. */
  encodings: 'holdfast-encodings',
  /** In the answer: the encoding of the caller's messages on this stream. */
  encoding: 'holdfast-encoding',
  /** `OLDEST-NEWEST` of the feature levels that the caller reads. */
  levels: 'holdfast-levels',
  build: 'holdfast-build',
  cluster: 'holdfast-cluster',
  from: 'holdfast-from',
  to: 'holdfast-to',
  incarnation: 'holdfast-incarnation',
  clientUrls: 'holdfast-client-urls',
  peerUrls: 'holdfast-peer-urls',
} as const;

/** What a member says of itself when it calls another one. */
export interface MemberIdentity {
  readonly clusterId: number;
  readonly memberId: NodeId;
  /** Another number for each data directory that the member ever had. */
  readonly incarnation: number;
  /** Where clients reach it. */
  readonly clientUrls: readonly string[];
  /** Where members reach it, those included that do not know it yet. */
  readonly peerUrls: readonly string[];
  /** The program's version, for people. */
  readonly build: string;
  /** Feature levels that it reads. */
  readonly levels: VersionRange;
  /** Encodings that it speaks; those of this build outside tests. */
  readonly encodings?: VersionRange | undefined;
}

/** Who calls. */
export interface Caller {
  readonly id: NodeId;
  readonly incarnation: number;
  readonly clientUrls: readonly string[];
  readonly peerUrls: readonly string[];
  readonly build: string;
  readonly levels: VersionRange;
  /** The newest encoding that both members speak. */
  readonly encoding: number;
}

/** What builds read that do not say it. */
const unsaidLevels: VersionRange = { oldest: 1, newest: 1 };

/** The metadata of a call to member `to`. */
export function callMetadata(own: MemberIdentity, to: NodeId): Metadata {
  const metadata = new Metadata();
  const spoken = own.encodings ?? encodings;
  metadata.set(headers.protocol, `${callVersion}.${spoken.oldest}`);
  metadata.set(headers.encodings, rangeText(spoken));
  metadata.set(headers.levels, rangeText(own.levels));
  metadata.set(headers.build, own.build);
  metadata.set(headers.cluster, String(own.clusterId));
  metadata.set(headers.from, String(own.memberId));
  metadata.set(headers.to, String(to));
  metadata.set(headers.incarnation, String(own.incarnation));
  metadata.set(headers.clientUrls, own.clientUrls.join(','));
  metadata.set(headers.peerUrls, own.peerUrls.join(','));
  return metadata;
}

/** The metadata that answers a caller whose stream is taken. */
export function answerMetadata(own: MemberIdentity, { encoding }: Caller): Metadata {
  const metadata = new Metadata();
  metadata.set(headers.encoding, String(encoding));
  metadata.set(headers.build, own.build);
  return metadata;
}

/**
 * Reads the encoding that a called member has chosen. One that says none knows of no ranges, and
 * has compared the one version that it was told.
 *
 * @throws {KvError} VERSION_MISMATCH — it was not offered.
 */
export function readAnswer(answer: Metadata, own: MemberIdentity): number {
  const spoken = own.encodings ?? encodings;
  const text = valueOf(answer, headers.encoding);
  const encoding = text === '' ? spoken.oldest : numberIn(answer, headers.encoding);
  if (encoding < spoken.oldest || encoding > spoken.newest) {
    throw new KvError('VERSION_MISMATCH', {
      message: `the peer has chosen encoding ${encoding}, and was offered ${rangeText(spoken)}`,
    });
  }
  return encoding;
}

/**
 * Reads who calls.
 *
 * @throws {KvError} VERSION_MISMATCH, CLUSTER_ID_MISMATCH, INVALID_ARGUMENT — there is no encoding
 *   that both speak, the call is not meant for this member, or does not say who calls.
 */
export function readCaller(metadata: Metadata, own: MemberIdentity): Caller {
  const encoding = agreedEncoding(metadata, own);
  const expected = [
    [headers.cluster, String(own.clusterId), 'cluster id', 'CLUSTER_ID_MISMATCH'],
    [headers.to, String(own.memberId), 'member id', 'INVALID_ARGUMENT'],
  ] as const;
  for (const [name, mine, what, code] of expected) {
    const theirs = valueOf(metadata, name);
    if (theirs !== mine) {
      throw new KvError(code, {
        message: `this member has ${what} ${mine}, but was dialled as ${theirs}`,
      });
    }
  }
  const id = numberIn(metadata, headers.from);
  if (id === 0 || id === own.memberId) {
    throw new KvError('INVALID_ARGUMENT', { message: `a caller cannot be member ${id}` });
  }
  return {
    id,
    incarnation: numberIn(metadata, headers.incarnation),
    clientUrls: listIn(metadata, headers.clientUrls),
    peerUrls: listIn(metadata, headers.peerUrls),
    build: buildOf(metadata),
    levels: rangeIn(metadata, headers.levels) ?? unsaidLevels,
    encoding,
  };
}

/** @throws {KvError} VERSION_MISMATCH — there is none. */
function agreedEncoding(metadata: Metadata, own: MemberIdentity): number {
  const spoken = own.encodings ?? encodings;
  const offered = rangeIn(metadata, headers.encodings) ?? legacyEncodings(metadata);
  const newest = Math.min(spoken.newest, offered?.newest ?? 0);
  if (offered === undefined || newest < Math.max(spoken.oldest, offered.oldest)) {
    const theirs = offered === undefined ? 'none that is known here' : rangeText(offered);
    throw new KvError('VERSION_MISMATCH', {
      message:
        `this member (build ${own.build}) speaks encodings ${rangeText(spoken)} of peer ` +
        `messages, the caller (build ${buildOf(metadata)}) ${theirs}: they have none in common. ` +
        'Put a build between the two on the older one first (docs/upgrading.md).',
    });
  }
  return newest;
}

/** What a build without ranges speaks; undefined if that is something else altogether. */
function legacyEncodings(metadata: Metadata): VersionRange | undefined {
  const [, encoding] = /^2\.(\d{1,9})$/.exec(valueOf(metadata, headers.protocol)) ?? [];
  return encoding === undefined
    ? undefined
    : { oldest: Number(encoding), newest: Number(encoding) };
}

function buildOf(metadata: Metadata): string {
  const build = valueOf(metadata, headers.build);
  return build === '' ? 'unknown, so of 0.1.0 or before' : build;
}

function rangeText({ oldest, newest }: VersionRange): string {
  return `${oldest}-${newest}`;
}

/** @throws {KvError} INVALID_ARGUMENT — there is something, and it is no range. */
function rangeIn(metadata: Metadata, name: string): VersionRange | undefined {
  const value = valueOf(metadata, name);
  if (value === '') {
    return undefined;
  }
  const [, from, to] = /^(\d{1,9})-(\d{1,9})$/.exec(value) ?? [];
  const range = { oldest: Number(from), newest: Number(to) };
  if (from === undefined || range.oldest > range.newest) {
    throw new KvError('INVALID_ARGUMENT', { message: `${name} is no range: ${value}` });
  }
  return range;
}

const refusals: Readonly<Record<Refusal, readonly [code: ErrorCode, reason: string]>> = {
  removed: ['MEMBER_REMOVED', 'was removed from this cluster'],
  'lost-data': ['DATA_DIR_MISMATCH', 'was known here with another data directory'],
  'unknown-member': ['MEMBER_NOT_FOUND', 'is not a member of this cluster'],
  level: ['VERSION_MISMATCH', "does not read the cluster's feature level"],
};

/** The error that tells member `id` why it is not taken; its `details` name the refusal. */
export function refusalError(id: NodeId, refusal: Refusal): KvError {
  const [code, reason] = refusals[refusal];
  return new KvError(code, { message: `member ${id} ${reason}`, details: { refusal } });
}

/** The value as one of the refusals, if it is one. */
export function refusalOf(value: unknown): Refusal | undefined {
  return typeof value === 'string' && Object.hasOwn(refusals, value)
    ? (value as Refusal)
    : undefined;
}

function valueOf(metadata: Metadata, name: string): string {
  return String(metadata.get(name)[0] ?? '');
}

function listIn(metadata: Metadata, name: string): readonly string[] {
  const value = valueOf(metadata, name);
  return value === '' ? [] : value.split(',');
}

function numberIn(metadata: Metadata, name: string): number {
  const value = valueOf(metadata, name);
  const number = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number)) {
    throw new KvError('INVALID_ARGUMENT', { message: `${name} is no number: ${value}` });
  }
  return number;
}
