/**
 * Who the members are, as this one knows: the membership of the newest configuration, and what
 * members have published about themselves (`attributes/…` records of the state).
 */
import { KvError } from '../base/index.ts';
import type { Configuration, NodeId } from '../raft/index.ts';
import type { ClusterMember } from './api.ts';
import { decodeMembership, type Membership, type MemberRecord } from './membership.ts';

/** What a member publishes about itself. */
export interface MemberAttributes {
  readonly name: string;
  readonly clientUrls: readonly string[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The name of the record in which member `id` publishes. */
export function attributesName(id: NodeId): string {
  return `attributes/${id}`;
}

/** Encodes what a member publishes. */
export function encodeAttributes({ name, clientUrls }: MemberAttributes): Uint8Array {
  return encoder.encode(JSON.stringify({ name, clientUrls }));
}

/** See the module comment. */
export class MemberList {
  #configuration: Configuration;
  #membership: Membership;
  /** Of the newest configuration that has been applied, so that no rollback can revive one. */
  #removedIds: readonly NodeId[] = [];
  readonly #attributes = new Map<string, MemberAttributes>();
  /** Where clients reach members that have not published yet, as they told at the handshake. */
  readonly #announced = new Map<NodeId, readonly string[]>();

  /**
   * @param joining - the members as they were described to this one, which has no configuration
   *   yet: they count until it has
   */
  constructor(configuration: Configuration, joining: readonly MemberRecord[] = []) {
    this.#configuration = configuration;
    const membership = decodeMembership(configuration.context);
    this.#membership = joining.length === 0 ? membership : { ...membership, members: joining };
  }

  /**
   * Whom this member must be able to reach: the members, and who leaves while a change lasts. Each
   * has a name, for logs and metrics: its id stands in for one that nobody knows yet.
   */
  get reachable(): readonly MemberRecord[] {
    const { members, departing = [] } = this.#membership;
    const { votersOutgoing } = this.#configuration.confState;
    const leaving = departing.filter(({ id }) => votersOutgoing.includes(id));
    return [...members, ...leaving].map((member) => {
      const name = this.published(member.id)?.name ?? member.name;
      return { ...member, name: name === '' ? String(member.id) : name };
    });
  }

  setConfiguration(configuration: Configuration): void {
    this.#configuration = configuration;
    this.#membership = decodeMembership(configuration.context);
  }

  /** Takes an applied configuration; returns the members that are removed since the last one. */
  setApplied(configuration: Configuration): readonly NodeId[] {
    if (configuration.confState.votersOutgoing.length > 0) {
      return [];
    }
    const before = new Set(this.#removedIds);
    this.#removedIds = decodeMembership(configuration.context).removedIds;
    return this.#removedIds.filter((id) => !before.has(id));
  }

  /**
   * A record of the state; `value` is empty when it was removed. Others than attributes are not
   * kept.
   */
  setRecord(name: string, value: Uint8Array): void {
    if (value.length === 0) {
      this.#attributes.delete(name);
    } else if (name.startsWith('attributes/')) {
      this.#attributes.set(name, JSON.parse(decoder.decode(value)) as MemberAttributes);
    }
  }

  announce(id: NodeId, clientUrls: readonly string[]): void {
    this.#announced.set(id, clientUrls);
  }

  published(id: NodeId): MemberAttributes | undefined {
    return this.#attributes.get(attributesName(id));
  }

  isRemoved(id: NodeId): boolean {
    return this.#removedIds.includes(id);
  }

  get removedIds(): readonly NodeId[] {
    return this.#removedIds;
  }

  isLearner(id: NodeId): boolean {
    const { learners } = this.#configuration.confState;
    return learners.includes(id);
  }

  /** All members, by ascending id. */
  all(): readonly ClusterMember[] {
    return this.#membership.members.map((member) => this.#describe(member));
  }

  /** @throws {KvError} MEMBER_NOT_FOUND. */
  get(id: NodeId): ClusterMember {
    const member = this.#membership.members.find((each) => each.id === id);
    if (member === undefined) {
      throw new KvError('MEMBER_NOT_FOUND');
    }
    return this.#describe(member);
  }

  #describe({ id, name, peerUrls }: MemberRecord): ClusterMember {
    const published = this.#attributes.get(attributesName(id));
    return {
      id,
      name: published?.name ?? name,
      peerUrls,
      clientUrls: published?.clientUrls ?? this.#announced.get(id) ?? [],
      isLearner: this.isLearner(id),
    };
  }
}
