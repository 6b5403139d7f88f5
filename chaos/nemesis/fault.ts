/**
 * What a fault is: how it is done, how it ends, and how it is known to have happened. A fault that
 * nothing shows is no fault, and the run is not called good.
 */
import type { Prng } from '../../src/base/index.ts';
import type { Recorder } from '../history.ts';
import type { Cluster, ReadMode } from '../topology/cluster.ts';
import type { EnvOf } from '../topology/member.ts';
import { readMetrics } from './metrics.ts';

/** What a fault may use. */
export interface FaultContext {
  readonly cluster: Cluster;
  readonly prng: Prng;
  readonly recorder: Recorder;
  /** The members that clients are served by; those that join later are not among them. */
  readonly members: readonly string[];
  /** Where files may be put. */
  readonly directory: string;
  /** How members confirm reads. */
  readonly readMode: ReadMode;
}

/** A fault that is on. */
export interface Injected {
  /** In words: members, links, amounts. */
  readonly what: string;
  readonly members: readonly string[];
  /** Whether a majority of the members goes on, each reaching the others. */
  readonly keepsMajority: boolean;
  /** Asked before it is healed: how it is known to have happened. */
  evidence(): Promise<string | undefined>;
  heal(): Promise<void>;
}

/** A kind of fault. */
export interface Fault {
  readonly name: string;
  readonly about: string;
  /** How long it is on, milliseconds: drawn from between; by the runner's default when left out. */
  readonly holdMs?: readonly [number, number];
  /** What this machine lacks for it. */
  missingTools?(): readonly string[];
  /** What must be there before the members start; returns how to clear it away. */
  prepare?(setting: Setting): Promise<() => Promise<void>>;
  inject(context: FaultContext): Promise<Injected>;
}

/** What can be laid out before the members start. */
export interface Setting {
  readonly directory: string;
  readonly size: number;
  readonly prng: Prng;
  readonly recorder: Recorder;
  /** Where members keep their data, to be set by a fault that brings disks. */
  dataDirs?: readonly string[];
  /** More environment for the members' processes, asked for at each start. */
  envOf?: EnvOf;
  /** How members confirm reads; undefined: nobody has asked for anything. */
  readMode: ReadMode | undefined;
}

/** The leader, or one at random while there is none. */
export async function someLeader({ cluster, members, prng }: FaultContext): Promise<string> {
  const leader = await cluster.leader();
  const found = members.find((name) => name === leader);
  return found ?? members[prng.nextInt(0, members.length)] ?? '';
}

/** Everybody but `name`. */
export function othersOf(members: readonly string[], name: string): readonly string[] {
  return members.filter((each) => each !== name);
}

/** Whether so many members are more than half. */
export function isMajority(count: number, members: readonly string[]): boolean {
  return count > members.length / 2;
}

/** What a member says in its metrics, by name with labels; empty if it does not answer. */
export async function metricsOf(
  { cluster }: FaultContext,
  name: string,
): Promise<ReadonlyMap<string, number>> {
  return readMetrics(cluster.member(name).place.metricsAddress);
}

/** Calls through a member's client link that failed since `sinceMs`, as evidence. */
export function failedCalls(
  { recorder }: FaultContext,
  members: readonly string[],
  sinceMs: number,
): string | undefined {
  const failed = recorder
    .of('call')
    .filter(({ returnMs }) => returnMs > sinceMs)
    // What was repeated has ended at another member.
    .filter(({ outcome, member, attempts }) =>
      outcome === 'ok' ? attempts > 1 : members.includes(member),
    );
  const [first] = failed;
  if (first !== undefined) {
    const how = first.error ?? 'and were repeated';
    return `${failed.length} calls by way of ${members.join(', ')} failed (${how})`;
  }
  const begun = recorder.of('call').filter(({ callMs }) => callMs > sinceMs);
  const isServed = begun.some(({ member }) => members.includes(member));
  return isServed || begun.length === 0
    ? undefined
    : `no call by way of ${members.join(', ')} came back, while ${begun.length} others did`;
}
