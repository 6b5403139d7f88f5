/**
 * What comes from the peers: messages for Raft, hashes of their state, calls for a snapshot, news
 * of the links. Everything here only tells whoever it concerns, and asks for a turn.
 */
import type { NodeId } from '../raft/index.ts';
import type { Announcement, PeerMessage, TransportHandler } from '../transport/index.ts';
import { type AdmissionGate, admit, refusedError } from './admission.ts';
import { type Guard, refusalsBy } from './guard.ts';
import type { Integrity } from './integrity.ts';
import type { MemberConfig } from './member-config.ts';
import type { MemberList } from './member-list.ts';
import type { MemberState } from './member-state.ts';
import type { Outbox } from './outbox.ts';
import type { Replica } from './replica.ts';
import type { Snapshots } from './snapshots.ts';

/** Whom it tells. */
export interface InboxOptions {
  readonly config: MemberConfig;
  readonly clusterId: number;
  readonly replica: Replica;
  readonly state: MemberState;
  readonly integrity: Integrity;
  readonly gate: AdmissionGate;
  readonly outbox: Outbox;
  readonly members: MemberList;
  readonly snapshots: Snapshots;
  /** What is told comes in through it. */
  readonly guard: Guard;
  /** Raft has been told something: a turn is due. */
  readonly onNews: () => void;
  /** The member cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

/** See the module comment. */
export function createInbox(options: InboxOptions): TransportHandler {
  const { config, clusterId, replica, state, integrity, gate, outbox, members } = options;
  const { snapshots, guard, onNews, onFatal } = options;
  const { eventLoop, incarnations, logger, name } = config;
  const refusal = refusalsBy(onFatal);
  return {
    onMessages: guard((messages: readonly PeerMessage[]) => {
      replica.noteTime(eventLoop.nowMs());
      for (const message of messages) {
        if (message.type === 'StateHash') {
          integrity.heard(message);
        } else if (message.type === 'Propose') {
          outbox.noteProposal(message.from);
        }
      }
      if (gate.isOpen) {
        replica.step(messages.flatMap((each) => (each.type === 'StateHash' ? [] : [each])));
      }
      onNews();
    }),
    onUnreachable: guard((peer: NodeId) => {
      replica.reportUnreachable(peer);
      onNews();
    }),
    onDown: guard((peer: NodeId) => {
      replica.reportDown(peer);
      onNews();
    }),
    onAnnounced: guard((peer: NodeId, { clientUrls }: Announcement) => {
      members.announce(peer, clientUrls);
    }),
    admit: async (from) => {
      try {
        return await admit(from, members, incarnations, state.machine);
      } catch (error) {
        throw refusal(error);
      }
    },
    onRefused: (peer, reason) => {
      onFatal(refusedError(reason, name, peer));
    },
    onSnapshotRequested: async (from, minIndex, formatVersionMax) => {
      const { quarantineRefusal } = integrity;
      if (quarantineRefusal !== undefined) {
        throw quarantineRefusal;
      }
      try {
        await state.lane.allReadable();
        const { chunks } = await snapshots.open(state.engine, { minIndex, formatVersionMax });
        logger.info({ event: 'snapshot-sending', peer: from, minIndex });
        return chunks;
      } catch (error) {
        throw refusal(error);
      }
    },
    describe: () => {
      try {
        return {
          clusterId,
          members: members.all(),
          removedIds: members.removedIds,
          appliedIndex: state.machine.lastApplied.index,
          level: state.machine.level,
        };
      } catch (error) {
        throw refusal(error);
      }
    },
  };
}
