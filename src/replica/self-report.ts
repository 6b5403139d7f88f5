/**
 * What a member tells the cluster about itself, through the log: what it is called, where clients
 * reach it, and that its state is over its quota or contradicts that of others.
 */
import type { Command, CommandResult } from '../kv/index.ts';
import type { NodeId } from '../raft/index.ts';
import { attributesName, encodeAttributes, type MemberList } from './member-list.ts';
import type { MemberState } from './member-state.ts';
import type { EventLogger } from './reporting.ts';
import { quotaAction } from './storage-quota.ts';

/** What the reports are made of. */
export interface SelfReportOptions {
  readonly id: NodeId;
  readonly name: string;
  /** Not published when undefined. */
  readonly clientUrls: readonly string[] | undefined;
  readonly quotaBytes: number;
  readonly members: Pick<MemberList, 'published'>;
  readonly state: Pick<MemberState, 'alarms'>;
  readonly logger: Pick<EventLogger, 'info' | 'warn'>;
  readonly propose: (command: Command) => Promise<CommandResult>;
}

/** See the module comment. */
export class SelfReport {
  readonly #options: SelfReportOptions;
  /** What is being told; one thing at a time. */
  #telling: string | undefined;
  /** What had to wait when it was tried last, and why; it is logged once, and tried every tick. */
  #delayed: string | undefined;

  constructor(options: SelfReportOptions) {
    this.#options = options;
  }

  /** Publishes name and client URLs, if they are news. */
  maybePublish(): void {
    const { id, name, clientUrls, members } = this.#options;
    const published = members.published(id);
    const isNews = published?.name !== name || published.clientUrls.join() !== clientUrls?.join();
    if (clientUrls !== undefined && isNews) {
      const value = encodeAttributes({ name, clientUrls });
      this.#tell('attributes', { type: 'setRecord', name: attributesName(id), value });
    }
  }

  /** Raises or lifts this member's NOSPACE alarm, as the size of its state demands. */
  checkQuota(stateBytes: number): void {
    const { id, state, quotaBytes } = this.#options;
    const isRaised = state.alarms.some((each) => each.memberId === id && each.alarm === 'nospace');
    const action = quotaAction(stateBytes, quotaBytes, isRaised);
    if (action !== 'none') {
      this.setAlarm('nospace', action === 'raise');
    }
  }

  /** Raises or lifts an alarm of this member. Whoever finds it still due calls again. */
  setAlarm(alarm: 'nospace' | 'corrupt', isActive: boolean): void {
    const { id, logger } = this.#options;
    logger.warn({ event: isActive ? 'alarm-raised' : 'alarm-lifted', alarm });
    const action = isActive ? 'activate' : 'deactivate';
    this.#tell(`alarm ${alarm}`, { type: 'alarm', action, memberId: id, alarm });
  }

  #tell(what: string, command: Command): void {
    if (this.#telling !== undefined) {
      return;
    }
    this.#telling = what;
    this.#options
      .propose(command)
      .then(
        () => {
          this.#delayed = undefined;
        },
        (error: unknown) => {
          // It is told again when it is still news; a member that cannot write yet is none.
          this.#noteDelay(what, String(error));
        },
      )
      .finally(() => {
        this.#telling = undefined;
      });
  }
  #noteDelay(what: string, reason: string): void {
    const delayed = `${what}: ${reason}`;
    if (delayed !== this.#delayed) {
      this.#delayed = delayed;
      this.#options.logger.info({ event: 'report-delayed', what, reason });
    }
  }
}
