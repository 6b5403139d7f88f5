/**
 * Who may take part: whom this member listens to, when it may vote at all, and what it says when
 * the others do not listen to it any more.
 *
 * A member's votes and entries are in its data directory. Every member remembers, durably, which
 * directory each of the others has, before it takes the first word from it. So one that comes back
 * without its data is recognised by whoever ever counted its vote or its copy of an entry.
 *
 * One that has nothing at all cannot know whether it had more. Before it takes part it waits until
 * a majority of the others listens to it: of the first members of a new cluster, or of those whom
 * the cluster describes to one that joins it. An earlier self has waited for one too, and any two
 * of them have a member in common, which refuses the later self. In a new cluster of three this
 * means that all three have to be up once (ADR-010).
 */
import { KvError } from '../base/index.ts';
import type { HardState, LogSummary, NodeId } from '../raft/index.ts';
import { readsLevel } from '../kv/index.ts';
import type { Admission, Applicant, Refusal, Transport } from '../transport/index.ts';
import type { MemberList } from './member-list.ts';
import type { EventLogger } from './reporting.ts';

/** Remembers which data directory each peer has; durable before it answers. */
export interface PeerIncarnations {
  record(peer: NodeId, incarnation: number): Promise<'new' | 'same' | 'other'>;
}

/** Decides whether this member listens to another one of its cluster. */
export async function admit(
  peer: Applicant,
  members: MemberList,
  incarnations: PeerIncarnations,
  state: { readonly level: number },
): Promise<Admission> {
  const known = await incarnations.record(peer.id, peer.incarnation);
  // Looked at last: it may have been removed while this was being written down.
  if (members.isRemoved(peer.id)) {
    return 'removed';
  }
  if (known === 'other') {
    return 'lost-data';
  }
  return readsLevel(peer.levels, state.level) ? 'ok' : 'level';
}

/** Whether a member has never voted nor stored anything, as far as its disk knows. */
export function isBlank(log: LogSummary, hardState: HardState): boolean {
  return hardState.currentTerm === 0 && log.lastIndex === 0 && log.snapshotIndex === 0;
}

/**
 * How many others must listen to a blank member of a cluster of `size` before it takes part.
 *
 * @internal for tests.
 */
export function listenersNeeded(size: number): number {
  return size < 2 ? 0 : Math.floor((size - 1) / 2) + 1;
}

/** Holds a member without any data back until enough others listen to it. */
export class AdmissionGate {
  #isOpen: boolean;
  #ticks = 0;
  readonly #members: MemberList;
  readonly #host: { readonly transport: Transport; readonly logger: EventLogger };

  constructor(
    isBlank: boolean,
    members: MemberList,
    host: { readonly transport: Transport; readonly logger: EventLogger },
  ) {
    this.#members = members;
    this.#host = host;
    this.#isOpen = !isBlank || listenersNeeded(members.all().length) === 0;
  }

  /** Whether the member takes part. Once it does, it does for good. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True when this look, one each tick, has opened it. */
  tick(): boolean {
    if (this.#isOpen) {
      return false;
    }
    const { transport, logger } = this.#host;
    const needed = listenersNeeded(this.#members.all().length);
    const listening = transport.links().filter((link) => link.isConnected).length;
    this.#isOpen = listening >= needed;
    if (!this.#isOpen && this.#ticks++ % logTicks === 0) {
      logger.info({ event: 'waiting-for-members', needed, listening });
    }
    return this.#isOpen;
  }
}

/** Ticks between log lines of a member that waits for others. */
const logTicks = 50;

/** What a member stops with that others refuse for good. */
export function refusedError(
  reason: Exclude<Refusal, 'unknown-member'>,
  name: string,
  peer: NodeId,
): KvError {
  if (reason === 'level') {
    return new KvError('VERSION_MISMATCH', {
      message:
        `member ${name} stops: it does not read the feature level of its cluster, says peer ` +
        `${peer.toString(16)}. Start it with the build that the other members run, and without ` +
        '--feature-level-max if that is set (docs/upgrading.md). Its data is as it was.',
    });
  }
  if (reason === 'removed') {
    return new KvError('MEMBER_REMOVED', {
      message:
        `member ${name} has been removed from the cluster and stops. Its data directory may be ` +
        'deleted; to bring it back, add it as a new member and start it with an empty one.',
    });
  }
  return new KvError('DATA_DIR_MISMATCH', {
    message:
      `member ${name} has come back without the data it had: peer ${peer.toString(16)} knew it ` +
      'with another data directory. It must not vote under its old identity, so it stops. Bring ' +
      'the old data directory back, or remove the member and add it as a new one ' +
      '(holdfast member remove, holdfast member add, --initial-cluster-state existing).',
  });
}
