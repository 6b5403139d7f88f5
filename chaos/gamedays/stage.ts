/**
 * What the steps of a game day act on: a scenario with its faults, and measures of what its history
 * says so far.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRecord } from '../history.ts';
import type { Fault } from '../nemesis/fault.ts';
import type { RunningFault, Scenario } from '../scenario.ts';

/** What a history has come to. */
type Outcome = Awaited<ReturnType<Scenario['verify']>>;

/** What a stage is made of. */
export interface StageOptions {
  readonly scenario: Scenario;
  readonly isShort: boolean;
  /** Files may be put here. */
  readonly directory: string;
  readonly toxiproxyUrl: string;
}

/** See the module comment. */
export class Stage {
  readonly scenario: Scenario;
  /** Takes as little time as shows anything at all, for machines that watch. */
  readonly isShort: boolean;
  readonly directory: string;
  readonly toxiproxyUrl: string;
  readonly #running: RunningFault[] = [];
  #outcome: Promise<Outcome> | undefined;

  constructor({ scenario, isShort, directory, toxiproxyUrl }: StageOptions) {
    this.scenario = scenario;
    this.isShort = isShort;
    this.directory = directory;
    this.toxiproxyUrl = toxiproxyUrl;
  }

  get nowMs(): number {
    return this.scenario.nowMs;
  }

  /** Injects a fault, which stays until it is healed. */
  async inject(fault: Fault): Promise<RunningFault> {
    const running = await this.scenario.inject(fault);
    this.#running.push(running);
    return running;
  }

  /** Heals the faults that are on, last first, and waits until every member serves. */
  async heal(): Promise<readonly FaultRecord[]> {
    const records: FaultRecord[] = [];
    for (let each = this.#running.pop(); each !== undefined; each = this.#running.pop()) {
      records.push(await this.scenario.heal(each));
    }
    await this.scenario.recover();
    return records;
  }

  async healAll(): Promise<void> {
    if (this.#running.length > 0) {
      await this.heal();
    }
  }

  /** Ends the clients' work and judges what they saw, once. */
  async finish(): Promise<Outcome> {
    this.#outcome ??= this.#judge();
    return this.#outcome;
  }

  async #judge(): Promise<Outcome> {
    await this.scenario.rest();
    return this.scenario.verify();
  }

  /** Lets time pass: so many seconds, or fewer in short. */
  async hold(seconds: number, shortSeconds: number): Promise<void> {
    await sleep((this.isShort ? shortSeconds : seconds) * 1000);
  }
}
