/**
 * What a game day is: a brief for people, and steps that do and check what the brief says. The
 * steps know nothing of who leads them; `runner.ts` takes them one by one.
 */
import type { Fault } from '../nemesis/fault.ts';
import type { Workload } from '../workloads/workload.ts';
import type { Stage } from './stage.ts';

/** What everybody reads before it begins, and answers after it. */
export interface Brief {
  /** What is believed, and is put to the test. */
  readonly hypothesis: string;
  /** What should be seen, in the order in which it should happen. */
  readonly expected: readonly string[];
  /** Panels of the dashboards, and what they show when all goes well. */
  readonly watch: readonly string[];
  /** When to end it at once. */
  readonly abort: readonly string[];
  /** Questions to answer while memory is fresh. */
  readonly writeDown: readonly string[];
  /** What to do when the same happens unasked: a page below `docs`. */
  readonly runbook: string;
}

/** Something that was expected, and what was seen. */
export interface Check {
  readonly what: string;
  readonly isMet: boolean;
  readonly seen: string;
}

/** What became of a step. */
export interface Observation {
  readonly seen: string;
  readonly checks?: readonly Check[];
}

/** One thing that is done once the operator has said so. */
export interface Step<On> {
  /** As an order: "Kill the leader". */
  readonly title: string;
  /** What that means, and where to look meanwhile. */
  readonly about: string;
  act(stage: On): Promise<Observation>;
}

/** See the module comment. */
export interface GameDay {
  readonly name: string;
  readonly title: string;
  readonly brief: Brief;
  readonly workload: () => Workload;
  /** Faults that lay something out before the members start. */
  readonly faults?: readonly Fault[];
  /** Why it cannot be had with members in containers. */
  readonly onlyLocal?: string;
  readonly steps: readonly Step<Stage>[];
}

/** The brief as text for a terminal. */
export function describeBrief({ name, title, brief }: GameDay): string {
  const list = (items: readonly string[]) => items.map((item) => `  - ${item}`).join('\n');
  return [
    `${name}: ${title}`,
    '',
    `Hypothesis: ${brief.hypothesis}`,
    '',
    `Expected:\n${list(brief.expected)}`,
    '',
    `Watch:\n${list(brief.watch)}`,
    '',
    `Abort when:\n${list(brief.abort)}`,
    '',
    `Afterwards write down:\n${list(brief.writeDown)}`,
    '',
    `Runbook: docs/${brief.runbook}`,
  ].join('\n');
}
