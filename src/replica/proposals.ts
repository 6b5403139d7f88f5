/**
 * The proposals this member has taken from its clients and not yet answered.
 *
 * A proposal is *queued* until Raft takes it, then *proposed* in a term. It is answered when this
 * member applies its entry. One that surely can no longer commit goes back to the queue and is
 * proposed again, so that a change of leader costs a client time, not an error. One whose fate is
 * open when its time is up fails as `unknown`.
 *
 * Invariant: an id is in the log of the cluster at most once. A proposal is queued again only when
 * its earlier entry was refused, or an entry of a later term has been applied while its own had not
 * been: by log matching, no entry of the earlier term can be applied after that (Raft thesis
 * §3.6.3).
 */
import { assert, readUint32, readUint64, writeUint32, writeUint64 } from '../base/index.ts';
import type { NodeId, Term } from '../raft/index.ts';

/** Identifies a proposal within one run of one member; ascends from 1. */
export type ProposalId = number;

const envelopeVersion = 1;
/** Bytes of an envelope before its command: version, origin, incarnation, proposal id. */
export const envelopeBytes = 1 + 8 + 4 + 8;

/** Who proposed an entry, and the command it carries. */
export interface Envelope {
  readonly origin: NodeId;
  readonly incarnation: number;
  /** 0 when it answers no proposal. */
  readonly id: ProposalId;
  readonly command: Uint8Array;
}

/** Puts a command into the envelope that its log entry carries. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const bytes = new Uint8Array(envelopeBytes + envelope.command.length);
  fillEnvelope(bytes, envelope);
  bytes.set(envelope.command, envelopeBytes);
  return bytes;
}

/** Fills in the envelope of a command that stands {@link envelopeBytes} behind the start. */
function fillEnvelope(bytes: Uint8Array, source: Omit<Envelope, 'command'>): void {
  bytes[0] = envelopeVersion;
  writeUint64(bytes, 1, source.origin);
  writeUint32(bytes, 9, source.incarnation);
  writeUint64(bytes, 13, source.id);
}

/** Reads an envelope; the command shares memory with `bytes`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  assert(bytes.length >= envelopeBytes, () => `an envelope of ${bytes.length} bytes is too short`);
  assert(bytes[0] === envelopeVersion, () => `envelope version ${String(bytes[0])} is not known`);
  return {
    origin: readUint64(bytes, 1),
    incarnation: readUint32(bytes, 9),
    id: readUint64(bytes, 13),
    command: bytes.subarray(envelopeBytes),
  };
}

/** One unanswered proposal. */
interface Proposal {
  readonly id: ProposalId;
  readonly data: Uint8Array;
  readonly deadlineTick: number;
  /** The term in which Raft took it; undefined while it is queued. */
  proposedTerm: Term | undefined;
}

/** Why a proposal ended without a result, and whether its entry may still commit. */
export interface ProposalFailure {
  readonly id: ProposalId;
  readonly reason: 'timeout' | 'cancelled' | 'stopped' | 'overtaken';
  readonly outcome: 'rejected' | 'unknown';
}

/** What the table may hold. */
export interface ProposalLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}

/** See the module comment. */
export class ProposalTable {
  readonly #origin: NodeId;
  readonly #incarnation: number;
  readonly #limits: ProposalLimits;
  readonly #proposalsById = new Map<ProposalId, Proposal>();
  /** Ids waiting for Raft to take them, in the order of their arrival; may name ended ones. */
  #queue: ProposalId[] = [];
  #nextId: ProposalId = 1;
  /** Bytes of all unanswered proposals; bounded by `bytesMax`. */
  #bytes = 0;
  #oldestProposedTerm: Term | undefined;

  constructor(origin: NodeId, incarnation: number, limits: ProposalLimits) {
    this.#origin = origin;
    this.#incarnation = incarnation;
    this.#limits = limits;
  }

  get count(): number {
    return this.#proposalsById.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasQueued(): boolean {
    return this.#queue.length > 0;
  }

