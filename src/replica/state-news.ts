/**
 * What comes from the state: what has been applied to it, who the members are by it, and another
 * one in its place. As with the inbox, everything here only tells whoever it concerns, and asks for
 * a turn.
 */
import type { ApplyOutput, MetaChange } from '../kv/index.ts';
import { type Configuration, decodeConfiguration, type LogIndex } from '../raft/index.ts';
import type { Transport } from '../transport/index.ts';
import type { Applying } from './applying.ts';
import type { ApplyBatch } from './effects.ts';
import type { Integrity } from './integrity.ts';
import type { MemberConfig } from './member-config.ts';
import type { MemberList } from './member-list.ts';
import type { MemberState } from './member-state.ts';
import type { Replica } from './replica.ts';
import { reportAuthChange } from './reporting.ts';
import type { Watches } from './watches.ts';

/** Whom it tells. */
export interface StateNewsOptions {
  readonly config: Pick<MemberConfig, 'id' | 'peerOf' | 'eventLoop' | 'logger'> & {
    readonly transport: Pick<Transport, 'setPeers' | 'hangUp'>;
  };
  readonly replica: Pick<Replica, 'noteTime' | 'noteState' | 'applyDone' | 'readable'>;
  readonly state: MemberState;
  readonly members: MemberList;
  readonly applying: Applying;
  readonly watches: Pick<Watches, 'applied' | 'replaced' | 'reauthorise'>;
  readonly integrity: Pick<Integrity, 'replaced'>;
  /** A turn is due. */
  readonly onNews: () => void;
  /** This member has applied its own removal. */
  readonly onRemoved: () => void;
}

/** See the module comment. */
export class StateNews {
  readonly #options: StateNewsOptions;

  constructor(options: StateNewsOptions) {
    this.#options = options;
  }

  /** The state has just been opened: what it knows by now. */
  opened(): void {
    const { state, members } = this.#options;
    this.#noteState();
    for (const [name, value] of state.openedAttributes) {
      members.setRecord(name, value);
    }
    const { openedConfiguration } = state;
    if (openedConfiguration !== undefined) {
      this.#setApplied(openedConfiguration);
    }
  }

  /** A batch has been applied. */
  applied(batch: ApplyBatch, output: ApplyOutput): void {
    const { replica, state, applying, watches, onNews } = this.#options;
    const { results, changes } = output;
    if (output.hasCompacted) {
      state.lane.compact();
    }
    const index = applying.applied(batch, results);
    for (const change of changes) {
      this.#noteChange(change);
    }
    // After that: whoever may not watch any more is told no event that came with the change.
    watches.applied(output);
    this.#noteState();
    replica.applyDone(index);
    onNews();
  }

  /** Reads now see everything up to `index`. */
  readable(index: LogIndex): void {
    this.#options.replica.readable(index);
    this.#options.onNews();
  }

  /** Another state, that of entry `index`, has taken the place of the one before. */
  replaced(index: LogIndex): void {
    const { config, state, applying, watches, integrity, onNews } = this.#options;
    applying.drop('overtaken');
    this.opened();
    this.dialMembers();
    watches.replaced();
    integrity.replaced();
    state.lane.compact();
    config.logger.info({ event: 'snapshot-installed', index });
    onNews();
  }

  /** Dials whoever is a member now, and nobody else. */
  dialMembers(): void {
    const { config, members } = this.#options;
    const others = members.reachable.filter(({ id }) => id !== config.id);
    config.transport.setPeers(others.map(config.peerOf));
  }

  #noteState(): void {
    const { config, replica, state } = this.#options;
    replica.noteTime(config.eventLoop.nowMs());
    replica.noteState(state.machine);
  }

  #noteChange(change: MetaChange): void {
    const { config, members, watches, onRemoved } = this.#options;
    if (change.type === 'level') {
      config.logger.info({ event: 'feature-level-raised', level: change.level });
    } else if (change.type === 'auth') {
      reportAuthChange(change, config.logger);
      watches.reauthorise();
    } else if (change.type === 'record') {
      members.setRecord(change.name, change.value);
      // A member may have told its name.
      this.dialMembers();
    } else if (change.type === 'membership') {
      this.#setApplied({ index: change.index, ...decodeConfiguration(change.membership) });
      if (members.isRemoved(config.id)) {
        onRemoved();
      }
    }
  }

  /**
   * Whoever is removed is told so when it dials. One that has dialled after it left the
   * configuration, and before its removal was applied here, was admitted: it has to dial again.
   */
  #setApplied(configuration: Configuration): void {
    const { config, members } = this.#options;
    for (const id of members.setApplied(configuration)) {
      config.transport.hangUp(id);
    }
  }
}
