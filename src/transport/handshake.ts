/**
 * How two members make sure of each other: who calls, whom it means, and which answer says no.
 *
 * All of it is in a call's metadata. What every call must have right is checked here; whether a
 * member of this cluster is admitted is its handler's decision (`ports.ts`).
 */
import { Metadata } from '@grpc/grpc-js';
import { type ErrorCode, KvError } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import { codecVersion } from './codec.ts';
import type { Refusal } from './ports.ts';

/**
 * Version of what members say to each other, calls and the encoding of messages; members of another
 * version refuse each other.
 */
const protocolVersion = `2.${codecVersion}`;

const headers = {
  protocol: 'holdfast-protocol',
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
}

/** Who calls. */
export interface Caller {
  readonly id: NodeId;
  readonly incarnation: number;
  readonly clientUrls: readonly string[];
  readonly peerUrls: readonly string[];
}

/** The metadata of a call to member `to`. */
export function callMetadata(own: MemberIdentity, to: NodeId): Metadata {
  const metadata = new Metadata();
  metadata.set(headers.protocol, protocolVersion);
  metadata.set(headers.cluster, String(own.clusterId));
  metadata.set(headers.from, String(own.memberId));
  metadata.set(headers.to, String(to));
  metadata.set(headers.incarnation, String(own.incarnation));
  metadata.set(headers.clientUrls, own.clientUrls.join(','));
  metadata.set(headers.peerUrls, own.peerUrls.join(','));
  return metadata;
}

/**
 * Reads who calls.
 *
 * @throws {KvError} CLUSTER_ID_MISMATCH, INVALID_ARGUMENT — the call is not meant for this member,
 *   or does not say who calls.
 */
export function readCaller(metadata: Metadata, own: MemberIdentity): Caller {
  const spoken = valueOf(metadata, headers.protocol);
  if (spoken !== protocolVersion) {
    throw new KvError('INVALID_ARGUMENT', {
      message:
        `this member speaks protocol version ${protocolVersion}, the caller ${spoken}: ` +
        'run versions of Holdfast that understand each other on all members',
    });
  }
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
  };
}

const refusals: Readonly<Record<Refusal, readonly [code: ErrorCode, reason: string]>> = {
  removed: ['MEMBER_REMOVED', 'was removed from this cluster'],
  'lost-data': ['DATA_DIR_MISMATCH', 'was known here with another data directory'],
  'unknown-member': ['MEMBER_NOT_FOUND', 'is not a member of this cluster'],
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