  /**
   * Queues a command, or says that the table is full: then nothing has happened. `data` becomes the
   * log entry's: the command, behind {@link envelopeBytes} that are filled in here.
   */
  maybeAdd(data: Uint8Array, deadlineTick: number): ProposalId | undefined {
    const size = data.length;
    const isFull =
      this.#proposalsById.size >= this.#limits.countMax ||
      (this.#proposalsById.size > 0 && this.#bytes + size > this.#limits.bytesMax);
    if (isFull) {
      return undefined;
    }
    const id = this.#nextId++;
    fillEnvelope(data, { origin: this.#origin, incarnation: this.#incarnation, id });
    this.#proposalsById.set(id, { id, data, deadlineTick, proposedTerm: undefined });
    this.#bytes += size;
    this.#queue.push(id);
    return id;
  }

  /**
   * The first of the queued proposals as one batch for Raft, in order: as many as `bytesMax` holds,
   * and at least one, if there is any.
   */
  takeQueued(bytesMax: number): {
    readonly ids: readonly ProposalId[];
    readonly data: readonly Uint8Array[];
  } {
    const ids: ProposalId[] = [];
    const data: Uint8Array[] = [];
    let bytes = 0;
    let passed = 0;
    for (const id of this.#queue) {
      const proposal = this.#proposalsById.get(id);
      if (proposal !== undefined) {
        bytes += proposal.data.length;
        if (ids.length > 0 && bytes > bytesMax) {
          break;
        }
        ids.push(id);
        data.push(proposal.data);
      }
      passed++;
    }
    this.#queue = this.#queue.slice(passed);
    return { ids, data };
  }

  /** Notes that Raft has taken these in `term`, here or at the leader. */
  markProposed(ids: readonly ProposalId[], term: Term): void {
    for (const id of ids) {
      const proposal = this.#proposalsById.get(id);
      if (proposal !== undefined) {
        proposal.proposedTerm = term;
      }
    }
    this.#oldestProposedTerm = Math.min(this.#oldestProposedTerm ?? term, term);
  }

  /** Puts proposals that surely had no effect at the head of the queue, in the order of `ids`. */
  requeue(ids: readonly ProposalId[]): void {
    const living = ids.filter((id) => this.#proposalsById.has(id));
    for (const id of living) {
      (this.#proposalsById.get(id) as Proposal).proposedTerm = undefined;
    }
    this.#queue = [...living, ...this.#queue];
  }

  /**
   * Queues again what a leader of `term` has refused, unless it has been queued or proposed again
   * since: the refusal may come late, when another leader is known already.
   */
  requeueRefused(ids: readonly ProposalId[], term: Term): void {
    this.requeue(ids.filter((id) => this.#proposalsById.get(id)?.proposedTerm === term));
  }

  /**
   * Queues again what was proposed in a term below `appliedTerm`, of which an entry was just
   * applied.
   */
  requeueLost(appliedTerm: Term): void {
    if (this.#oldestProposedTerm === undefined || this.#oldestProposedTerm >= appliedTerm) {
      return;
    }
    const lost: ProposalId[] = [];
    for (const proposal of this.#proposalsById.values()) {
      if (proposal.proposedTerm !== undefined && proposal.proposedTerm < appliedTerm) {
        lost.push(proposal.id);
      }
    }
    this.#oldestProposedTerm = undefined;
    for (const proposal of this.#proposalsById.values()) {
      const { proposedTerm } = proposal;
      if (proposedTerm !== undefined && proposedTerm >= appliedTerm) {
        this.#oldestProposedTerm = Math.min(this.#oldestProposedTerm ?? proposedTerm, proposedTerm);
      }
    }
    this.requeue(lost);
  }

  /**
   * The id when `envelope` is one of this run's unanswered proposals; it is answered and forgotten.
   */
  maybeResolve(envelope: Envelope): ProposalId | undefined {
    if (envelope.origin !== this.#origin || envelope.incarnation !== this.#incarnation) {
      return undefined;
    }
    return this.#forget(envelope.id) === undefined ? undefined : envelope.id;
  }

  /**
   * Ends what has been proposed and not answered: another state has taken the place of entries that
   * may have been theirs, so nobody can tell any more whether they took effect.
   */
  overtaken(): readonly ProposalFailure[] {
    const failures: ProposalFailure[] = [];
    for (const proposal of this.#proposalsById.values()) {
      if (proposal.proposedTerm !== undefined) {
        this.#forget(proposal.id);
        failures.push(failureOf(proposal, 'overtaken'));
      }
    }
    this.#oldestProposedTerm = undefined;
    return failures;
  }

  /** Ends one proposal early; undefined when it has been answered already. */
  cancel(id: ProposalId): ProposalFailure | undefined {
    const proposal = this.#forget(id);
    return proposal === undefined ? undefined : failureOf(proposal, 'cancelled');
  }

  /** Ends every proposal whose time is up at `tick`. */
  expire(tick: number): readonly ProposalFailure[] {
    const failures: ProposalFailure[] = [];
    for (const proposal of this.#proposalsById.values()) {
      if (proposal.deadlineTick <= tick) {
        this.#forget(proposal.id);
        failures.push(failureOf(proposal, 'timeout'));
      }
    }
    return failures;
  }

  /** Ends all of them: the member stops. */
  close(): readonly ProposalFailure[] {
    const failures = [...this.#proposalsById.values()].map((each) => failureOf(each, 'stopped'));
    this.#proposalsById.clear();
    this.#queue = [];
    this.#bytes = 0;
    return failures;
  }

  #forget(id: ProposalId): Proposal | undefined {
    const proposal = this.#proposalsById.get(id);
    if (proposal !== undefined) {
      this.#proposalsById.delete(id);
      this.#bytes -= proposal.data.length;
    }
    return proposal;
  }
}

function failureOf(proposal: Proposal, reason: ProposalFailure['reason']): ProposalFailure {
  const outcome = proposal.proposedTerm === undefined ? 'rejected' : 'unknown';
  return { id: proposal.id, reason, outcome };
}
